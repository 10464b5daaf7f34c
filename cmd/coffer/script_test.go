package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"coffer/internal/app"
	"coffer/internal/client"
)

var update = flag.Bool("update", false, "rewrite golden files and documents")

// TestMain lets a script run the commands of this package as the program coffer.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"coffer": main})
}

// TestScripts runs testdata/script/*.txtar, each against a dev server of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               startDev,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"jsonenv": jsonEnv,
			"serve":   serve,
			"stop":    stop,
			"project": makeProject,
			"proxy":   proxy,
		},
	})
}

// startDev starts `coffer dev` in this process, and points the command line at it.
func startDev(env *testscript.Env) error {
	ctx, cancel := context.WithCancel(context.Background())
	d := app.DefaultDevConfig()
	d.Listen = "127.0.0.1:0"
	s, err := app.NewDev(ctx, d, io.Discard)
	if err != nil {
		cancel()
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	env.Defer(func() {
		cancel()
		if err := <-ended; err != nil {
			env.T().Log("dev server:", err)
		}
	})
	env.Setenv("COFFER_ENDPOINT", s.URL())
	env.Setenv("COFFER_PROJECT_ID", d.ProjectID)
	env.Setenv("COFFER_ACCESS_KEY", d.AccessKey)
	env.Setenv("COFFER_SECRET_KEY", d.SecretKey)
	env.Setenv("GORACE", "atexit_sleep_ms=0") // with the race detector each command would sleep for a second
	env.Values[serverKey{}] = &server{}
	return nil
}

// exits runs a program that has to end with an exit code: exits CODE PROGRAM ARG...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	failed := (*exec.ExitError)(nil)
	switch {
	case err == nil && want != 0:
		ts.Fatalf("%s: exit code 0, want %d", args[1], want)
	case err != nil && !errors.As(err, &failed):
		ts.Fatalf("%s: %v", args[1], err)
	case err != nil && failed.ExitCode() != want:
		ts.Fatalf("%s: exit code %d, want %d", args[1], failed.ExitCode(), want)
	}
}

// jsonEnv sets an environment variable to a text in a JSON file: jsonenv NAME FILE
// MEMBER...
func jsonEnv(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: jsonenv NAME FILE MEMBER...")
	}
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &v))
	for _, member := range args[2:] {
		object, _ := v.(map[string]any)
		v = object[member]
	}
	text, ok := v.(string)
	if !ok {
		ts.Fatalf("%s holds no text at %q", args[1], args[2:])
	}
	ts.Setenv(args[0], text)
}

// server is a `coffer server` or `coffer dev` that a script has started.
type server struct {
	cmd  *exec.Cmd
	logs bytes.Buffer
}

type serverKey struct{}

// serve starts a server and waits until it has told where it is: serve OUTPUT ARG...
// What it prints is in the file OUTPUT.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: serve OUTPUT ARG...")
	}
	s := ts.Value(serverKey{}).(*server)
	s.cmd = exec.Command("coffer", args[1:]...)
	s.cmd.Dir, s.cmd.Stderr, s.cmd.Env = ts.MkAbs("."), &s.logs, append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	out, err := s.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	ts.Defer(func() {
		if s.cmd != nil {
			_ = s.cmd.Process.Kill()
		}
	})
	var text strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Fprintln(&text, lines.Text())
		name, value, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "Coffer "), " ")
		if name == "serves" {
			ts.Setenv("COFFER_ENDPOINT", value)
		}
		if strings.HasPrefix(lines.Text(), "  curl ") { // the last line
			break
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text.String()), 0o600))
	if !strings.Contains(text.String(), "  curl ") {
		_ = s.cmd.Wait()
		ts.Fatalf("coffer %s did not start:\n%s", args[1:], s.logs.String())
	}
}

// stop ends the server that serve started, as an operator would: stop [CODE]. With
// -kill it ends as in a crash.
func stop(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value(serverKey{}).(*server)
	signal := syscall.SIGTERM
	if len(args) > 0 && args[0] == "-kill" {
		signal = syscall.SIGKILL
	}
	ts.Check(s.cmd.Process.Signal(signal))
	err := s.cmd.Wait()
	if signal == syscall.SIGTERM && err != nil {
		ts.Fatalf("the server ended with %v\n%s", err, s.logs.String())
	}
	s.cmd = nil
}

// makeProject makes a further project, as the account owner: project NAME.
func makeProject(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: project NAME")
	}
	cl, err := client.New(client.Config{
		Endpoint: ts.Getenv("COFFER_ENDPOINT"), AccessKey: ts.Getenv("COFFER_ACCESS_KEY"), SecretKey: ts.Getenv("COFFER_SECRET_KEY"), Now: time.Now,
	})
	ts.Check(err)
	in := map[string]any{"project": map[string]string{"name": args[0]}}
	var answer struct {
		Project struct {
			ID string `json:"id"`
		} `json:"project"`
	}
	_, err = cl.Do(context.Background(), "POST", "/v3/projects", in, &answer)
	ts.Check(err)
	ts.Setenv("PROJECT", answer.Project.ID)
}

// proxy puts a proxy before the server that rewrites the Host header: proxy NAME.
// COFFER_ENDPOINT is that of the proxy afterwards.
func proxy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: proxy NAME")
	}
	target, err := url.Parse(ts.Getenv("COFFER_ENDPOINT"))
	ts.Check(err)
	p := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = args[0]
	}})
	ts.Defer(p.Close)
	ts.Setenv("COFFER_ENDPOINT", p.URL)
}
