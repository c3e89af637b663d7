// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"
)

// Which lists are merged by which keys, and which maps are taken as a whole, as Kubernetes' own types say.
var listKeys = map[string][]string{
	"containers": {"name"}, "initContainers": {"name"}, "volumes": {"name"}, "env": {"name"},
	"volumeMounts": {"mountPath"}, "imagePullSecrets": {"name"}, "secrets": {"name"},
	"containers.ports": {"containerPort", "protocol"}, "spec.ports": {"port", "protocol"},
	"finalizers": nil, // a set
}
var atomicMaps = map[string]bool{
	"selector": true, "nodeSelector": true, "roleRef": true, "resourceFieldRef": true, "fieldRef": true,
	"configMapKeyRef": true, "secretKeyRef": true, "labelSelector": true,
}

const (
	setList = "finalizers"
	moment  = "2026-01-01T00:00:00Z"
)

// fieldsOf is the FieldsV1 of what a manager applies; parent says where a list stands.
func fieldsOf(value any, name, parent string) object {
	switch value := value.(type) {
	case object:
		if atomicMaps[name] || len(value) == 0 {
			return object{}
		}
		found := object{}
		for key, below := range value {
			found["f:"+key] = fieldsOf(below, key, name)
		}
		return found
	case []any:
		if name == setList {
			found := object{}
			for _, item := range value {
				text, _ := json.Marshal(item)
				found["v:"+string(text)] = object{}
			}
			return found
		}
		keys := keysOf(name, parent)
		if keys == nil {
			return object{}
		}
		found := object{}
		for _, item := range value {
			below := fieldsOf(item, "", name)
			below["."] = object{}
			found["k:"+keyOf(item, keys)] = below
		}
		return found
	}
	return object{}
}

func keysOf(name, parent string) []string {
	if keys := listKeys[parent+"."+name]; keys != nil {
		return keys
	}
	if name == "ports" && parent == "" {
		return listKeys["containers.ports"]
	}
	return listKeys[name]
}

func keyOf(item any, keys []string) string {
	found := object{}
	for _, key := range keys {
		found[key] = object_(item)[key]
		if found[key] == nil && key == "protocol" {
			found[key] = "TCP"
		}
	}
	text, _ := json.Marshal(found)
	return string(text)
}

// topFields leaves out what is never owned.
func topFields(body object) object {
	found := object{}
	for key, value := range body {
		if key == "apiVersion" || key == "kind" || key == "status" {
			continue
		}
		below := fieldsOf(value, key, "")
		if key == "metadata" {
			for _, unowned := range []string{"name", "namespace", "uid", "resourceVersion", "generation",
				"creationTimestamp", "managedFields", "selfLink"} {
				delete(below, "f:"+unowned)
			}
			if len(below) == 0 {
				continue
			}
		}
		found["f:"+key] = below
	}
	return found
}

// leaves calls visit for each field that is owned as a whole, with its path.
func leaves(fields object, path []string, visit func([]string)) {
	for key, below := range fields {
		here := append(append([]string{}, path...), key)
		if key == "." {
			continue
		}
		if len(object_(below)) == 0 {
			visit(here)
		} else {
			leaves(object_(below), here, visit)
		}
	}
}

func at(value any, path []string) any {
	for _, key := range path {
		switch key[:2] {
		case "f:":
			value = object_(value)[key[2:]]
		case "k:":
			value = item(value, key[2:])
		case "v:":
			return key
		}
		if value == nil {
			return nil
		}
	}
	return value
}

func item(list any, key string) any {
	var wanted object
	json.Unmarshal([]byte(key), &wanted)
	keys := make([]string, 0, len(wanted))
	for name := range wanted {
		keys = append(keys, name)
	}
	sort.Strings(keys)
	items, _ := list.([]any)
	for _, one := range items {
		if keyOf(one, keys) == key {
			return one
		}
	}
	return nil
}

// merged puts what a manager applies over what is there.
func merged(live, body any, name, parent string) any {
	switch body := body.(type) {
	case object:
		there, ok := live.(object)
		if !ok || atomicMaps[name] {
			return body
		}
		for key, value := range body {
			there[key] = merged(there[key], value, key, name)
		}
		return there
	case []any:
		keys := keysOf(name, parent)
		items, ok := live.([]any)
		if keys == nil || !ok {
			return body
		}
		for _, one := range body {
			key := keyOf(one, keys)
			found := false
			for index, other := range items {
				if keyOf(other, keys) == key {
					items[index] = merged(other, one, "", name)
					found = true
				}
			}
			if !found {
				items = append(items, one)
			}
		}
		return items
	}
	return body
}

