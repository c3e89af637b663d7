// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Fake_fleet answers as many API servers, for numbers that no machine holds. It is a fake: it knows those parts of
// server-side apply that the product relies on, and the contract suite runs against it and a real API server.
//
// The configuration is JSON on standard input; one line of JSON on standard output says that it is ready. It ends with
// its standard input.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime/debug"
)

// Config says how many servers there are and how they behave.
type Config struct {
	Count     int        `json:"count"`
	Port      int        `json:"port"`
	Control   int        `json:"control"`
	Folder    string     `json:"folder"`
	Resources []Resource `json:"resources"`
	Settings  Settings   `json:"settings"`
}

// Settings can be changed while it runs.
type Settings struct {
	LatencyMS int     `json:"latency_ms"`
	ErrorRate float64 `json:"error_rate"`
	ReadyMS   int     `json:"ready_ms"`
	Refuse    []int   `json:"refuse"`
	Hang      []int   `json:"hang"`
}

// Resource is a kind that is served.
type Resource struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Plural     string `json:"plural"`
	Namespaced bool   `json:"namespaced"`
}

func main() {
	debug.SetGCPercent(200)
	input := bufio.NewReader(os.Stdin)
	var config Config
	if err := json.NewDecoder(input).Decode(&config); err != nil {
		log.Fatalf("the configuration: %v", err)
	}
	fleet := newFleet(config)
	if err := fleet.listen(); err != nil {
		log.Fatal(err)
	}
	control, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", config.Control))
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(control, fleet.controls())) }()
	fmt.Printf("{\"control\": %d, \"count\": %d}\n", control.Addr().(*net.TCPAddr).Port, config.Count)
	io.Copy(io.Discard, os.Stdin)
}
