package service_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/testkit"
)

// blindDatabase is a database at which nobody can log in from here: Verify is always
// content.
type blindDatabase struct{ *database }

func (blindDatabase) Blind() bool { return true }

func (d blindDatabase) Verify(_ context.Context, r *rotate.Rotation, _ *rotate.Values) error {
	return d.call(r, "verify", func() error { return nil })
}

// RO10: the word of a blind source counts after a change alone. A secret that was
// disabled before its source was asked rotates no further; after that, the change is made
// again, so what becomes current is what the source has.
func TestABlindSource(t *testing.T) {
	for name, c := range map[string]struct {
		call  string // during which the secret is disabled
		after bool   // it was carried out all the same
		fails bool   // it has no answer
		task  string
		calls string
	}{
		"nothing happens":              {"", false, false, "db MANUAL SUCCESS at 0, attempt 1 ", "new change verify"},
		"disabled before the change":   {"new", true, false, "db MANUAL FAILED at 0, attempt 1 SECRET_NOT_ENABLED", "new"},
		"disabled, the change is lost": {"change", false, true, "db MANUAL SUCCESS at 0, attempt 2 ", "new change change verify"},
		"disabled, its answer is lost": {"change", true, true, "db MANUAL SUCCESS at 0, attempt 2 ", "new change change verify"},
		"disabled after the change":    {"change", true, false, "db MANUAL SUCCESS at 0, attempt 1 ", "new change verify"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDatabase()
			k := kitWith(t, blindDatabase{d}, "SingleUser", "app old")
			stop := func(call string) error {
				if call != c.call {
					return nil
				}
				d.before, d.after = nil, nil
				disable(t, k)
				if !c.fails {
					return nil
				}
				return &rotate.Error{Code: "TIMEOUT", Msg: "no answer", Unsure: true}
			}
			if c.after {
				d.after = stop
			} else {
				d.before = stop
			}
			if _, err := k.Service.RotateSecret(t.Context(), owner(), "db"); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if _, err := k.Service.RunTasks(t.Context()); err != nil {
					t.Fatal(err)
				}
				k.Move(10 * time.Minute)
			}
			checkTasks(t, k, c.task)
			if calls := strings.Join(d.calls, " "); calls != c.calls {
				t.Errorf("calls %s; want %s", calls, c.calls)
			}
			if _, err := k.Service.SetSecretState(t.Context(), testkit.ProjectID, "db", csms.Enabled); err != nil {
				t.Fatal(err)
			}
			if _, value, _ := strings.Cut(labels(t, k)[csms.StageCurrent], " "); !d.logsIn(value) {
				t.Errorf("SYSCURRENT %q, and the source has %v", value, d.accounts)
			}
		})
	}
}
