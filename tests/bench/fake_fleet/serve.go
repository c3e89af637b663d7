// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"time"
)

// target is what a path means.
type target struct {
	resource  Resource
	namespace string
	name      string
}

func (of target) collection() string {
	path := "/api/" + of.resource.APIVersion
	if strings.Contains(of.resource.APIVersion, "/") {
		path = "/apis/" + of.resource.APIVersion
	}
	if of.namespace != "" {
		path += "/namespaces/" + of.namespace
	}
	return path + "/" + of.resource.Plural
}

func (of target) path() string { return of.collection() + "/" + of.name }

func (of target) group() string {
	if group, _, found := strings.Cut(of.resource.APIVersion, "/"); found {
		return group
	}
	return ""
}

// full is how Kubernetes names a resource in its messages: "deployments.apps".
func (of target) full() string {
	if of.group() == "" {
		return of.resource.Plural
	}
	return of.resource.Plural + "." + of.group()
}

func (server *Server) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	fleet, settings := server.fleet, server.fleet.settings.Load()
	for server.hangs.Load() {
		select {
		case <-request.Context().Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
	body, _ := io.ReadAll(request.Body)
	if settings.LatencyMS > 0 {
		time.Sleep(time.Duration(settings.LatencyMS) * time.Millisecond)
	}
	fleet.requests.Add(1)
	fleet.touched.Store(server.index, true)
	counter, _ := fleet.methods.LoadOrStore(request.Method, &atomic.Int64{})
	counter.(*atomic.Int64).Add(1)
	dry := strings.Contains(request.URL.RawQuery, "dryRun=")
	if request.Method != http.MethodGet && !dry {
		fleet.writes.Add(1)
	}
	if settings.ErrorRate > 0 && rand.Float64() < settings.ErrorRate {
		refuse(answer, 500, "InternalError", "an error was asked for", nil)
		return
	}
	if !known(request) {
		refuse(answer, 401, "Unauthorized", "Unauthorized", nil)
		return
	}
	if server.tenants(answer, request, body) {
		return
	}
	of, found := server.meaning(request.URL.Path)
	if !found {
		server.about(answer, request.URL.Path)
		return
	}
	server.serve(answer, request, of, body, dry)
}

// meaning takes a path apart; nothing that is not a resource is found.
func (server *Server) meaning(path string) (target, bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	var version string
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		version, parts = parts[1], parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		version, parts = parts[1]+"/"+parts[2], parts[3:]
	default:
		return target{}, false
	}
	of := target{}
	if parts[0] == "namespaces" && len(parts) > 2 {
		of.namespace, parts = parts[1], parts[2:]
	}
	resource, served := server.fleet.kinds[version+"/"+parts[0]]
	if !served || len(parts) > 2 {
		return target{}, false
	}
	of.resource = resource
	if len(parts) == 2 {
		of.name = parts[1]
	}
	return of, true
}

// about answers what is not a resource: version, health, discovery.
func (server *Server) about(answer http.ResponseWriter, path string) {
	switch {
	case path == "/version":
		send(answer, 200, object{"major": "1", "minor": "36", "gitVersion": "v1.36.4", "platform": "fake/fake"})
	case path == "/readyz" || path == "/livez" || path == "/healthz":
		io.WriteString(answer, "ok")
	case path == "/api" || path == "/apis":
		server.everyKind(answer, path == "/api")
	case strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/apis/"):
		server.discovery(answer, strings.TrimPrefix(strings.TrimPrefix(path, "/apis/"), "/api/"))
	default:
		http.Error(answer, "404 page not found", 404)
	}
}

// everyKind is aggregated discovery: all kinds of the core group, or of all others, in one answer.
func (server *Server) everyKind(answer http.ResponseWriter, core bool) {
	versions := map[string][]object{}
	var order []string
	for _, one := range server.fleet.config.Resources {
		if strings.Contains(one.APIVersion, "/") == core {
			continue
		}
		if versions[one.APIVersion] == nil {
			order = append(order, one.APIVersion)
		}
		scope := "Cluster"
		if one.Namespaced {
			scope = "Namespaced"
		}
		versions[one.APIVersion] = append(versions[one.APIVersion], object{"resource": one.Plural, "scope": scope,
			"responseKind": object{"kind": one.Kind}, "verbs": []string{"create", "delete", "get", "list", "patch", "update"}})
	}
	items := []object{}
	for _, apiVersion := range order {
		group, version, grouped := strings.Cut(apiVersion, "/")
		if !grouped {
			group, version = "", apiVersion
		}
		items = append(items, object{"metadata": object{"name": group},
			"versions": []object{{"version": version, "resources": versions[apiVersion]}}})
	}
	send(answer, 200, object{"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": object{},
		"items": items})
}

