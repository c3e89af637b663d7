// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Fleet is all servers.
type Fleet struct {
	config   Config
	kinds    map[string]Resource // by prefix and plural: "apps/v1/deployments"
	settings atomic.Pointer[Settings]
	servers  []*Server
	contents contents
	requests atomic.Int64
	writes   atomic.Int64
	touched  sync.Map
	methods  sync.Map
}

// Server is one API server with its own address, authority and objects.
type Server struct {
	fleet    *Fleet
	index    int
	address  string
	tls      *tls.Config
	mutex    sync.Mutex
	listener net.Listener
	hangs    atomic.Bool
	store    store
	// What signs its certificates.
	authority    *x509.Certificate
	authorityKey *ecdsa.PrivateKey
}

func newFleet(config Config) *Fleet {
	fleet := &Fleet{config: config, kinds: map[string]Resource{}}
	fleet.settings.Store(&config.Settings)
	for _, one := range config.Resources {
		fleet.kinds[one.APIVersion+"/"+one.Plural] = one
	}
	for index := range config.Count {
		server := &Server{fleet: fleet, index: index}
		server.address = fmt.Sprintf("127.%d.%d.%d:%d", 1+index/62500, index/250%250, 1+index%250, config.Port)
		server.store.init()
		fleet.servers = append(fleet.servers, server)
	}
	return fleet
}

// listen gives every server its certificates, its kubeconfig and, unless it refuses, its address.
func (fleet *Fleet) listen() error {
	var group sync.WaitGroup
	work := make(chan *Server)
	errors := make(chan error, len(fleet.servers))
	for range runtime.NumCPU() {
		group.Add(1)
		go func() {
			defer group.Done()
			for server := range work {
				if err := server.prepare(); err != nil {
					errors <- err
				}
			}
		}()
	}
	for _, server := range fleet.servers {
		work <- server
	}
	close(work)
	group.Wait()
	close(errors)
	for err := range errors {
		return err
	}
	return fleet.change(fleet.config.Settings)
}

// change makes the servers behave as the settings say.
func (fleet *Fleet) change(settings Settings) error {
	fleet.settings.Store(&settings)
	refuse, hang := map[int]bool{}, map[int]bool{}
	for _, index := range settings.Refuse {
		refuse[index] = true
	}
	for _, index := range settings.Hang {
		hang[index] = true
	}
	for _, server := range fleet.servers {
		server.hangs.Store(hang[server.index])
		if err := server.open(!refuse[server.index]); err != nil {
			return err
		}
	}
	return nil
}

func (server *Server) open(wanted bool) error {
	server.mutex.Lock()
	defer server.mutex.Unlock()
	if !wanted && server.listener != nil {
		server.listener.Close()
		server.listener = nil
	}
	if !wanted || server.listener != nil {
		return nil
	}
	listener, err := net.Listen("tcp", server.address)
	if err != nil {
		return err
	}
	server.listener = listener
	program := &http.Server{Handler: server, ErrorLog: log.New(discard{}, "", 0), IdleTimeout: 90 * time.Second}
	go program.Serve(tls.NewListener(&gate{listener, server}, server.tls))
	return nil
}

// gate accepts connections of a server that hangs, and never answers on them.
type gate struct {
	net.Listener
	server *Server
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		connection, err := g.Listener.Accept()
		if err != nil || !g.server.hangs.Load() {
			return connection, err
		}
		go func() {
			for g.server.hangs.Load() {
				time.Sleep(200 * time.Millisecond)
			}
			connection.Close()
		}()
	}
}

type discard struct{}

func (discard) Write(bytes []byte) (int, error) { return len(bytes), nil }

func (server *Server) prepare() error {
	host, _, _ := net.SplitHostPort(server.address)
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fake"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(240 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
		SubjectKeyId: []byte(server.address),
	}
	signed, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "fake server"}, IPAddresses: []net.IP{net.ParseIP(host)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(240 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, AuthorityKeyId: []byte(server.address),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, leaf, authority, &key.PublicKey, authorityKey)
	if err != nil {
		return err
	}
	server.authority, server.authorityKey = authority, authorityKey
	parsed, err := x509.ParseCertificate(signed)
	if err != nil {
		return err
	}
	clients := x509.NewCertPool()
	clients.AddCert(parsed)
	server.tls = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}},
		ClientAuth:   tls.VerifyClientCertIfGiven,
		ClientCAs:    clients,
	}
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})
	return server.writeKubeconfig(base64.StdEncoding.EncodeToString(bundle))
}

// JSON is YAML too.
func (server *Server) writeKubeconfig(authority string) error {
	type object = map[string]any
	content, err := json.Marshal(object{
		"apiVersion": "v1", "kind": "Config", "current-context": "fake",
		"contexts": []any{object{"name": "fake", "context": object{"cluster": "fake", "user": "fake"}}},
		"users":    []any{object{"name": "fake", "user": object{"token": "fake"}}},
		"clusters": []any{object{"name": "fake", "cluster": object{
			"server": "https://" + server.address, "certificate-authority-data": authority}}},
	})
	if err != nil {
		return err
	}
	name := fmt.Sprintf("edge-%05d.yaml", server.index)
	return os.WriteFile(filepath.Join(server.fleet.config.Folder, name), content, 0o600)
}

// controls is how a measure asks what was done and changes how the servers behave.
func (fleet *Fleet) controls() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/counts", func(answer http.ResponseWriter, _ *http.Request) {
		methods, touched := map[string]int64{}, 0
		fleet.methods.Range(func(key, value any) bool {
			methods[key.(string)] = value.(*atomic.Int64).Load()
			return true
		})
		fleet.touched.Range(func(_, _ any) bool { touched++; return true })
		json.NewEncoder(answer).Encode(map[string]any{
			"requests": fleet.requests.Load(), "writes": fleet.writes.Load(), "methods": methods, "touched": touched,
		})
	})
	mux.HandleFunc("/reset", func(http.ResponseWriter, *http.Request) {
		fleet.requests.Store(0)
		fleet.writes.Store(0)
		fleet.methods.Clear()
		fleet.touched.Clear()
	})
	mux.HandleFunc("/settings", func(answer http.ResponseWriter, request *http.Request) {
		settings := *fleet.settings.Load()
		err := json.NewDecoder(request.Body).Decode(&settings)
		if err == nil {
			err = fleet.change(settings)
		}
		if err != nil {
			http.Error(answer, err.Error(), 500)
		}
	})
	// What every server holds: by path the digest of what was last sent there, or of the content for what was not applied.
	mux.HandleFunc("/bodies", func(answer http.ResponseWriter, _ *http.Request) {
		found := make([]map[string]string, len(fleet.servers))
		for index, server := range fleet.servers {
			found[index] = server.store.bodies()
		}
		json.NewEncoder(answer).Encode(found)
	})
	// Every server gets what the first one holds.
	mux.HandleFunc("/copy", func(http.ResponseWriter, *http.Request) {
		for _, server := range fleet.servers[1:] {
			server.store.copyFrom(&fleet.servers[0].store)
		}
	})
	return mux
}
