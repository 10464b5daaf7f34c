package seal

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func TestBinding_gives_every_place_its_own_additional_data(t *testing.T) {
	type place struct {
		Binding
		keyID string
	}
	draw := rapid.Custom(func(r *rapid.T) place {
		// Few letters and zero bytes, so that boundaries collide if they can.
		part := rapid.StringMatching(`[a\x00\x01]{0,3}`)
		return place{Binding{
			Domain: part.Draw(r, "domain"), Project: part.Draw(r, "project"), SecretID: part.Draw(r, "secret"),
			Version: rapid.Uint32Max(2).Draw(r, "version"), Field: part.Draw(r, "field"),
		}, part.Draw(r, "key")}
	})
	aad := func(p place) []byte { return withVersion(p.place(p.keyID), p.Version) }
	rapid.Check(t, func(r *rapid.T) {
		a, b := draw.Draw(r, "a"), draw.Draw(r, "b")
		if same := bytes.Equal(aad(a), aad(b)); same != (a == b) {
			r.Fatalf("%+v and %+v: same additional data %v", a, b, same)
		}
		a.Version, b.Version = 0, 0
		if same := bytes.Equal(a.place(a.keyID), b.place(b.keyID)); same != (a == b) {
			r.Fatalf("%+v and %+v: same place %v", a, b, same)
		}
	})
}

func TestBinding_place_has_room_for_the_version(t *testing.T) {
	p := Binding{Domain: "d", Project: "pp", SecretID: "sss", Field: "ffff"}.place("key")
	if got := cap(p) - len(p); got < versionSize {
		t.Errorf("room for %d bytes, want %d: every open would copy the place", got, versionSize)
	}
}