func (server *Server) discovery(answer http.ResponseWriter, version string) {
	var resources []object
	for _, one := range server.fleet.config.Resources {
		if one.APIVersion == version {
			resources = append(resources, object{"name": one.Plural, "kind": one.Kind, "namespaced": one.Namespaced,
				"singularName": strings.ToLower(one.Kind), "verbs": []string{"create", "delete", "get", "list", "patch", "update"}})
		}
	}
	if resources == nil {
		http.Error(answer, "404 page not found", 404)
		return
	}
	send(answer, 200, object{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources})
}

func (server *Server) serve(answer http.ResponseWriter, request *http.Request, of target, body []byte, dry bool) {
	all := &server.store
	ready := time.Duration(server.fleet.settings.Load().ReadyMS) * time.Millisecond
	if request.Method == http.MethodGet {
		all.mutex.RLock()
		defer all.mutex.RUnlock()
		server.read(answer, request, of, ready)
		return
	}
	all.mutex.Lock()
	defer all.mutex.Unlock()
	switch request.Method {
	case http.MethodPatch:
		server.patch(answer, request, of, body, dry, ready)
	case http.MethodPost:
		server.create(answer, request, of, body, dry, ready)
	case http.MethodPut:
		server.replace(answer, request, of, body, dry, ready)
	case http.MethodDelete:
		server.remove(answer, of, body, dry)
	default:
		refuse(answer, 405, "MethodNotAllowed", "the server does not allow this method on the requested resource", nil)
	}
}

func (server *Server) read(answer http.ResponseWriter, request *http.Request, of target, ready time.Duration) {
	metadata := strings.Contains(request.Header.Get("Accept"), "as=PartialObjectMetadata")
	answer.Header().Set("Content-Type", "application/json")
	if of.name != "" {
		one := server.store.objects[of.path()]
		if one == nil && of.resource.Kind == "Namespace" && standing(of.name) {
			send(answer, 200, object{"kind": "Namespace", "apiVersion": "v1", "status": object{"phase": "Active"},
				"metadata": object{"name": of.name, "uid": fmt.Sprintf("%s-%05d", of.name, server.index)}})
		} else if one == nil {
			notFound(answer, of)
		} else if metadata {
			answer.Write(one.writeMetadata(nil))
		} else {
			answer.Write(one.write(nil, ready))
		}
		return
	}
	selector := map[string]string{}
	for _, part := range strings.Split(request.URL.Query().Get("labelSelector"), ",") {
		if key, value, equals := strings.Cut(part, "="); equals {
			selector[key] = strings.TrimPrefix(value, "=")
		} else if part != "" {
			selector[part] = "*"
		}
	}
	kind, version := of.resource.Kind+"List", of.resource.APIVersion
	if metadata {
		kind, version = "PartialObjectMetadataList", "meta.k8s.io/v1"
	}
	text := fmt.Appendf(nil, `{"kind":"%s","apiVersion":"%s","metadata":{"resourceVersion":"%d"},"items":[`,
		kind, version, server.store.version)
	for index, one := range server.store.under(of, selector) {
		if index > 0 {
			text = append(text, ',')
		}
		if metadata {
			text = one.writeMetadata(text)
		} else {
			text = one.write(text, ready)
		}
	}
	answer.Write(append(text, "]}"...))
}

func (server *Server) patch(
	answer http.ResponseWriter, request *http.Request, of target, body []byte, dry bool, ready time.Duration,
) {
	one := server.store.objects[of.path()]
	if !strings.HasPrefix(request.Header.Get("Content-Type"), "application/apply-patch") {
		server.merge(answer, of, one, body, dry, ready)
		return
	}
	query := request.URL.Query()
	manager, force := query.Get("fieldManager"), query.Get("force") == "true"
	if one == nil {
		if !server.hasNamespace(of) {
			noNamespace(answer, of)
			return
		}
		server.created(answer, of, manager, body, dry, ready)
		return
	}
	digest := sha256.Sum256(append([]byte(manager+"\n"), body...))
	if first, known := server.fleet.contents.applied.Load(digest); known && first == one.content {
		one.body = sha256.Sum256(body)
		writeOne(answer, 200, one, ready)
		return
	}
	var wanted object
	if json.Unmarshal(body, &wanted) != nil {
		refuse(answer, 400, "BadRequest", "the body is not JSON", nil)
		return
	}
	live := one.document()
	before := one.document()
	changed, conflicts := applied(live, wanted, manager, force)
	if conflicts != nil {
		message := fmt.Sprintf("Apply failed with %d conflict: %v", len(conflicts), conflicts[0]["message"])
		refuse(answer, 409, "Conflict", message, object{"causes": conflicts})
		return
	}
	server.changed(answer, of, one, before, changed, sha256.Sum256(body), dry, ready)
}

