package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"coffer/internal/auth/signature"
	"coffer/internal/client"
)

// server is a Coffer under measurement, with what it printed at its first start.
type server struct {
	process
	settings map[string]string // user, password, access key, secret key, project
}

var (
	urlLine     = regexp.MustCompile(`http://([0-9.:]+)`)
	projectLine = regexp.MustCompile(`project ([0-9a-f]{32})`)
	settingLine = regexp.MustCompile(`^  (user|password|access key|secret key) +(\S+)$`)
)

// note takes what it can use from a line of output.
func (s *server) note(line string) {
	if m := urlLine.FindStringSubmatch(line); m != nil && s.addr == "" {
		s.addr = m[1]
	}
	if m := projectLine.FindStringSubmatch(line); m != nil {
		s.settings["project"] = m[1]
	}
	if m := settingLine.FindStringSubmatch(line); m != nil {
		s.settings[m[1]] = m[2]
	}
}

// config is that of a production server, but for TLS, which would measure the
// handshake of the generator, and the quota.
const config = "tls: {off: true}\nlimits: {secrets_per_project: 1000000}\nlisten: 127.0.0.1:0\ndata: %s\n"

func startServer(program, dir string) (*server, error) {
	file := filepath.Join(dir, "bench.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, config, filepath.Join(dir, "data")), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "server", "--config", file) //nolint:gosec // the program under measurement
	return start(cmd, func(s *server) bool { return s.settings["secret key"] != "" })
}

func (s *server) client() (*client.Client, error) {
	return client.New(client.Config{
		Endpoint: "http://" + s.addr, ProjectID: s.settings["project"], Timeout: 30 * time.Second, Now: time.Now,
		AccessKey: s.settings["access key"], SecretKey: s.settings["secret key"],
	})
}

// fill creates the secrets s0, s1 ... with a value of 1 KiB each.
func (s *server) fill(n int) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	value := strings.Repeat("v", 1024)
	for i := range n {
		in := map[string]string{"name": fmt.Sprintf("s%d", i), "secret_string": value}
		if _, err := c.Do(context.Background(), "POST", "/v1/{project_id}/secrets", in, nil); err != nil {
			return err
		}
	}
	return nil
}

// scenario is one kind of request, prepared for many secrets.
type scenario struct {
	name     string
	server   *server
	requests [][]byte
}

// size returns the length of the body that answers the first request.
func (sc *scenario) size() (int, error) {
	conn, err := net.Dial("tcp", sc.server.addr)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if _, err := conn.Write(sc.requests[0]); err != nil {
		return 0, err
	}
	return readAnswer(bufio.NewReader(conn))
}

func (s *server) scenarios(secrets int) []scenario {
	token := s.token()
	read := func(i int) string { return fmt.Sprintf("/secrets/s%d/versions/latest", i) }
	write := func(i int) string { return fmt.Sprintf("/secrets/s%d/versions", i) }
	list := func(i int) string { return fmt.Sprintf("/secrets?limit=50&marker=s%d", i) }
	value := []byte(`{"secret_string":"` + strings.Repeat("w", 1024) + `"}`)
	return []scenario{
		{"read latest, signed", s, s.prepare(secrets, "GET", read, nil, "")},
		{"read latest, token", s, s.prepare(secrets, "GET", read, nil, token)},
		{"list a page of 50, signed", s, s.prepare(secrets, "GET", list, nil, "")},
		{"create version, signed", s, s.prepare(secrets, "POST", write, value, "")},
	}
}

// prepare builds one request for each secret, as bytes on the wire.
func (s *server) prepare(n int, method string, path func(int) string, body []byte, token string) [][]byte {
	key, err := signature.NewKey(s.settings["access key"], []byte(s.settings["secret key"]))
	if err != nil {
		panic(err) // the server printed a key that is none
	}
	out := make([][]byte, 0, n)
	for i := range n {
		r, err := http.NewRequest(method, "http://"+s.addr+"/v1/"+s.settings["project"]+path(i), bytes.NewReader(body))
		if err != nil {
			panic(err)
		}
		r.Header.Set("User-Agent", "huaweicloud-usdk-go/3.0")
		r.Header.Set("X-Project-Id", s.settings["project"])
		r.Header.Set("Content-Type", "application/json")
		if token != "" {
			r.Header.Set("X-Auth-Token", token)
		} else {
			m := signature.NewMessage(r, signature.BodyHash(body))
			authorization, err := key.Sign(&m, nil, time.Now())
			if err != nil {
				panic(err)
			}
			r.Header.Set(signature.AuthorizationHeader, authorization)
		}
		var wire bytes.Buffer
		if err := r.Write(&wire); err != nil {
			panic(err)
		}
		out = append(out, wire.Bytes())
	}
	return out
}

// token gets a token with the password that was printed.
func (s *server) token() string {
	body, err := json.Marshal(map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{"user": map[string]any{
			"name": s.settings["user"], "password": s.settings["password"], "domain": map[string]string{"name": "coffer"},
		}}},
		"scope": map[string]any{"project": map[string]string{"id": s.settings["project"]}},
	}})
	if err != nil {
		panic(err)
	}
	resp, err := http.Post("http://"+s.addr+"/v3/auth/tokens", "application/json", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	return resp.Header.Get("X-Subject-Token")
}

// startUp measures the time from exec to the first answer, and the memory of the
// idle server: in dev mode, and over the store that the benchmark has filled.
func startUp(program, dir string) error {
	fmt.Println("\n| start-up | exec to first answer, median of 9 (least) | resident memory, idle |\n| --- | --- | --- |")
	commands := map[string][]string{
		"dev":                        {"dev", "--listen", "127.0.0.1:19181"},
		"server, on the store above": {"server", "--config", filepath.Join(dir, "bench.yaml"), "--listen", "127.0.0.1:19181"},
	}
	for _, name := range slices.Sorted(maps.Keys(commands)) {
		var took []float64
		var memory int64
		for range 9 {
			d, m, err := startOnce(exec.Command(program, commands[name]...)) //nolint:gosec // the program under measurement
			if err != nil {
				return err
			}
			took, memory = append(took, float64(d.Microseconds())/1000), m
		}
		fmt.Printf("| %s | %.0f ms (%.0f ms) | %d MiB |\n", name, median(took), slices.Min(took), memory>>20)
	}
	return nil
}

// startOnce runs cmd until it answers, and ends it.
func startOnce(cmd *exec.Cmd) (time.Duration, int64, error) {
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	s := &server{process: process{cmd: cmd, addr: "127.0.0.1:19181"}}
	defer s.stop()
	if err := s.await(); err != nil {
		return 0, 0, err
	}
	took := time.Since(begin)
	time.Sleep(300 * time.Millisecond) // let the start settle before memory is read
	memory, err := s.memory("VmRSS:")
	return took, memory, err
}
