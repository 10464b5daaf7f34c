package database

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"coffer/internal/password"
)

// TestPolicy protects neighbours.md 4.1 and 4.2: 24 characters, at least one of each
// type, and of the punctuation only what every database takes.
func TestPolicy(t *testing.T) {
	p := DefaultPolicy()
	for range 200 {
		made, err := password.Generate(rand.Reader, p.Rules())
		if err != nil {
			t.Fatal(err)
		}
		text := string(made)
		if len(text) != 24 || strings.ContainsAny(text, " \"$&'()./:;<>[\\]`{|}") {
			t.Fatalf("%q", text)
		}
		for _, each := range []string{"~!@#%^*-_=+?,", "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"} {
			if !strings.ContainsAny(text, each) {
				t.Fatalf("%q has none of %s", text, each)
			}
		}
		if err := p.Check(made); err != nil {
			t.Fatal(err)
		}
	}
}

func TestErrors(t *testing.T) {
	e := Errorf(Timeout, "waiting for %s: %w", "db", context.Canceled)
	if e.Error() != "waiting for db: context canceled" || !errors.Is(e, context.Canceled) || CodeOf(fmt.Errorf("changing: %w", e)) != Timeout {
		t.Errorf("%v, code %s", e, CodeOf(e))
	}
	if CodeOf(nil) != "" || CodeOf(errors.New("x")) != Failed || Errorf(Locked, "x").Unwrap() != nil {
		t.Error("an error without a code, or a code without an error")
	}
}

func TestTargetsThatCannotBeUsed(t *testing.T) {
	who := func(context.Context) (Credential, error) { return Credential{}, nil }
	good := Target{Host: "db", Administrator: who}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Target){
		"no host":          func(t *Target) { t.Host = "" },
		"no administrator": func(t *Target) { t.Administrator = nil },
		"port below":       func(t *Target) { t.Port = -1 },
		"port above":       func(t *Target) { t.Port = 65536 },
		"unknown mode":     func(t *Target) { t.TLS.Mode = "prefer" },
	} {
		bad := good
		change(&bad)
		if bad.Check() == nil {
			t.Error(name)
		}
	}
}

func TestAddress(t *testing.T) {
	for want, target := range map[string]Target{"db:5432": {Host: "db"}, "[::1]:6000": {Host: "::1", Port: 6000}} {
		if got := target.Address(5432); got != want {
			t.Errorf("%s; want %s", got, want)
		}
	}
}