// created is the first apply; the same body makes the same content on every server.
func (server *Server) created(
	answer http.ResponseWriter, of target, manager string, body []byte, dry bool, ready time.Duration,
) {
	contents := &server.fleet.contents
	digest := sha256.Sum256(append([]byte(manager+"\n"), body...))
	known, there := contents.applied.Load(digest)
	if !there {
		var wanted object
		if json.Unmarshal(body, &wanted) != nil {
			refuse(answer, 400, "BadRequest", "the body is not JSON", nil)
			return
		}
		wanted["apiVersion"], wanted["kind"] = of.resource.APIVersion, of.resource.Kind
		made, _ := applied(object{"apiVersion": wanted["apiVersion"], "metadata": object{}}, wanted, manager, true)
		named(made, of)
		defaulted(made)
		known, _ = contents.applied.LoadOrStore(digest, contents.intern(made))
	}
	server.arrived(answer, of, known.(*Content), sha256.Sum256(body), dry, ready)
}

func (server *Server) arrived(
	answer http.ResponseWriter, of target, content *Content, body [32]byte, dry bool, ready time.Duration,
) {
	now := time.Now()
	one := &Object{content: content, created: now, changed: now, body: body}
	if counted(of.resource.Kind) {
		one.generation = 1
	}
	if !dry {
		one.uid = server.store.uid(server.index)
		server.store.keep(of.path(), one)
	}
	writeOne(answer, 201, one, ready)
}

// counted says which kinds have a generation.
func counted(kind string) bool {
	switch kind {
	case "ConfigMap", "Secret", "ServiceAccount", "Service", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding",
		"Namespace", "PersistentVolumeClaim", "Endpoints", "Event":
		return false
	}
	return true
}

func (server *Server) changed(
	answer http.ResponseWriter, of target, one *Object, before, after object, body [32]byte, dry bool, ready time.Duration,
) {
	specs := reflect.DeepEqual(before["spec"], after["spec"])
	content := server.fleet.contents.intern(after)
	if content == one.content || dry {
		shown := *one
		shown.content = content
		if !dry {
			one.body = body
		}
		writeOne(answer, 200, &shown, ready)
		return
	}
	one.content, one.body = content, body
	if !specs && one.generation > 0 {
		one.generation++
		one.changed = time.Now()
	}
	server.store.keep(of.path(), one)
	writeOne(answer, 200, one, ready)
}

func (server *Server) merge(
	answer http.ResponseWriter, of target, one *Object, body []byte, dry bool, ready time.Duration,
) {
	if one == nil {
		notFound(answer, of)
		return
	}
	var change object
	if json.Unmarshal(body, &change) != nil {
		refuse(answer, 400, "BadRequest", "the body is not JSON", nil)
		return
	}
	after := one.document()
	mergePatch(after, change)
	server.changed(answer, of, one, one.document(), after, sha256.Sum256(body), dry, ready)
}

func mergePatch(into, change object) {
	for key, value := range change {
		below, ok := value.(object)
		if value == nil {
			delete(into, key)
		} else if there, both := into[key].(object); ok && both {
			mergePatch(there, below)
		} else {
			into[key] = value
		}
	}
}

func (server *Server) create(
	answer http.ResponseWriter, request *http.Request, of target, body []byte, dry bool, ready time.Duration,
) {
	var wanted object
	if json.Unmarshal(body, &wanted) != nil {
		refuse(answer, 400, "BadRequest", "the body is not JSON", nil)
		return
	}
	of.name = text_(object_(wanted["metadata"])["name"])
	if !server.hasNamespace(of) {
		noNamespace(answer, of)
		return
	}
	if server.store.objects[of.path()] != nil {
		refuse(answer, 409, "AlreadyExists", fmt.Sprintf("%s %q already exists", of.full(), of.name), of.details())
		return
	}
	wanted["apiVersion"], wanted["kind"] = of.resource.APIVersion, of.resource.Kind
	named(wanted, of)
	writeOwners(wanted, []owner{{request.URL.Query().Get("fieldManager"), "Update", topFields(wanted)}})
	defaulted(wanted)
	server.arrived(answer, of, server.fleet.contents.intern(wanted), sha256.Sum256(body), dry, ready)
}

