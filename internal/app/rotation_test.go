package app

import (
	"errors"
	"slices"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/outgoing"
	"coffer/internal/rotate/database"
)

// TestTargetsAreJudgedByTheirAddress: a production server does not go to loopback
// unless it may (P5).
func TestTargetsAreJudgedByTheirAddress(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	target := &csms.DatabaseTarget{Engine: csms.PostgreSQL, Host: "localhost", Port: 1, TLSMode: csms.TLSDisable}
	engine, err := openDatabase(s.current().service, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Verify(t.Context(), "app", []byte("p")); database.CodeOf(err) != database.Unreachable || !errors.Is(err, outgoing.ErrAddress) {
		t.Errorf("%v; want %v", err, outgoing.ErrAddress)
	}
}

func TestBuiltinEngine(t *testing.T) {
	for urn, want := range map[string]csms.DatabaseEngine{
		"urn:fss:r:p:function:builtin:mysql:latest": "mysql", "urn:fss:r:p:function:default:mysql:latest": "", "": "", "urn:fss:r:p:function:builtin:mysql": "",
	} {
		if got, ok := builtinEngine(urn); got != want || ok != (want != "") {
			t.Errorf("%q: %q", urn, got)
		}
	}
	if !slices.Contains([]csms.DatabaseEngine{csms.MySQL}, family(csms.MariaDB)) || family(csms.PostgreSQL) != csms.PostgreSQL {
		t.Error("the families are mixed up")
	}
}
