package crash

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"coffer/internal/client"
)

// patience is how long anything may take before a test gives up. It is no
// measurement: the machine may be slow and busy.
const patience = 3 * time.Minute

// account is what a starting server prints of itself.
type account struct {
	project   string
	user      string
	password  string
	accessKey string
	secretKey string
}

// The fixed credentials of `coffer dev`.
var devAccount = account{
	project: "c0ffeec0ffeec0ffeec0ffeec0ffee00", user: "dev", password: "dev-Passw0rd",
	accessKey: "COFFERDEVACCESSKEY01", secretKey: "cofferDevSecretKeyDoNotUseInProduction01",
}

// process is a coffer that serves, or is about to.
type process struct {
	cmd    *exec.Cmd
	logs   *logFile
	out    *output
	served chan struct{} // closed once it has printed where it serves, or has ended
	ended  chan struct{} // closed once it has ended, and exit is set
	exit   int           // exit code; -1 for a process that was killed
}

// launch starts coffer with args and does not wait for anything. Its log goes to the
// file logs. The process ends with the test at the latest.
func launch(t *testing.T, logs string, args ...string) *process {
	t.Helper()
	p := &process{
		cmd: exec.Command(program, args...), logs: openLog(t, logs), out: &output{},
		served: make(chan struct{}), ended: make(chan struct{}),
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.logs
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		p.out.read(stdout, p.served)
		_ = p.cmd.Wait() // the exit code says it
		p.exit = p.cmd.ProcessState.ExitCode()
		p.logs.close()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	return p
}

// serve starts coffer with args and returns once it serves.
func serve(t *testing.T, logs string, args ...string) *process {
	t.Helper()
	p := launch(t, logs, args...)
	p.await(t, p.served, "the server to start")
	if p.url() == "" {
		p.await(t, p.ended, "the server to end")
		t.Fatalf("coffer %s ended with %d before it served:\n%s", strings.Join(args, " "), p.exit, p.logs.text())
	}
	return p
}

// await waits for an event, which must come.
func (p *process) await(t *testing.T, event <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(patience):
		t.Fatalf("waited %s for %s; the log ends with:\n%s", patience, what, p.logs.tail())
	}
}

// signal sends sig; a process that has ended already does not mind.
func (p *process) signal(sig os.Signal) { _ = p.cmd.Process.Signal(sig) }

// kill ends the process as a power cut does, except that the kernel keeps what was
// written.
func (p *process) kill(t *testing.T) {
	t.Helper()
	p.signal(syscall.SIGKILL)
	p.await(t, p.ended, "the killed server to end")
}

// stop ends the process in good order, with exit code 0.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.signal(syscall.SIGTERM)
	p.wantExit(t, 0)
}

// wantExit waits for the end of the process and demands its exit code.
func (p *process) wantExit(t *testing.T, code int) {
	t.Helper()
	p.await(t, p.ended, "the server to end")
	if p.exit != code {
		t.Errorf("the server ended with %d, want %d; the log ends with:\n%s", p.exit, code, p.logs.tail())
	}
}

// url is where the process serves, "" if it has not said so.
func (p *process) url() string { return p.out.find(`(?m)^Coffer serves (\S+)$`) }

// account is what the process has printed of itself: the credentials on the first
// start only.
func (p *process) account() account {
	a := account{project: p.out.find(`(?m)^  region .*, project (\S+)$`)}
	if !strings.Contains(p.out.text(), "First start.") {
		return a
	}
	a.user, a.password = p.out.find(`(?m)^  user        (\S+)$`), p.out.find(`(?m)^  password    (\S+)$`)
	a.accessKey, a.secretKey = p.out.find(`(?m)^  access key  (\S+)$`), p.out.find(`(?m)^  secret key  (\S+)$`)
	return a
}

// client returns a client of the process that signs as a.
func (p *process) client(t *testing.T, a account) *client.Client {
	t.Helper()
	return p.connect(t, client.Config{ProjectID: a.project, AccessKey: a.accessKey, SecretKey: a.secretKey})
}

func (p *process) connect(t *testing.T, c client.Config) *client.Client {
	t.Helper()
	c.Endpoint, c.Timeout, c.Now = p.url(), patience, time.Now
	cl, err := client.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

// output is what a process prints.
type output struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// lastOfWelcome is printed once everything is that a test needs.
const lastOfWelcome = "Command line:"

func (o *output) read(from io.Reader, served chan<- struct{}) {
	signal := sync.OnceFunc(func() { close(served) })
	defer signal()
	for lines := bufio.NewScanner(from); lines.Scan(); {
		o.mu.Lock()
		fmt.Fprintln(&o.all, lines.Text())
		o.mu.Unlock()
		if lines.Text() == lastOfWelcome {
			signal()
		}
	}
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

func (o *output) find(pattern string) string {
	if m := regexp.MustCompile(pattern).FindStringSubmatch(o.text()); m != nil {
		return m[1]
	}
	return ""
}

// logFile receives the log of a process: the exec package copies it here through a
// pipe, so that nothing is lost when the process dies.
type logFile struct {
	path string

	mu      sync.Mutex
	file    *os.File
	seen    bytes.Buffer // what came since the file was opened
	watched map[string]chan struct{}
}

func openLog(t *testing.T, path string) *logFile {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return &logFile{path: path, file: file, watched: map[string]chan struct{}{}}
}

// Write adds to the log and tells who waits for something in it.
func (l *logFile) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen.Write(b)
	for text, found := range l.watched {
		if bytes.Contains(l.seen.Bytes(), []byte(text)) {
			close(found)
			delete(l.watched, text)
		}
	}
	return l.file.Write(b)
}

// watch returns a channel that is closed once text stands in the log.
func (l *logFile) watch(text string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := make(chan struct{})
	if bytes.Contains(l.seen.Bytes(), []byte(text)) {
		close(found)
		return found
	}
	l.watched[text] = found
	return found
}

func (l *logFile) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen.String()
}

// tail returns the end of the log, for a message.
func (l *logFile) tail() string {
	text := l.text()
	return text[max(0, len(text)-4000):]
}

func (l *logFile) close() { _ = l.file.Close() }

// run runs coffer to its end and returns its exit code and what it printed.
func run(t *testing.T, args ...string) (exit int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// wantWhole demands that the store of a stopped server verifies clean.
func wantWhole(t *testing.T, data string) {
	t.Helper()
	exit, stdout, stderr := run(t, "admin", "verify", "--data", data)
	if exit != 0 || stdout != "The store is whole.\n" {
		t.Fatalf("coffer admin verify ended with %d and found:\n%s%s", exit, stdout, stderr)
	}
}

// writeConfig writes a configuration for a server over plain HTTP on a free port of
// the loopback, with lines of YAML on top, and returns its path.
func writeConfig(t *testing.T, dir, data, more string) string {
	t.Helper()
	path := filepath.Join(dir, "coffer.yaml")
	text := fmt.Sprintf("listen: 127.0.0.1:0\ndata: %s\ntls: {off: true}\n%s", data, more)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
