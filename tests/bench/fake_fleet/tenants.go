// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const issued = "fake."

var (
	approvalPath = regexp.MustCompile(`^/apis/certificates\.k8s\.io/v1/certificatesigningrequests/([^/]+)/approval$`)
	tokenPath    = regexp.MustCompile(`^/api/v1/namespaces/([^/]+)/serviceaccounts/([^/]+)/token$`)
	reviewPath   = regexp.MustCompile(`^/apis/authorization\.k8s\.io/v1/selfsubjectaccessreviews$`)
)

// known says whether a request shows a credential: the administrator's token, a certificate or a token that was issued.
// Rights are not looked at: whoever is known may do everything.
func known(request *http.Request) bool {
	token := strings.TrimPrefix(request.Header.Get("Authorization"), "Bearer ")
	return token == "fake" || strings.HasPrefix(token, issued) || (request.TLS != nil && len(request.TLS.PeerCertificates) > 0)
}

// tenants answers what is asked to give somebody credentials and to try them; false for all other requests.
func (server *Server) tenants(answer http.ResponseWriter, request *http.Request, body []byte) bool {
	path := request.URL.Path
	if found := approvalPath.FindStringSubmatch(path); found != nil && request.Method == http.MethodPut {
		server.approve(answer, path[:strings.LastIndex(path, "/")], found[1], body)
		return true
	}
	if found := tokenPath.FindStringSubmatch(path); found != nil && request.Method == http.MethodPost {
		server.token(answer, path[:strings.LastIndex(path, "/")], found[2], body)
		return true
	}
	if reviewPath.MatchString(path) && request.Method == http.MethodPost {
		var review object
		json.Unmarshal(body, &review)
		review["status"] = object{"allowed": true}
		send(answer, 201, review)
		return true
	}
	return false
}

// approve signs the request of a live object as a controller would, at once.
func (server *Server) approve(answer http.ResponseWriter, path, name string, body []byte) {
	server.store.mutex.Lock()
	defer server.store.mutex.Unlock()
	one := server.store.objects[path]
	if one == nil {
		refuse(answer, 404, "NotFound", fmt.Sprintf("certificatesigningrequests.certificates.k8s.io %q not found", name), nil)
		return
	}
	spec := object_(one.document()["spec"])
	certificate, err := server.sign(text_(spec["request"]), spec["expirationSeconds"])
	if err != nil {
		refuse(answer, 422, "Invalid", err.Error(), nil)
		return
	}
	one.certificate = certificate
	server.store.keep(path, one)
	writeOne(answer, 200, one, 0)
}

func (server *Server) sign(encoded string, seconds any) (string, error) {
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return "", fmt.Errorf("spec.request: not PEM")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return "", err
	}
	life := 365 * 24 * time.Hour
	if asked, ok := seconds.(float64); ok {
		life = time.Duration(asked) * time.Second
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: request.Subject, NotBefore: now.Add(-5 * time.Minute),
		NotAfter: now.Add(life), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, AuthorityKeyId: server.authority.SubjectKeyId,
	}
	made, err := x509.CreateCertificate(rand.Reader, template, server.authority, request.PublicKey, server.authorityKey)
	if err != nil {
		return "", err
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made})
	return base64.StdEncoding.EncodeToString(certificate), nil
}

func (server *Server) token(answer http.ResponseWriter, path, name string, body []byte) {
	server.store.mutex.RLock()
	defer server.store.mutex.RUnlock()
	if server.store.objects[path] == nil {
		refuse(answer, 404, "NotFound", fmt.Sprintf("serviceaccounts %q not found", name), nil)
		return
	}
	var review object
	json.Unmarshal(body, &review)
	life, now := 3600.0, time.Now().Unix()
	if asked, ok := object_(review["spec"])["expirationSeconds"].(float64); ok {
		life = asked
	}
	claims, _ := json.Marshal(object{"iat": now, "nbf": now, "exp": now + int64(life)})
	ends := time.Unix(now+int64(life), 0).UTC().Format(time.RFC3339)
	token := issued + base64.RawURLEncoding.EncodeToString(claims) + ".signature"
	review["status"] = object{"token": token, "expirationTimestamp": ends}
	send(answer, 201, review)
}
