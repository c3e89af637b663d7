// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

type object = map[string]any

// Content is an object without what is different on each server. Equal contents are kept once for all servers.
type Content struct {
	pieces [3][]byte // around the metadata of a server and around the status
	plain  []byte    // the metadata alone, for lists of it, around the metadata of a server
	rest   []byte
	kind   string
	api    string
	labels map[string]string
	status int // which status it gets: see statusOf
	wanted int
}

// Object is what one server knows of an object beside its content.
type Object struct {
	content    *Content
	uid        string
	version    int64
	generation int64
	created    time.Time
	changed    time.Time
	body       [32]byte
	// Of a signing request that was approved.
	certificate string
}

const (
	markMeta   = "@@meta@@"
	markStatus = "@@status@@"
)

type contents struct {
	mutex   sync.Mutex
	known   map[[32]byte]*Content
	applied sync.Map // what a first apply of a body becomes
}

func (all *contents) intern(of object) *Content {
	metadata := of["metadata"].(object)
	for _, name := range []string{"uid", "resourceVersion", "generation", "creationTimestamp"} {
		delete(metadata, name)
	}
	metadata["creationTimestamp"] = markMeta
	of["status"] = markStatus
	text, _ := json.Marshal(of)
	digest := sha256.Sum256(text)
	all.mutex.Lock()
	defer all.mutex.Unlock()
	if all.known == nil {
		all.known = map[[32]byte]*Content{}
	}
	if found := all.known[digest]; found != nil {
		return found
	}
	made := &Content{kind: text_(of["kind"]), api: text_(of["apiVersion"]), labels: map[string]string{}}
	for key, value := range object_(metadata["labels"]) {
		made.labels[key] = text_(value)
	}
	before, after, _ := bytes.Cut(text, []byte(`"creationTimestamp":"`+markMeta+`"`))
	middle, end, _ := bytes.Cut(after, []byte(`"status":"`+markStatus+`"`))
	made.pieces = [3][]byte{before, middle, end}
	partial, _ := json.Marshal(object{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": metadata})
	made.plain, made.rest, _ = bytes.Cut(partial, []byte(`"creationTimestamp":"`+markMeta+`"`))
	made.wanted = 1
	if replicas, ok := object_(of["spec"])["replicas"].(float64); ok {
		made.wanted = int(replicas)
	}
	all.known[digest] = made
	return made
}

// document is the object as JSON data again, for changing it.
func (one *Object) document() object {
	var found object
	json.Unmarshal(one.write(nil, 0), &found)
	return found
}

func (one *Object) meta(into []byte) []byte {
	into = append(into, `"uid":"`...)
	into = append(into, one.uid...)
	into = append(into, `","resourceVersion":"`...)
	into = strconv.AppendInt(into, one.version, 10)
	if one.generation > 0 {
		into = append(into, `","generation":`...)
		into = strconv.AppendInt(into, one.generation, 10)
		into = append(into, `,"creationTimestamp":"`...)
	} else {
		into = append(into, `","creationTimestamp":"`...)
	}
	into = one.created.UTC().AppendFormat(into, time.RFC3339)
	return append(into, '"')
}

func (one *Object) write(into []byte, ready time.Duration) []byte {
	into = append(into, one.content.pieces[0]...)
	into = one.meta(into)
	into = append(into, one.content.pieces[1]...)
	into = append(into, `"status":`...)
	into = append(into, one.status(ready)...)
	return append(into, one.content.pieces[2]...)
}

func (one *Object) writeMetadata(into []byte) []byte {
	into = append(into, one.content.plain...)
	into = one.meta(into)
	return append(into, one.content.rest...)
}

// status is what controllers would have made of it once it is ready.
func (one *Object) status(ready time.Duration) string {
	done := time.Since(one.changed) >= ready
	count, truth := 0, "False"
	if done {
		count, truth = one.content.wanted, "True"
	}
	switch one.content.kind {
	case "Deployment":
		return fmt.Sprintf(`{"observedGeneration":%d,"replicas":%d,"updatedReplicas":%d,"readyReplicas":%d,`+
			`"availableReplicas":%d,"conditions":[{"type":"Available","status":"%s"}]}`,
			one.generation, one.content.wanted, one.content.wanted, count, count, truth)
	case "StatefulSet":
		return fmt.Sprintf(`{"observedGeneration":%d,"replicas":%d,"updatedReplicas":%d,"readyReplicas":%d,`+
			`"availableReplicas":%d,"currentRevision":"a","updateRevision":"a"}`,
			one.generation, one.content.wanted, one.content.wanted, count, count)
	case "Job":
		if done {
			return `{"succeeded":1,"conditions":[{"type":"Complete","status":"True"}]}`
		}
		return `{"active":1}`
	case "Namespace":
		return `{"phase":"Active"}`
	case "CertificateSigningRequest":
		if one.certificate != "" {
			return `{"conditions":[{"type":"Approved","status":"True"}],"certificate":"` + one.certificate + `"}`
		}
	case "PersistentVolumeClaim":
		if done {
			return `{"phase":"Bound"}`
		}
		return `{"phase":"Pending"}`
	}
	return `{}`
}

// store is what one server holds, by path: "/api/v1/namespaces/shop/configmaps/settings".
type store struct {
	mutex   sync.RWMutex
	objects map[string]*Object
	version int64
	serial  int64
}

func (all *store) init() {
	all.objects = map[string]*Object{}
	all.version = 100
}

func (all *store) keep(path string, one *Object) {
	all.version++
	one.version = all.version
	all.objects[path] = one
}

func (all *store) uid(server int) string {
	all.serial++
	return fmt.Sprintf("00000000-0000-4000-%04x-%012x", server&0xffff, all.serial)
}

// under lists the paths of a collection, in all namespaces for "/api/v1/configmaps".
func (all *store) under(of target, selector map[string]string) []*Object {
	var paths []string
	for path, one := range all.objects {
		if one.content.kind != of.resource.Kind || one.content.api != of.resource.APIVersion {
			continue
		}
		if of.namespace != "" && !strings.HasPrefix(path, of.collection()+"/") {
			continue
		}
		if matches(one.content.labels, selector) {
			paths = append(paths, path)
		}
	}
	sort.Strings(paths)
	found := make([]*Object, len(paths))
	for index, path := range paths {
		found[index] = all.objects[path]
	}
	return found
}

func matches(labels, selector map[string]string) bool {
	for key, value := range selector {
		if found, there := labels[key]; !there || (value != "*" && found != value) {
			return false
		}
	}
	return true
}

func (all *store) bodies() map[string]string {
	all.mutex.RLock()
	defer all.mutex.RUnlock()
	found := map[string]string{}
	for path, one := range all.objects {
		found[path] = fmt.Sprintf("%x", one.body)
	}
	return found
}

func (all *store) copyFrom(other *store) {
	all.mutex.Lock()
	defer all.mutex.Unlock()
	all.objects = make(map[string]*Object, len(other.objects))
	for path, one := range other.objects {
		copied := *one
		all.objects[path] = &copied
	}
	all.version, all.serial = other.version, other.serial
}

func text_(value any) string {
	text, _ := value.(string)
	return text
}

func object_(value any) object {
	found, _ := value.(object)
	return found
}
