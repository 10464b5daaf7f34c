package seal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseEnvelope_takes_apart_what_was_written(t *testing.T) {
	for _, want := range []Envelope{
		{KeyID: "k", Wrapped: []byte{1}, Body: make([]byte, overhead)},
		{KeyID: strings.Repeat("k", MaxKeyID), Wrapped: make([]byte, MaxWrapped), Body: make([]byte, overhead+1<<16)},
	} {
		sealed, err := appendHeader(nil, want.KeyID, want.Wrapped)
		if err != nil {
			t.Fatal(err)
		}
		sealed = append(sealed, want.Body...)
		got, err := ParseEnvelope(sealed)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("ParseEnvelope (-want +got), %v:\n%s", err, diff)
		}
		if id, err := KeyID(sealed); id != want.KeyID || err != nil {
			t.Errorf("KeyID = %q, %v, want %q", id, err, want.KeyID)
		}
	}
}

func TestParseEnvelope_has_a_fixed_form(t *testing.T) {
	body := bytes.Repeat([]byte{0xbb}, overhead)
	want := append([]byte{1, 3, 'k', 'e', 'y', 0, 2, 0xaa, 0xa5}, body...)
	got, err := appendHeader(nil, "key", []byte{0xaa, 0xa5})
	if got = append(got, body...); err != nil || !bytes.Equal(got, want) {
		t.Errorf("form is %x, %v, want %x: stored values would not open", got, err, want)
	}
}

func TestParseEnvelope_refuses_every_other_form(t *testing.T) {
	good := Envelope{KeyID: "key", Wrapped: []byte("wrapped"), Body: make([]byte, overhead)}
	header, err := appendHeader(nil, good.KeyID, good.Wrapped)
	if err != nil {
		t.Fatal(err)
	}
	sealed := append(header, good.Body...)
	edit := func(at int, with ...byte) []byte {
		out := bytes.Clone(sealed)
		copy(out[at:], with)
		return out
	}
	long := append(append([]byte{1, 1, 'k'}, binary.BigEndian.AppendUint16(nil, MaxWrapped+1)...), make([]byte, MaxWrapped+1+overhead)...)
	for name, b := range map[string][]byte{
		"format zero":                      edit(0, 0),
		"newer format":                     edit(0, 2),
		"no key id":                        append([]byte{1, 0, 0, 1, 'w'}, good.Body...),
		"key id past the end":              edit(1, 255),
		"no wrapped key":                   edit(5, 0, 0),
		"wrapped key past the end":         edit(5, 0xff, 0xff),
		"wrapped key one into the body":    edit(5, 0, 8),
		"wrapped key of more than its max": long,
	} {
		if got, err := ParseEnvelope(b); !errors.Is(err, ErrTampered) || !cmp.Equal(got, Envelope{}) {
			t.Errorf("%s: ParseEnvelope = %+v, %v, want %v", name, got, err, ErrTampered)
		}
	}
	for n := range sealed {
		if _, err := ParseEnvelope(sealed[:n]); !errors.Is(err, ErrTampered) {
			t.Errorf("first %d bytes: error %v, want %v", n, err, ErrTampered)
		}
	}
}

func TestAppendHeader_refuses_what_could_not_be_read_back(t *testing.T) {
	for _, c := range []struct {
		keyID   string
		wrapped []byte
	}{
		{"", []byte{1}},
		{strings.Repeat("k", MaxKeyID+1), []byte{1}},
		{"k", nil},
		{"k", make([]byte, MaxWrapped+1)},
	} {
		if _, err := appendHeader(nil, c.keyID, c.wrapped); err == nil {
			t.Errorf("appendHeader took a key id of %d and a wrapped key of %d bytes", len(c.keyID), len(c.wrapped))
		}
	}
}

// FuzzParseEnvelope holds that parsing never panics and that a value has one form.
func FuzzParseEnvelope(f *testing.F) {
	header, _ := appendHeader(nil, "0d0466b0-e727-4d9c-b35d-f84bb474a37f", make([]byte, 60))
	f.Add(append(header, make([]byte, overhead+5)...))
	f.Add([]byte{1, 1, 'k', 0, 1, 'w'})
	f.Add([]byte{1, 255})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEnvelope(b)
		if err != nil {
			if !errors.Is(err, ErrTampered) {
				t.Fatalf("error %v, want %v", err, ErrTampered)
			}
			return
		}
		again, err := appendHeader(nil, e.KeyID, e.Wrapped)
		if again = append(again, e.Body...); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("written again it is %x, %v, want %x", again, err, b)
		}
	})
}
