package identity

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// program is the built Coffer.
var program string

func TestMain(m *testing.M) {
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "coffer-keystone-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "coffer")
	cmd := exec.Command("go", "build", "-o", program, "./cmd/coffer")
	cmd.Dir, cmd.Env = filepath.Join("..", ".."), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building coffer: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// coffer is a running `coffer server`.
type coffer struct {
	url, project string
	token        string // of the account owner
}

var (
	serves   = regexp.MustCompile(`^Coffer serves (\S+)`)
	projects = regexp.MustCompile(`^  region .*, project (\S+)`)
	password = regexp.MustCompile(`^  password +(\S+)`)
)

// startCoffer starts a server with that part of a configuration. Whatever follows the
// address of Keystone may name the project of Coffer as PROJECT, which is known after
// a first start.
func startCoffer(t *testing.T, config string) *coffer {
	t.Helper()
	dir := t.TempDir()
	c := &coffer{}
	first := run(t, dir, "listen: 127.0.0.1:0\ntls: {off: true}\n")
	c.read(first.lines)
	ownersPassword := ""
	for _, line := range first.lines {
		if m := password.FindStringSubmatch(line); m != nil {
			ownersPassword = m[1]
		}
	}
	first.stop(t)
	second := run(t, dir, "listen: 127.0.0.1:0\ntls: {off: true}\noutgoing: {allow_networks: [127.0.0.0/8]}\n"+strings.ReplaceAll(config, "PROJECT", c.project))
	t.Cleanup(func() { second.stop(t) })
	c.read(second.lines)
	auth := map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{
			"user": map[string]any{"name": "admin", "domain": map[string]string{"name": "coffer"}, "password": ownersPassword},
		}},
		"scope": map[string]any{"project": map[string]string{"id": c.project}},
	}
	resp, body := call(t, http.MethodPost, c.url+"/v3/auth/tokens?nocatalog=true", "", map[string]any{"auth": auth})
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("login of the owner: %d %s", resp.StatusCode, body)
	}
	c.token = resp.Header.Get("X-Subject-Token")
	return c
}

func (c *coffer) read(lines []string) {
	for _, line := range lines {
		if m := serves.FindStringSubmatch(line); m != nil {
			c.url = m[1]
		}
		if m := projects.FindStringSubmatch(line); m != nil {
			c.project = m[1]
		}
	}
}

// secrets is the path of the secrets in the project.
func (c *coffer) secrets() string { return c.url + "/v1/" + c.project + "/secrets" }

// process is a server and what it printed when it started.
type process struct {
	cmd   *exec.Cmd
	lines []string
	once  sync.Once
}

func run(t *testing.T, dir, config string) *process {
	t.Helper()
	file := filepath.Join(dir, "coffer.yaml")
	if err := os.WriteFile(file, []byte("data: "+filepath.Join(dir, "data")+"\n"+config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "server", "--config", file)
	logs, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	cmd.Stderr = logs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd}
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "curl with a token") {
		p.lines = append(p.lines, lines.Text())
	}
	if len(p.lines) == 0 {
		text, _ := os.ReadFile(logs.Name())
		t.Fatalf("coffer did not start:\n%s", text)
	}
	return p
}

func (p *process) stop(t *testing.T) {
	p.once.Do(func() {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		_ = p.cmd.Wait()
	})
}
