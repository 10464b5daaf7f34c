package rotation

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/client"
)

// The fixed credentials of `coffer dev`.
const (
	devAccessKey = "COFFERDEVACCESSKEY01"
	devSecretKey = "cofferDevSecretKeyDoNotUseInProduction01"
	devProject   = "c0ffeec0ffeec0ffeec0ffeec0ffee00"
)

// process is a `coffer dev` that serves: its clock is held, its store is on the disk.
type process struct {
	*client.Client
	url   string
	cmd   *exec.Cmd
	logs  *logs
	ended chan struct{}
}

// serving matches the line that says where a server serves.
var serving = regexp.MustCompile(`^Coffer serves (\S+)$`)

// serve starts coffer on the store in data and returns once it serves. It ends with the
// test at the latest.
func serve(t *testing.T, data string) *process {
	t.Helper()
	p := &process{
		cmd:  exec.Command(program, "dev", "--listen", "127.0.0.1:0", "--data", data),
		logs: &logs{}, ended: make(chan struct{}),
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.logs
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	served := make(chan string, 1)
	go func() {
		defer close(p.ended)
		announce(stdout, served)
		_ = p.cmd.Wait() // the tests kill it
	}()
	t.Cleanup(p.kill)
	select {
	case p.url = <-served:
	case <-time.After(patience):
	}
	if p.url == "" {
		t.Fatalf("coffer does not serve:\n%s", p.logs)
	}
	config := client.Config{Endpoint: p.url, Timeout: patience, Now: time.Now, ProjectID: devProject, AccessKey: devAccessKey, SecretKey: devSecretKey}
	if p.Client, err = client.New(config); err != nil {
		t.Fatal(err)
	}
	return p
}

// announce sends where the server serves, or nothing if it ends before it says so.
func announce(stdout io.Reader, served chan<- string) {
	defer close(served)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if m := serving.FindStringSubmatch(lines.Text()); m != nil {
			served <- m[1]
		}
	}
}

// kill ends the process as a power cut does, except that the kernel keeps what was
// written. It is idempotent.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// call sends a request that has to succeed.
func (p *process) call(t *testing.T, method, path string, in, out any) {
	t.Helper()
	if _, err := p.Do(t.Context(), method, path, in, out); err != nil {
		t.Fatalf("%s %s: %v\n%s", method, path, err, p.logs)
	}
}

// advance moves the clock, which carries out every rotation that is due then.
func (p *process) advance(t *testing.T, by time.Duration) {
	t.Helper()
	if err := p.tryAdvance(t.Context(), by); err != nil {
		t.Fatalf("%v\n%s", err, p.logs)
	}
}

// tryAdvance is advance for a server that may be killed meanwhile.
func (p *process) tryAdvance(ctx context.Context, by time.Duration) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/dev/clock", strings.NewReader(`{"advance":"`+by.String()+`"}`))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = &client.Error{Status: resp.StatusCode, Msg: string(text)}
	}
	return err
}

// logs is what a process writes.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
