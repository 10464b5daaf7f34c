package store

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coffer/internal/csms"
)

func testCodec(t testing.TB) codec {
	t.Helper()
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// roundTrip writes and reads a record that has a value in every field.
func roundTrip[T any](t *testing.T, k kind[T]) {
	t.Helper()
	c, n := testCodec(t), 0
	want := new(T)
	fill(reflect.ValueOf(want).Elem(), &n)
	for range 2 { // filled, then zero
		raw, err := k.encode(c, want)
		if err != nil {
			t.Fatalf("encoding: %v", err)
		}
		got, err := k.decode(c, raw)
		if err != nil {
			t.Fatalf("decoding: %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("record of table %s (-want +got):\n%s", k.table, diff)
		}
		if again, _ := k.encode(c, got); string(again) != string(raw) {
			t.Errorf("record of table %s: equal records are not equal bytes", k.table)
		}
		want = new(T)
	}
}

// Every field of every record, and so of the whole aggregate, survives.
func TestEveryFieldSurvivesARoundTrip(t *testing.T) {
	roundTrip(t, secretKind)
	roundTrip(t, domainKind)
	roundTrip(t, projectKind)
	roundTrip(t, userKind)
	roundTrip(t, policyKind)
	roundTrip(t, groupKind)
	roundTrip(t, accessKeyKind)
	roundTrip(t, tokenKind)
	roundTrip(t, keyKind)
	roundTrip(t, eventKind)
	roundTrip(t, outboxKind)
	roundTrip(t, notificationKind)
	roundTrip(t, taskKind)
	roundTrip(t, topicKind)
}

func TestTextThatIsNoUTF8CanBeReadAgain(t *testing.T) {
	c := testCodec(t)
	rapid.Check(t, func(t *rapid.T) {
		want := &csms.Secret{Description: string(rapid.SliceOf(rapid.Byte()).Draw(t, "description"))}
		raw, err := secretKind.encode(c, want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := secretKind.decode(c, raw)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestDecodingRefuses(t *testing.T) {
	c := testCodec(t)
	good, err := secretKind.encode(c, newSecret("id", "content-of-the-record"))
	if err != nil {
		t.Fatal(err)
	}
	type withNewField struct {
		secretRecord
		New string `cbor:"99,keyasint"`
	}
	newer, err := c.encode(tableSecret, withNewField{*secretToRecord(newSecret("id", "content-of-the-record")), "new"})
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, want string
		raw        []byte
	}{
		{"nothing", "it is empty", nil},
		{"an_unknown_format", "format 7 is unknown", append([]byte{7}, good[1:]...)},
		{"a_record_cut_short", "unexpected EOF", good[:len(good)-1]},
		{"null_for_a_record", "it is not a map", []byte{recordFormat, 0xf6}},
		{"bytes_after_the_record", "extraneous data", append(good[:len(good):len(good)], 0)},
		{"a_field_of_a_newer_release", "unknown field", newer},
		{"deep_nesting", "exceeded max nested level", append([]byte{recordFormat}, strings.Repeat("\x81", 1000)+"\x00"...)},
		{"an_endless_list", "exceeded max number of elements", []byte{recordFormat, 0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := secretKind.decode(c, tc.raw)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "secret record") {
				t.Fatalf("got error %v, want one about a secret record with %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "content") {
				t.Errorf("the error tells what the record holds: %v", err)
			}
		})
	}
}

func TestFootprintCountsWhatARecordHolds(t *testing.T) {
	small := newSecret("id", "name")
	big := small.Clone()
	big.Description = strings.Repeat("x", 1000)
	big.EventSubscriptions = []string{strings.Repeat("y", 500)}
	const header = 16 // of the text in the list
	if got, want := footprint(big)-footprint(small), int64(1000+500+header); got != want {
		t.Errorf("1500 bytes of text more make %d bytes, want %d", got, want)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	c := testCodec(f)
	for _, k := range kinds {
		f.Add(sample(f, c, k))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for table, k := range kinds {
			o, err := k.open(c, raw)
			if err != nil {
				continue
			}
			// What can be read can be written, and is then the same.
			again, err := k.(encoder).encodeAny(c, o.record)
			if err != nil {
				t.Fatalf("%s record was read and cannot be written: %v", table, err)
			}
			o2, err := k.open(c, again)
			if err != nil {
				t.Fatalf("%s record was written and cannot be read: %v", table, err)
			}
			if third, _ := k.(encoder).encodeAny(c, o2.record); string(third) != string(again) {
				t.Fatalf("%s record changes when it is read and written", table)
			}
		}
	})
}

func sample(f *testing.F, c codec, k anyKind) []byte {
	f.Helper()
	empty, err := k.open(c, []byte{recordFormat, 0xa0})
	if err != nil {
		f.Fatal(err)
	}
	n := 0
	fill(reflect.ValueOf(empty.record).Elem(), &n)
	raw, err := k.(encoder).encodeAny(c, empty.record)
	if err != nil {
		f.Fatal(err)
	}
	return raw
}

// encoder writes a record back the way its kind does.
type encoder interface {
	encodeAny(c codec, record any) ([]byte, error)
}

func (kind *kind[T]) encodeAny(c codec, record any) ([]byte, error) {
	return kind.encode(c, record.(*T))
}
