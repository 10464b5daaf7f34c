package exec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/rotate/function"
)

var rotation = &rotate.Rotation{
	TaskID: "t1", Attempt: 2, OperateType: csms.OperateManual, SecretID: "s1", SecretName: "$(touch /tmp/x); db", SecretType: csms.RDSFG, CurrentVersion: "v3",
}

// program returns an engine for a script, and the folder it lies in.
func program(t *testing.T, script string, change ...func(*Options)) (*Program, string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "rotate")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	o := Options{Path: path, Args: []string{dir, "a b;c"}, Environment: []string{"WHERE=" + dir}, Endpoint: "https://coffer.example.org", Timeout: time.Minute}
	for _, c := range change {
		c(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p, dir
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// neighbours.md 3.3, 3.4: the request comes on standard input; arguments and environment
// are those of the configuration and nothing else.
func TestTheProgramIsGivenTheRequest(t *testing.T) {
	t.Setenv("COFFER_CANARY", "CANARY")
	p, dir := program(t, `cat > "$WHERE/stdin"; env > "$WHERE/env"; printf '%s|' "$@" > "$WHERE/args"; pwd > "$WHERE/pwd"; echo '{"version_id":"v4"}'`)
	p.o.Credential = func(context.Context, *rotate.Rotation) (*function.Credential, error) {
		return &function.Credential{Access: "A", Secret: "S", SecurityToken: "T", ExpiresAt: "E"}, nil
	}
	if err := p.Change(t.Context(), rotation, nil); err != nil {
		t.Fatal(err)
	}
	want, err := function.Request(rotation, "https://coffer.example.org", &function.Credential{Access: "A", Secret: "S", SecurityToken: "T", ExpiresAt: "E"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), read(t, filepath.Join(dir, "stdin"))); diff != "" {
		t.Errorf("stdin (-want +got):\n%s", diff)
	}
	if got := read(t, filepath.Join(dir, "args")); got != dir+"|a b;c|" {
		t.Errorf("arguments %q", got)
	}
	env := read(t, filepath.Join(dir, "env"))
	for _, line := range strings.Split(strings.TrimSpace(env), "\n") {
		name, _, _ := strings.Cut(line, "=")
		if !strings.Contains(" PATH LANG WHERE PWD OLDPWD SHLVL _ ", " "+name+" ") {
			t.Errorf("environment: %s", line)
		}
	}
	if !strings.Contains(env, "WHERE="+dir) || read(t, filepath.Join(dir, "pwd")) != "/\n" {
		t.Errorf("environment %s", env)
	}
}

// A program fails by its status, its answer, or by what it writes.
func TestFailures(t *testing.T) {
	for script, want := range map[string]rotate.Error{
		`exit 3`: {Code: CodeFailed, Msg: "The program PATH ended with exit status 3."},
		`echo '{"error_code":"DB.1","error_msg":"login refused"}'; exit 1`:  {Code: "DB.1", Msg: "login refused"},
		`echo '{"error_code":"DB.1","error_msg":"login refused"}'`:          {Code: "DB.1", Msg: "login refused"},
		`echo '{"error_code":"not a code"}'`:                                {Code: CodeFailed, Msg: "The program PATH says that it failed."},
		`echo CANARY; echo CANARY >&2; exit 1`:                              {Code: CodeFailed, Msg: "The program PATH ended with exit status 1."},
		`printf '%s' '{"error_msg":"key SECRET of T0KEN\tis bad"}'; exit 1`: {Code: CodeFailed, Msg: "key *** of *** is bad"},
		`kill -9 $$`:                            {Code: CodeFailed, Msg: "The program PATH ended with signal: killed."},
		`head -c 70000 /dev/zero`:               {Code: CodeFailed, Msg: "The program PATH wrote more than 65536 bytes."},
		`head -c 9999999 /dev/zero >&2; exit 1`: {Code: CodeFailed, Msg: "The program PATH ended with exit status 1."},
	} {
		p, _ := program(t, script)
		p.o.Credential = func(context.Context, *rotate.Rotation) (*function.Credential, error) {
			return &function.Credential{Secret: "SECRET", SecurityToken: "T0KEN"}, nil
		}
		want.Msg = strings.ReplaceAll(want.Msg, "PATH", p.o.Path)
		if diff := cmp.Diff(&want, rotate.Explain(p.Change(t.Context(), rotation, nil))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", script, diff)
		}
	}
}

// A program that reads nothing, however long the request, has not failed.
func TestAProgramNeedNotRead(t *testing.T) {
	long := *rotation
	long.Config = strings.Repeat("x", 1<<20)
	p, _ := program(t, `exec <&-; exit 0`)
	if err := p.Change(t.Context(), &long, nil); err != nil {
		t.Error(err)
	}
}

// gone waits until a process has ended.
func gone(t *testing.T, text string) {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	limit := time.After(10 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		select {
		case <-limit:
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("process %d still runs", pid)
		case <-tick.C:
		}
	}
}

// At the deadline the program is killed with whatever it has started, and after its own
// end nothing of it stays.
func TestNothingOutlivesTheCall(t *testing.T) {
	p, dir := program(t, `sleep 600 & echo $! > "$1/child"; wait`, func(o *Options) { o.Timeout = 500 * time.Millisecond })
	began := time.Now()
	e := rotate.Explain(p.Change(t.Context(), rotation, nil))
	if e.Code != CodeTimeout || e.Final || time.Since(began) > 30*time.Second {
		t.Errorf("failure %+v after %s", e, time.Since(began))
	}
	gone(t, read(t, filepath.Join(dir, "child")))

	p, dir = program(t, `sleep 600 >/dev/null 2>&1 & echo $! > "$1/child"`)
	if err := p.Change(t.Context(), rotation, nil); err != nil {
		t.Error(err)
	}
	gone(t, read(t, filepath.Join(dir, "child")))

	p, dir = program(t, `sleep 600 & echo $! > "$1/child"`) // which holds the output open
	if e := rotate.Explain(p.Change(t.Context(), rotation, nil)); e.Code != CodeFailed || !strings.Contains(e.Msg, "left a process behind") {
		t.Errorf("failure %+v", e)
	}
	gone(t, read(t, filepath.Join(dir, "child")))

	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Change(stopped, rotation, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a server that stops: %v", err)
	}
}

func TestProgramsThatAreRefused(t *testing.T) {
	p, dir := program(t, "exit 0")
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "rotate", "./rotate", dir + "/../" + filepath.Base(dir) + "/rotate", dir, plain, filepath.Join(dir, "none")} {
		if _, err := New(Options{Path: path}); err == nil {
			t.Errorf("%q is taken", path)
		}
	}
	if err := os.Chmod(p.o.Path, 0o772); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Path: p.o.Path}); err == nil {
		t.Error("a program that others may write is taken")
	}
	if e := rotate.Explain(p.Change(t.Context(), rotation, nil)); e.Code != CodeNotRun {
		t.Errorf("a program that became writable: %+v", e)
	}
	if err := os.Remove(p.o.Path); err != nil {
		t.Fatal(err)
	}
	if e := rotate.Explain(p.Change(t.Context(), rotation, nil)); e.Code != CodeNotRun {
		t.Errorf("a program that is gone: %+v", e)
	}
	broken, _ := program(t, "exit 0", func(o *Options) {
		o.Credential = func(context.Context, *rotate.Rotation) (*function.Credential, error) { return nil, os.ErrClosed }
	})
	if err := broken.Change(t.Context(), rotation, nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("without a key: %v", err)
	}
}
