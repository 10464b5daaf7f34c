package sealtest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/seal"
)

// absentKey has the form of a key id (N12) and names no key.
const absentKey = "00000000-0000-4000-8000-000000000000"

func defaultKeyOnce(t *testing.T, h Harness) {
	const callers = 16
	var keys [callers]seal.Key
	var errs [callers]error
	var all sync.WaitGroup
	start := make(chan struct{}) // all ask while there is no key yet
	for i := range callers {
		all.Go(func() {
			<-start
			keys[i], errs[i] = h.KMS.DefaultKey(context.Background(), h.Project)
		})
	}
	close(start)
	all.Wait()

	if err := errors.Join(errs[:]...); err != nil {
		t.Fatalf("DefaultKey: %v", err)
	}
	want := seal.Key{
		ID: keys[0].ID, Project: h.Project, Domain: h.Domain, Alias: seal.DefaultAlias,
		Spec: seal.SpecAES256, Usage: seal.UsageEncryptDecrypt, State: seal.StateEnabled,
	}
	if want.ID == "" {
		t.Fatal("default key has no id")
	}
	for i, got := range keys {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("caller %d (-want +got):\n%s", i, diff)
		}
	}
	if diff := cmp.Diff(want, describe(t, h, h.Project, want.ID)); diff != "" {
		t.Errorf("Describe of the default key (-want +got):\n%s", diff)
	}
	// A caller that lost the race must not have left a key of its own behind.
	plain, wrapped := newDataKey(t, h, keys[0], nil)
	for _, key := range keys {
		expectOpen(t, h, key, wrapped, nil, plain)
	}
}

func defaultKeyPerProject(t *testing.T, h Harness) {
	a, b := defaultKey(t, h, h.Project), defaultKey(t, h, h.Other)
	if a.ID == b.ID {
		t.Errorf("both projects have the default key %s", a.ID)
	}
	if again := defaultKey(t, h, h.Project); again != a {
		t.Errorf("default key of the project changed (-first +second):\n%s", cmp.Diff(a, again))
	}
	if made := h.CreateKey(t, h.Project); made.ID == a.ID {
		t.Errorf("CreateKey returned the default key %s", made.ID)
	}
}

func describeEveryState(t *testing.T, h Harness) {
	key := h.CreateKey(t, h.Project)
	for _, state := range []seal.State{seal.StateDisabled, seal.StatePendingDeletion, seal.StateEnabled} {
		h.SetState(t, key, state)
		want := key
		want.State = state
		if diff := cmp.Diff(want, describe(t, h, h.Project, key.ID)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", state, diff)
		}
	}
}

func unknownKey(t *testing.T, h Harness) {
	key := h.CreateKey(t, h.Project)
	_, wrapped := newDataKey(t, h, key, nil)
	for _, id := range []string{absentKey, "", "csms", key.ID + "0"} {
		expectNoKey(t, h, h.Project, id, wrapped)
	}
}

func otherProject(t *testing.T, h Harness) {
	for name, key := range map[string]seal.Key{
		"created": h.CreateKey(t, h.Project),
		"default": defaultKey(t, h, h.Project),
	} {
		t.Run(name, func(t *testing.T) {
			_, wrapped := newDataKey(t, h, key, nil)
			expectNoKey(t, h, h.Other, key.ID, wrapped)
		})
	}
}

func stateCase(state seal.State, want error) func(*testing.T, Harness) {
	return func(t *testing.T, h Harness) {
		key := h.CreateKey(t, h.Project)
		plain, wrapped := newDataKey(t, h, key, nil)
		h.SetState(t, key, state)
		now := describe(t, h, h.Project, key.ID)
		expectErr(t, "Usable", now.Usable(), want)
		expectErr(t, "NewDataKey", makeDataKey(h, now), want)
		expectErr(t, "OpenDataKey", openDataKey(h, h.Project, key.ID, wrapped), want)

		h.SetState(t, key, seal.StateEnabled)
		expectOpen(t, h, key, wrapped, nil, plain)
		newDataKey(t, h, key, nil)
	}
}

func staleDescription(t *testing.T, h Harness) {
	enabled := h.CreateKey(t, h.Project)
	_, wrapped := newDataKey(t, h, enabled, nil)
	// Opened once before, so that an engine with a cache has it there.
	if err := openDataKey(h, h.Project, enabled.ID, wrapped); err != nil {
		t.Fatalf("OpenDataKey: %v", err)
	}
	h.SetState(t, enabled, seal.StateDisabled)
	disabled := describe(t, h, h.Project, enabled.ID)
	expectErr(t, "NewDataKey with the old description", makeDataKey(h, enabled), seal.ErrKeyDisabled)
	expectErr(t, "OpenDataKey", openDataKey(h, h.Project, enabled.ID, wrapped), seal.ErrKeyDisabled)

	h.SetState(t, enabled, seal.StateEnabled)
	if err := makeDataKey(h, disabled); err != nil {
		t.Errorf("NewDataKey with the description from before it was enabled: %v", err)
	}
}

func asymmetric(t *testing.T, h Harness) {
	key := h.CreateAsymmetric(t, h.Project)
	_, wrapped := newDataKey(t, h, h.CreateKey(t, h.Project), nil)
	expectErr(t, "Usable", describe(t, h, h.Project, key.ID).Usable(), seal.ErrKeyUsage)
	expectErr(t, "NewDataKey", makeDataKey(h, key), seal.ErrKeyUsage)
	expectErr(t, "OpenDataKey", openDataKey(h, h.Project, key.ID, wrapped), seal.ErrKeyUsage)
}
