package csms

import "testing"

// E2: only an ENABLED event fires, and only what it lists.
func TestFires(t *testing.T) {
	e := Event{State: Enabled, Types: []EventType{SecretRotated, VersionExpired}}
	for _, kind := range eventTypes {
		if got, want := e.Fires(kind), kind == SecretRotated || kind == VersionExpired; got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
	e.State = Disabled
	for _, kind := range eventTypes {
		if e.Fires(kind) {
			t.Errorf("a DISABLED event fires %s", kind)
		}
	}
}

// E6, N15: a patch changes what it has, and an empty one nothing.
func TestEventUpdate(t *testing.T) {
	e := Event{State: Enabled, Types: []EventType{SecretRotated}, UpdateTime: 1}
	e.Update(EventPatch{}, 2)
	if e.UpdateTime != 1 {
		t.Errorf("an empty patch sets update_time to %d", e.UpdateTime)
	}
	off := Disabled
	e.Update(EventPatch{State: &off}, 3)
	if e.State != Disabled || len(e.Types) != 1 || e.UpdateTime != 3 {
		t.Errorf("after a patch of the state: %+v", e)
	}
}
