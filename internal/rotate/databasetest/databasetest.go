// Package databasetest is the suite that every engine of database passes.
//
// The rule that keeps it honest: it runs against a real server, and believes what the
// server lets in and what stands in its catalogue, not what the engine says.
package databasetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/password"
	"coffer/internal/rotate/database"
	"coffer/internal/rotate/servertest"
)

// Harness is one kind of server with its engine.
type Harness struct {
	Server *servertest.Server
	New    func(database.Target) (database.Engine, error)

	// Create makes an account of that name that may log in, and returns it in the words
	// of the engine.
	Create func(t *testing.T, name, password string) (account string)
	Drop   func(t *testing.T, name string)
	// Lock makes that no password lets the account in; Unlock takes it back.
	Lock, Unlock func(t *testing.T, name string)
	// State returns what the catalogue says of everything but the account of that name.
	State func(t *testing.T, name string) [][]string
	// Limited is an account that may log in and change nobody.
	Limited func(t *testing.T) database.Credential

	KeepsOld   bool     // whether the server keeps the old password beside the new one
	Hostile    []string // pieces of names: what means something to this server
	NameLength int      // the longest name in bytes
	Missing    string   // an account that does not exist
	WithoutTLS string   // argument of the server that switches TLS off
}

// The passwords of accounts. No error and no log may hold CANARY.
const (
	oldPassword = `CANARY-old-1'"\`
	newPassword = `CANARY-new-2'"\; --`
)