func (server *Server) replace(
	answer http.ResponseWriter, request *http.Request, of target, body []byte, dry bool, ready time.Duration,
) {
	one := server.store.objects[of.path()]
	if one == nil {
		notFound(answer, of)
		return
	}
	var wanted object
	if json.Unmarshal(body, &wanted) != nil {
		refuse(answer, 400, "BadRequest", "the body is not JSON", nil)
		return
	}
	version := text_(object_(wanted["metadata"])["resourceVersion"])
	if version != "" && version != fmt.Sprint(one.version) {
		refuse(answer, 409, "Conflict", fmt.Sprintf("Operation cannot be fulfilled on %s %q: the object has been modified; "+
			"please apply your changes to the latest version and try again", of.full(), of.name), of.details())
		return
	}
	wanted["apiVersion"], wanted["kind"] = of.resource.APIVersion, of.resource.Kind
	named(wanted, of)
	writeOwners(wanted, []owner{{request.URL.Query().Get("fieldManager"), "Update", topFields(wanted)}})
	server.changed(answer, of, one, one.document(), wanted, sha256.Sum256(body), dry, ready)
}

func (server *Server) remove(answer http.ResponseWriter, of target, body []byte, dry bool) {
	one := server.store.objects[of.path()]
	if one == nil {
		notFound(answer, of)
		return
	}
	var options struct {
		Preconditions struct{ UID, ResourceVersion string }
	}
	json.Unmarshal(body, &options)
	wanted := options.Preconditions
	if (wanted.UID != "" && wanted.UID != one.uid) ||
		(wanted.ResourceVersion != "" && wanted.ResourceVersion != fmt.Sprint(one.version)) {
		refuse(answer, 409, "Conflict", fmt.Sprintf("Operation cannot be fulfilled on %s %q: the precondition in the "+
			"request does not match", of.full(), of.name), of.details())
		return
	}
	if !dry {
		server.store.version++
		delete(server.store.objects, of.path())
		if of.resource.Kind == "Namespace" {
			for path := range server.store.objects {
				if strings.Contains(path, "/namespaces/"+of.name+"/") {
					delete(server.store.objects, path)
				}
			}
		}
	}
	details := of.details()
	details["uid"] = one.uid
	send(answer, 200, object{"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Success", "details": details})
}

func (server *Server) hasNamespace(of target) bool {
	if of.namespace == "" || standing(of.namespace) {
		return true
	}
	return server.store.objects["/api/v1/namespaces/"+of.namespace] != nil
}

// standing says which namespaces are there before anybody makes one.
func standing(namespace string) bool {
	return namespace == "default" || namespace == "kube-system"
}

func (of target) details() object {
	details := object{"name": of.name, "kind": of.resource.Plural}
	if of.group() != "" {
		details["group"] = of.group()
	}
	return details
}

func named(document object, of target) {
	metadata := object_(document["metadata"])
	metadata["name"] = of.name
	if of.namespace != "" {
		metadata["namespace"] = of.namespace
	}
}

// defaulted is what a server adds that somebody waits for.
func defaulted(document object) {
	spec := object_(document["spec"])
	if text_(document["kind"]) == "Service" && spec != nil && spec["clusterIP"] == nil && spec["type"] != "ExternalName" {
		spec["clusterIP"] = "10.0.0.1"
	}
}

func notFound(answer http.ResponseWriter, of target) {
	refuse(answer, 404, "NotFound", fmt.Sprintf("%s %q not found", of.full(), of.name), of.details())
}

func noNamespace(answer http.ResponseWriter, of target) {
	details := object{"name": of.namespace, "kind": "namespaces"}
	refuse(answer, 404, "NotFound", fmt.Sprintf("namespaces %q not found", of.namespace), details)
}

func refuse(answer http.ResponseWriter, code int, reason, message string, details object) {
	send(answer, code, object{"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Failure",
		"message": message, "reason": reason, "details": details, "code": code})
}

func writeOne(answer http.ResponseWriter, code int, one *Object, ready time.Duration) {
	answer.Header().Set("Content-Type", "application/json")
	answer.WriteHeader(code)
	answer.Write(one.write(nil, ready))
}

func send(answer http.ResponseWriter, code int, document any) {
	answer.Header().Set("Content-Type", "application/json")
	answer.WriteHeader(code)
	json.NewEncoder(answer).Encode(document)
}
