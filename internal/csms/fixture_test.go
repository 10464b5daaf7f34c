package csms_test

import (
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
)

const (
	start  csms.Millis = 1_700_000_000_000 // every secret of the tests is made then; a whole second
	second csms.Millis = 1000
	day    csms.Millis = 86_400_000
)

func ptr[T any](v T) *T { return &v }

func creation() csms.Creation {
	return csms.Creation{
		ID: "11111111-2222-3333-4444-555555555555", DomainID: "domain", ProjectID: "project",
		Name: "db", KMSKeyID: "key-1", Description: "of the shop", Kind: csms.Text,
	}
}

func newSecret() *csms.Secret { return csms.New(creation(), start) }

// step is one operation, carried out as the service does: what is wrong with the
// request by itself first, then the rule (S7).
type step func(s *csms.Secret, now csms.Millis) error

// firstOf returns the first error.
func firstOf(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func create(stages ...string) step { return createExpiring(0, stages...) }

func createExpiring(expire csms.Millis, stages ...string) step {
	return func(s *csms.Secret, now csms.Millis) error {
		n := csms.NewVersion{Kind: csms.Text, KMSKeyID: s.KMSKeyID, Stages: stages, ExpireTime: expire}
		if err := n.Validate(now); err != nil {
			return err
		}
		_, _, err := s.AddVersion(n, now)
		return err
	}
}

func move(label, id string) step {
	return func(s *csms.Secret, now csms.Millis) error {
		return firstOf(
			func() error { return csms.CheckStageName(label) },
			func() error { return csms.CheckVersionID(id) },
			func() error { _, err := s.MoveStage(label, id, now); return err },
		)
	}
}

func remove(label string) step {
	return func(s *csms.Secret, _ csms.Millis) error {
		return firstOf(
			func() error { return csms.CheckStageName(label) },
			func() error { return s.RemoveStage(label) },
		)
	}
}

func setExpiry(id string, expire csms.Millis) step {
	return func(s *csms.Secret, now csms.Millis) error {
		return firstOf(
			func() error { return csms.CheckVersionPath(id) },
			func() error { _, err := s.SetExpiry(id, expire, now); return err },
		)
	}
}

func update(p csms.Patch) step {
	return func(s *csms.Secret, now csms.Millis) error {
		return firstOf(p.Validate, func() error { return s.Update(p, now) })
	}
}

func schedule(days int) step {
	return func(s *csms.Secret, now csms.Millis) error {
		return firstOf(
			func() error { return csms.CheckRecoveryDays(days) },
			func() error { return s.Schedule(days, now) },
		)
	}
}

func restore() step {
	return func(s *csms.Secret, now csms.Millis) error { return s.Restore(now) }
}

func switchTo(state csms.State) step {
	return func(s *csms.Secret, now csms.Millis) error { return s.SetState(state, now) }
}

// live carries out steps one second apart, the first a second after start; each must
// succeed.
func live(t *testing.T, s *csms.Secret, steps ...step) {
	t.Helper()
	for i, do := range steps {
		if err := do(s, start+csms.Millis(i+1)*second); err != nil {
			t.Fatalf("step %d: %v", i+1, err)
		}
	}
}

// refuses checks that do is refused with code, in words a client can take, and that
// it has changed nothing.
func refuses(t *testing.T, s *csms.Secret, do step, now csms.Millis, code csms.Code) {
	t.Helper()
	before := s.Clone()
	wantCode(t, do(s, now), code)
	if diff := cmp.Diff(s, before); diff != "" {
		t.Errorf("the refused operation changed the secret (-got +want):\n%s", diff)
	}
}

// wantCode checks the code of err, and that its message has the length that clients
// are promised (ER3).
func wantCode(t *testing.T, err error, code csms.Code) {
	t.Helper()
	if got := csms.CodeOf(err); got != code {
		t.Fatalf("got %q (%v), want %q", got, err, code)
	}
	if msg := badMessage(err); msg != "" {
		t.Error(msg)
	}
}

// badMessage tells what is wrong with the text of err for a flat error body, which
// takes 2 to 512 characters (ER3).
func badMessage(err error) string {
	e, ok := err.(*csms.Error)
	if err == nil || ok && utf8.RuneCountInString(e.Msg) >= 2 && utf8.RuneCountInString(e.Msg) <= 512 {
		return ""
	}
	return fmt.Sprintf("the error %v has no message of 2 to 512 characters", err)
}

// labelsOf returns the version of every label.
func labelsOf(s *csms.Secret) map[string]string {
	labels := map[string]string{}
	for _, st := range s.Stages {
		labels[st.Name] = csms.VersionID(st.Version)
	}
	return labels
}

// idsOf returns the ids of the kept versions in the order of the record.
func idsOf(s *csms.Secret) []string {
	ids := []string{}
	for i := range s.Versions {
		ids = append(ids, s.Versions[i].ID())
	}
	return ids
}

// plain returns n plain creations.
func plain(n int) []step {
	steps := make([]step, n)
	for i := range steps {
		steps[i] = create()
	}
	return steps
}

// names returns n label names: l1, l2 ...
func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("l%d", i+1)
	}
	return list
}

// labels returns steps that put the labels l1 to ln on v1.
func labels(n int) []step {
	steps := make([]step, n)
	for i, name := range names(n) {
		steps[i] = move(name, "v1")
	}
	return steps
}
