package rotate_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"coffer/internal/csms"
	"coffer/internal/rotate"
)

// RO8, neighbours.md P4: what a user sees of a failure is its code and message, and of one
// that has none neither text nor cause.
func TestExplain(t *testing.T) {
	known := rotate.Failf("LOGIN_REFUSED", "the login of %s was refused", "app")
	for _, c := range []struct {
		err  error
		want rotate.Error
	}{
		{fmt.Errorf("changing: %w", known), rotate.Error{Code: "LOGIN_REFUSED", Msg: "the login of app was refused"}},
		{rotate.Finalf("X", "y"), rotate.Error{Code: "X", Msg: "y", Final: true}},
		{csms.Errorf(csms.CodeKey, "key"), rotate.Error{Code: "CSMS.0401", Msg: "key"}},
		{errors.New("secret text"), rotate.Error{Code: rotate.CodeFailed, Msg: "The rotation failed; the log of the server has the cause.", Unsure: true}},
	} {
		if diff := cmp.Diff(&c.want, rotate.Explain(c.err), cmpopts.IgnoreFields(rotate.Error{}, "Err")); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.err, diff)
		}
		if !errors.Is(rotate.Explain(c.err), c.err) && !errors.Is(c.err, rotate.Explain(c.err)) {
			t.Errorf("%v: the cause is lost", c.err)
		}
	}
}

// With no engines at all, nothing is bound.
func TestNothingIsBoundToNil(t *testing.T) {
	for urn, want := range map[string]rotate.Code{"urn": rotate.CodeFunctionNotFound, "": rotate.CodeTargetNotFound} {
		_, err := rotate.Engines(nil).For(t.Context(), &rotate.Rotation{FuncURN: urn})
		if e := rotate.Explain(err); e.Code != want || !e.Final {
			t.Errorf("urn %q: %v", urn, err)
		}
	}
}

func TestATryHasOneIdempotencyKey(t *testing.T) {
	r := rotate.Rotation{TaskID: "t", Attempt: 2}
	if got := r.IdempotencyKey(); got != "t:2" {
		t.Errorf("key %s", got)
	}
}