// without takes a field away from an object; whether its parent is left empty and was itself ours is not looked at.
func without(value any, path []string) {
	parent := at(value, path[:len(path)-1])
	last := path[len(path)-1]
	switch last[:2] {
	case "f:":
		delete(object_(parent), last[2:])
	}
}

func withoutItems(value any, path []string, key string) {
	holder := at(value, path[:len(path)-1])
	name := path[len(path)-1][2:]
	items, _ := object_(holder)[name].([]any)
	var left []any
	gone := item(items, key)
	for _, one := range items {
		if !reflect.DeepEqual(one, gone) {
			left = append(left, one)
		}
	}
	object_(holder)[name] = left
}

// owner is one entry of managedFields.
type owner struct {
	manager, operation string
	fields             object
}

func ownersOf(document object) []owner {
	var found []owner
	entries, _ := object_(document["metadata"])["managedFields"].([]any)
	for _, entry := range entries {
		one := object_(entry)
		found = append(found, owner{text_(one["manager"]), text_(one["operation"]), object_(one["fieldsV1"])})
	}
	return found
}

func writeOwners(document object, owners []owner) {
	var entries []any
	for _, one := range owners {
		if len(one.fields) > 0 {
			entries = append(entries, object{
				"manager": one.manager, "operation": one.operation, "apiVersion": document["apiVersion"],
				"time": moment, "fieldsType": "FieldsV1", "fieldsV1": one.fields,
			})
		}
	}
	object_(document["metadata"])["managedFields"] = entries
}

func owns(fields object, path []string) bool {
	for _, key := range path {
		below, there := fields[key]
		if !there {
			return false
		}
		fields = object_(below)
	}
	return true
}

// ownsWhole says whether the field itself is owned, not only something in it.
func ownsWhole(fields object, path []string) bool {
	for _, key := range path {
		below, there := fields[key]
		if !there {
			return false
		}
		fields = object_(below)
	}
	return len(fields) == 0 || fields["."] != nil
}

// conflict says whose field it is, in the words of Kubernetes.
func (one owner) conflict(live object) string {
	if one.operation == "Apply" {
		return fmt.Sprintf("conflict with %q", one.manager)
	}
	return fmt.Sprintf("conflict with %q using %v at %s", one.manager, live["apiVersion"], moment)
}

func disown(fields object, path []string) {
	if len(path) == 1 {
		delete(fields, path[0])
		return
	}
	below := object_(fields[path[0]])
	disown(below, path[1:])
	if len(below) == 0 || (len(below) == 1 && below["."] != nil) {
		delete(fields, path[0])
	}
}

// applied is a document after a manager applied a body, or the conflicts that keep it from that.
func applied(live object, body object, manager string, force bool) (object, []object) {
	fields := topFields(body)
	owners := ownersOf(live)
	var conflicts []object
	var mine object
	for index := range owners {
		other := &owners[index]
		if other.manager == manager && other.operation == "Apply" {
			mine = other.fields
			continue
		}
		leaves(fields, nil, func(path []string) {
			if !ownsWhole(other.fields, path) || reflect.DeepEqual(at(live, path), at(body, path)) {
				return
			}
			if force {
				disown(other.fields, path)
			} else {
				conflicts = append(conflicts, object{
					"reason": "FieldManagerConflict", "message": other.conflict(live), "field": written(path),
				})
			}
		})
	}
	if conflicts != nil {
		return nil, conflicts
	}
	giveUp(live, mine, fields, owners, manager)
	result := object_(merged(live, body, "", ""))
	left := []owner{{manager, "Apply", fields}}
	for _, one := range owners {
		if one.manager != manager || one.operation != "Apply" {
			left = append(left, one)
		}
	}
	writeOwners(result, left)
	return result, nil
}

// giveUp removes what the manager applied before, does not apply any more, and nobody else owns.
func giveUp(live, mine, fields object, owners []owner, manager string) {
	leaves(mine, nil, func(path []string) {
		if owns(fields, path) {
			return
		}
		for _, other := range owners {
			if !(other.manager == manager && other.operation == "Apply") && owns(other.fields, path) {
				return
			}
		}
		for index, key := range path {
			if strings.HasPrefix(key, "k:") && !owns(fields, path[:index+1]) {
				withoutItems(live, path[:index], key[2:])
				return
			}
		}
		without(live, path)
	})
}

func written(path []string) string {
	text := ""
	for _, key := range path {
		if strings.HasPrefix(key, "f:") {
			text += "." + key[2:]
		} else {
			text += "[" + key[2:] + "]"
		}
	}
	return text
}