// engine returns an engine for the server, with the target changed as the case wants.
func (h *Harness) engine(t *testing.T, change ...func(*database.Target)) database.Engine {
	t.Helper()
	target := h.Server.Target()
	for _, c := range change {
		c(&target)
	}
	e, err := h.New(target)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Run runs the suite.
func Run(t *testing.T, h *Harness) {
	for name, test := range map[string]func(*testing.T, *Harness){
		"changes the password":                  testChange,
		"keeps the old password or does not":    testOld,
		"changes to the same password twice":    testTwice,
		"takes hostile names and passwords":     testHostile,
		"takes every password that is made":     testPolicy,
		"refuses what no server should see":     testRefused,
		"inspects without a change":             testInspect,
		"tells an unknown account":              testUnknown,
		"tells a locked account":                testLocked,
		"tells the administrator's wrong login": testAdministrator,
		"tells a missing privilege":             testPrivilege,
		"tells a host that cannot be reached":   testUnreachable,
		"goes where its dialer lets it go":      testDialer,
		"tells a host that does not answer":     testSilent,
		"gives up with its context":             testContext,
		"protects the connection as told":       testTLS,
		"asks for the administrator every time": testCredential,
		"serves many callers":                   testCallers,
		"says no password to the server's log":  testLog,
	} {
		t.Run(name, func(t *testing.T) { test(t, h) })
	}
	t.Run("outlives a crash of the server", func(t *testing.T) { testCrash(t, h) })
}

// code fails unless err has that Code ("" for none) and holds no password.
func code(t *testing.T, err error, want database.Code) {
	t.Helper()
	if got := database.CodeOf(err); got != want {
		t.Errorf("code %q: %v; want %q", got, err, want)
	}
	if err != nil && strings.Contains(err.Error(), "CANARY") {
		t.Errorf("the error holds a password: %v", err)
	}
}

// change changes a password. What will be refused, but for the password itself, is seen
// beforehand.
func change(t *testing.T, e database.Engine, account, password string, want database.Code) {
	t.Helper()
	if account != "" && want != database.PasswordPolicy {
		code(t, e.Inspect(t.Context(), account), want)
	}
	code(t, e.Change(t.Context(), account, []byte(password)), want)
}

func verify(t *testing.T, e database.Engine, account, password string, want database.Code) {
	t.Helper()
	code(t, e.Verify(t.Context(), account, []byte(password)), want)
}

func testChange(t *testing.T, h *Harness) {
	e := h.engine(t)
	account := h.Create(t, "change", oldPassword)
	verify(t, e, account, oldPassword, "")
	verify(t, e, account, newPassword, database.LoginRefused)
	before := h.State(t, "change")
	change(t, e, account, newPassword, "")
	verify(t, e, account, newPassword, "")
	if diff := cmp.Diff(before, h.State(t, "change")); diff != "" {
		t.Errorf("something else changed (-before +after):\n%s", diff)
	}
}

func testOld(t *testing.T, h *Harness) {
	e := h.engine(t)
	account := h.Create(t, "old", oldPassword)
	change(t, e, account, newPassword, "")
	kept := map[bool]database.Code{true: "", false: database.LoginRefused}[h.KeepsOld]
	verify(t, e, account, oldPassword, kept)
	change(t, e, account, "CANARY-third", "")
	verify(t, e, account, oldPassword, database.LoginRefused)
	verify(t, e, account, newPassword, kept)
	verify(t, e, account, "CANARY-third", "")
	for range 2 { // the second time there is nothing to discard
		code(t, e.Discard(t.Context(), account), "")
		verify(t, e, account, newPassword, database.LoginRefused)
		verify(t, e, account, "CANARY-third", "")
	}
}

// A reply that was lost makes a caller ask again. A server that keeps the old password
// goes on keeping it.
func testTwice(t *testing.T, h *Harness) {
	e := h.engine(t)
	account := h.Create(t, "twice", oldPassword)
	for range 3 {
		change(t, e, account, newPassword, "")
		verify(t, e, account, newPassword, "")
		verify(t, e, account, oldPassword, map[bool]database.Code{true: "", false: database.LoginRefused}[h.KeepsOld])
	}
	change(t, e, account, oldPassword, "") // back
	code(t, e.Discard(t.Context(), account), "")
	verify(t, e, account, oldPassword, "")
	verify(t, e, account, newPassword, database.LoginRefused)
}

// Passwords of every length and alphabet that are made are taken; so is the longest.
func testPolicy(t *testing.T, h *Harness) {
	e := h.engine(t)
	account := h.Create(t, "policy", oldPassword)
	for range 5 {
		made, err := password.Generate(rand.Reader, e.Policy().Rules())
		if err != nil {
			t.Fatal(err)
		}
		if len(made) != 24 || strings.ContainsAny(string(made), `'"\/ $&`) {
			t.Errorf("a password of %d characters, or with one that was not to be used", len(made))
		}
		change(t, e, account, string(made), "")
		verify(t, e, account, string(made), "")
	}
	longest := strings.Repeat("x'", e.Policy().MaxLength/2)
	change(t, e, account, longest, "")
	verify(t, e, account, longest, "")
	verify(t, e, account, longest[1:], database.LoginRefused)
}

func testRefused(t *testing.T, h *Harness) {
	e := h.engine(t)
	account := h.Create(t, "refused", oldPassword)
	for _, wrong := range []string{"", strings.Repeat("x", e.Policy().MaxLength+1), "CANARY\x00", "CANARY\n", "CANARYé", "CANARY\x7f"} {
		change(t, e, account, wrong, database.PasswordPolicy)
	}
	for _, wrong := range []string{"", "a\x00b", "\xff", strings.Repeat("n", 400)} {
		change(t, e, wrong, newPassword, database.Unknown)
		verify(t, e, wrong, newPassword, database.Unknown)
	}
	verify(t, e, account, oldPassword, "")
}

func testInspect(t *testing.T, h *Harness) {
	account := h.Create(t, "inspect", oldPassword)
	before := h.State(t, h.Missing)
	e := h.engine(t)
	code(t, e.Inspect(t.Context(), account), "")
	code(t, e.Inspect(t.Context(), ""), "")
	wrong := h.engine(t, func(t *database.Target) { t.Administrator = servertest.As(servertest.Administrator, "CANARY wrong") })
	code(t, wrong.Inspect(t.Context(), ""), database.AdminRefused)
	if diff := cmp.Diff(before, h.State(t, h.Missing)); diff != "" {
		t.Errorf("something changed (-before +after):\n%s", diff)
	}
	verify(t, e, account, oldPassword, "")
}

func testUnknown(t *testing.T, h *Harness) {
	e := h.engine(t)
	change(t, e, h.Missing, newPassword, database.Unknown)
	verify(t, e, h.Missing, newPassword, database.LoginRefused)
}

func testLocked(t *testing.T, h *Harness) {
	e := h.engine(t)
	account := h.Create(t, "locked", oldPassword)
	h.Lock(t, "locked")
	change(t, e, account, newPassword, database.Locked)
	verify(t, e, account, oldPassword, database.Locked)
	h.Unlock(t, "locked")
	verify(t, e, account, newPassword, database.LoginRefused)
	verify(t, e, account, oldPassword, "")
}

func testAdministrator(t *testing.T, h *Harness) {
	account := h.Create(t, "wrong admin", oldPassword)
	for _, user := range []string{servertest.Administrator, "nobody at all"} {
		e := h.engine(t, func(t *database.Target) { t.Administrator = servertest.As(user, "CANARY wrong") })
		change(t, e, account, newPassword, database.AdminRefused)
		verify(t, e, account, oldPassword, "")
	}
}

func testPrivilege(t *testing.T, h *Harness) {
	account := h.Create(t, "privilege", oldPassword)
	limited := h.Limited(t)
	e := h.engine(t, func(t *database.Target) { t.Administrator = servertest.As(limited.User, string(limited.Password)) })
	change(t, e, account, newPassword, database.Permission)
	verify(t, e, account, newPassword, database.LoginRefused)
	verify(t, e, account, oldPassword, "")
}

// testCredential: the administrator's password rotates too, and the engine must not
// remember the old one.
func testCredential(t *testing.T, h *Harness) {
	account := h.Create(t, "credential", oldPassword)
	current := "CANARY wrong"
	e := h.engine(t, func(t *database.Target) {
		t.Administrator = func(ctx context.Context) (database.Credential, error) {
			return servertest.As(servertest.Administrator, current)(ctx)
		}
	})
	change(t, e, account, newPassword, database.AdminRefused)
	current = servertest.Password
	change(t, e, account, newPassword, "")
	verify(t, e, account, newPassword, "")
}

func testCallers(t *testing.T, h *Harness) {
	e := h.engine(t)
	var all sync.WaitGroup
	for n := range 8 {
		account := h.Create(t, fmt.Sprint("caller ", n), oldPassword)
		all.Go(func() {
			mine := fmt.Sprint(newPassword, n)
			change(t, e, account, mine, "")
			verify(t, e, account, mine, "")
			verify(t, e, account, fmt.Sprint(newPassword, n+1), database.LoginRefused)
		})
	}
	all.Wait()
}

func testLog(t *testing.T, h *Harness) {
	e := h.engine(t)
	account := h.Create(t, "log", "another password 1'")
	change(t, e, account, newPassword, "")
	verify(t, e, account, newPassword, "")
	written := h.Server.Written(t)
	if !strings.Contains(written, "ALTER ") {
		t.Fatal("the server does not log statements; the case would prove nothing")
	}
	if strings.Contains(written, "CANARY-new") {
		t.Error("the server's log holds the new password")
	}
}

// testCrash: what Change has answered stands after a crash of the server.
func testCrash(t *testing.T, h *Harness) {
	e := h.engine(t)
	account := h.Create(t, "crash", oldPassword)
	change(t, e, account, newPassword, "")
	h.Server.Crash()
	change(t, e, account, "CANARY-third", database.Unreachable)
	verify(t, e, account, newPassword, database.Unreachable)
	h.Server.Start(t)
	verify(t, e, account, newPassword, "")
	verify(t, e, account, "CANARY-third", database.LoginRefused)
}
