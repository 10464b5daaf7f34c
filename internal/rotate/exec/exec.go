// Package exec rotates secrets through a program of this host: one JSON document on its
// standard input, the request that a function gets by HTTP (neighbours.md 3.3 and 3.4).
//
// The rule that keeps it honest: the configuration alone says which program runs, with
// which arguments and environment. No shell is between, nothing of a secret or a request
// becomes an argument or a variable, and nothing of the program outlives its call.
package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"coffer/internal/rotate"
	"coffer/internal/rotate/function"
)

// The codes of this engine. A program may answer with codes of its own.
const (
	CodeNotRun  rotate.Code = "PROGRAM_NOT_RUN" // it could not be started
	CodeTimeout rotate.Code = "PROGRAM_TIMEOUT" // it was killed at its deadline
	CodeFailed  rotate.Code = "PROGRAM_FAILED"  // it failed, with no code that can be shown
)

// Bounds of a run.
const (
	Timeout     = function.Timeout
	OutputLimit = 64 << 10        // bytes of standard output
	settleTime  = 2 * time.Second // for the output to end after the program has
)

// Options of an engine. Path is required.
type Options struct {
	Path        string        // absolute
	Args        []string      // after the name of the program
	Environment []string      // KEY=VALUE, beside PATH and LANG
	Timeout     time.Duration // 0 for the constant
	Endpoint    string        // where the program reaches Coffer

	// Credential makes the key for one run; nil for a program that has a key of its own.
	Credential func(ctx context.Context, r *rotate.Rotation) (*function.Credential, error)
}

// Program is a rotate.Engine that stores by itself.
type Program struct{ o Options }

// New returns the program of o. It refuses one that others than its owner could replace.
func New(o Options) (*Program, error) {
	if !filepath.IsAbs(o.Path) || filepath.Clean(o.Path) != o.Path {
		return nil, errors.New("exec: the path of a program must be absolute, without . and ..")
	}
	if err := check(o.Path); err != nil {
		return nil, err
	}
	if o.Timeout <= 0 {
		o.Timeout = Timeout
	}
	o.Args = slices.Clone(o.Args)
	o.Environment = append([]string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"}, o.Environment...)
	return &Program{o}, nil
}

// check reports a file that is no program, or that its group or everybody may write.
func check(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("exec: looking at the program: %w", err)
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular() || mode.Perm()&0o111 == 0:
		return fmt.Errorf("exec: %s is no file that can be executed", path)
	case mode.Perm()&0o022 != 0:
		return fmt.Errorf("exec: %s has mode %04o; group and others must not be able to write it", path, mode.Perm())
	}
	return nil
}

// Change runs the program and returns when it has ended. It succeeds with status 0 and
// no error in its answer. A program must take the same idempotency key twice.
func (p *Program) Change(ctx context.Context, r *rotate.Rotation, _ *rotate.Values) error {
	if err := check(p.o.Path); err != nil {
		return &rotate.Error{Code: CodeNotRun, Msg: "The program " + p.o.Path + " cannot be run as it is.", Err: err}
	}
	var key *function.Credential
	if p.o.Credential != nil {
		var err error
		if key, err = p.o.Credential(ctx, r); err != nil {
			return fmt.Errorf("exec: making the key: %w", err)
		}
	}
	request, err := function.Request(r, p.o.Endpoint, key)
	if err != nil {
		return err
	}
	defer clear(request)
	bounded, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	answer, err := p.run(bounded, request)
	if err := p.ended(ctx, bounded, answer, err); err != nil {
		return err
	}
	return p.judge(answer, err, key)
}

// run runs the program in a process group of its own, and ends whatever is left of it.
func (p *Program) run(ctx context.Context, request []byte) (*output, error) {
	cmd := exec.CommandContext(ctx, p.o.Path, p.o.Args...) //nolint:gosec // the configuration names it
	cmd.Env, cmd.Dir = p.o.Environment, "/"
	answer := &output{}
	cmd.Stdin, cmd.Stdout = bytes.NewReader(request), answer
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = settleTime
	err := cmd.Start()
	if err != nil {
		return answer, err
	}
	err = cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // fails where nothing is left, as it should be
	return answer, err
}

// ended returns the failure of a run that says nothing about the work of the program.
func (p *Program) ended(ctx, bounded context.Context, answer *output, err error) error {
	var status *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // the server stops
	case bounded.Err() != nil:
		return rotate.Failf(CodeTimeout, "The program %s was killed after %s.", p.o.Path, p.o.Timeout)
	case errors.Is(err, exec.ErrWaitDelay):
		return rotate.Failf(CodeFailed, "The program %s has ended and left a process behind that holds its output.", p.o.Path)
	case err != nil && !errors.As(err, &status) && !errors.Is(err, syscall.EPIPE):
		return &rotate.Error{Code: CodeNotRun, Msg: "The program " + p.o.Path + " cannot be run.", Err: err}
	case answer.over:
		return rotate.Failf(CodeFailed, "The program %s wrote more than %d bytes.", p.o.Path, OutputLimit)
	}
	return nil
}

// judge returns the failure that the program tells by its status or its answer.
func (p *Program) judge(answer *output, err error, key *function.Credential) error {
	said := function.Read(answer.kept, key)
	var status *exec.ExitError
	failed := errors.As(err, &status)
	if !failed && !said.Failed {
		return nil
	}
	if said.Code == function.CodeFailed {
		said.Code = CodeFailed
	}
	if said.Msg == "" && failed {
		said.Msg = fmt.Sprintf("The program %s ended with %s.", p.o.Path, status.ProcessState)
	} else if said.Msg == "" {
		said.Msg = "The program " + p.o.Path + " says that it failed."
	}
	return rotate.Failf(said.Code, "%s", said.Msg)
}

// output keeps OutputLimit bytes and forgets the rest, so that the program is not stopped
// by a full pipe.
type output struct {
	kept []byte
	over bool
}

// Write never fails.
func (o *output) Write(b []byte) (int, error) {
	room := min(len(b), OutputLimit-len(o.kept))
	o.kept = append(o.kept, b[:room]...)
	o.over = o.over || room < len(b)
	return len(b), nil
}
