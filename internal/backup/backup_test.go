package backup

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"coffer/internal/csms"
	"coffer/internal/seal"
)

const domain = "d1"

func box(t testing.TB, fill byte) *seal.Box { return boxOver(t, rand.Reader, fill) }

func boxOver(t testing.TB, random io.Reader, fill byte) *seal.Box {
	t.Helper()
	b, err := seal.NewBox(random, bytes.Repeat([]byte{fill}, seal.KeySize), seal.PurposeBlob+domain, 0)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sample() *Content {
	return &Content{
		Backup: csms.Backup{
			Name: "db.old", Type: csms.RDSFG, KMSKeyID: "key", Description: "of the shöp",
			Rotation: csms.Rotation{Auto: true, Period: "1d", Config: "{}", FuncURN: "urn"},
			Versions: []csms.Version{
				{Number: 2, CreateTime: 10, Kind: csms.Text}, {Number: 5, CreateTime: 11, ExpireTime: 12000, Expired: true, Kind: csms.Binary},
			},
			LastVersion: 7,
			Stages:      []csms.Stage{{Name: "SYSCURRENT", Version: 5, UpdateTime: 20}, {Name: "blue", Version: 2, UpdateTime: 21}},
		},
		Values: []csms.Plaintext{csms.Plaintext("s3cret\x00"), csms.Plaintext("1010")},
	}
}

// drawContent draws what a secret can leave.
func drawContent(t *rapid.T) *Content {
	text := rapid.String()
	c := &Content{Backup: csms.Backup{
		Name: rapid.StringMatching(`[a-zA-Z0-9._-]{1,64}`).Draw(t, "name"), Type: csms.Common,
		KMSKeyID: text.Draw(t, "key"), Description: text.Draw(t, "description"),
		Rotation: csms.Rotation{Auto: rapid.Bool().Draw(t, "auto"), Period: text.Draw(t, "period"), Config: text.Draw(t, "config"), FuncURN: text.Draw(t, "urn")},
	}}
	for range rapid.IntRange(1, csms.MaxVersions).Draw(t, "versions") {
		c.LastVersion += rapid.IntRange(1, 1000).Draw(t, "step")
		c.Versions = append(c.Versions, csms.Version{
			Number: c.LastVersion, CreateTime: csms.Millis(1700000000000 + c.LastVersion), Expired: rapid.Bool().Draw(t, "expired"),
			ExpireTime: csms.Millis(rapid.Int64Range(0, 1<<62).Draw(t, "expire")), Kind: rapid.SampledFrom(kinds[:]).Draw(t, "kind"),
		})
		c.Values = append(c.Values, rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "value"))
	}
	for _, name := range slices.Sorted(slices.Values(rapid.SliceOfNDistinct(rapid.StringMatching(`[a-zA-Z0-9_-]{1,64}`), 0, csms.MaxStages, rapid.ID).Draw(t, "labels"))) {
		c.Stages = append(c.Stages, csms.Stage{Name: name, Version: rapid.SampledFrom(c.Versions).Draw(t, "on").Number, UpdateTime: 5})
	}
	return c
}

// compare looks at values too, which print as redacted.
var compare = []cmp.Option{
	cmpopts.IgnoreUnexported(Content{}), cmp.Transformer("bytes", func(p csms.Plaintext) []byte { return p }), cmpopts.EquateEmpty(),
}

// B1, B4: what was sealed is what is opened.
func TestWhatWasSealedIsOpened(t *testing.T) {
	b := box(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		c := drawContent(t)
		if payload := appendPayload(nil, c); len(payload) != payloadSize(c) {
			t.Fatalf("the payload has %d bytes and %d were said", len(payload), payloadSize(c))
		}
		text, err := Seal(b, domain, c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Open(b, domain, text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, got, compare...); diff != "" {
			t.Fatalf("(-sealed +opened):\n%s", diff)
		}
	})
}

// B3: a blob that was changed anywhere, cut or lengthened does not open.
func TestADamagedBlobDoesNotOpen(t *testing.T) {
	b := box(t, 1)
	text, err := Seal(b, domain, sample())
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string]string{
		"empty": "", "prefix_alone": prefix, "no_prefix": strings.TrimPrefix(text, prefix), "other_format": "coffer2." + strings.TrimPrefix(text, prefix),
		"line_break_at_the_end": text + "\n", "line_break_inside": text[:20] + "\r\n" + text[20:], "padding": text + "=", "space": " " + text,
		"no_base64": prefix + "!", "twice": text + text,
	}
	for name, d := range damaged {
		if _, err := Open(b, domain, d); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range len(text) {
		other := byte('A')
		if text[i] == other {
			other = 'B'
		}
		if _, err := Open(b, domain, text[:i]+string(other)+text[i+1:]); !errors.Is(err, ErrDamaged) {
			t.Errorf("character %d changed: %v", i, err)
		}
		if _, err := Open(b, domain, text[:i]); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut to %d characters: %v", i, err)
		}
	}
}

// B5: a blob opens for its own domain, under its own key.
func TestAForeignBlobDoesNotOpen(t *testing.T) {
	b := box(t, 1)
	text, err := Seal(b, domain, sample())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(b, "d2", text); !errors.Is(err, ErrDamaged) {
		t.Errorf("other domain: %v", err)
	}
	if _, err := Open(box(t, 2), domain, text); !errors.Is(err, ErrDamaged) {
		t.Errorf("other key: %v", err)
	}
}

// B1: 5242880 characters are a blob, one more is none, in both directions.
func TestTheLengthOfABlobIsBounded(t *testing.T) {
	b := box(t, 1)
	c := sample()
	const bytesOfMax = (MaxText - len(prefix)) * 3 / 4
	c.Values[0] = make(csms.Plaintext, bytesOfMax-seal.BoxOverhead-payloadSize(c)+len(c.Values[0]))
	text, err := Seal(b, domain, c)
	if err != nil || len(text) != MaxText {
		t.Fatalf("%d characters, %v; want %d", len(text), err, MaxText)
	}
	if _, err := Open(b, domain, text); err != nil {
		t.Errorf("the longest blob: %v", err)
	}
	if _, err := Open(b, domain, text+"A"); !errors.Is(err, ErrTooLong) {
		t.Errorf("a text of one character more: %v", err)
	}
	c.Values[0] = append(c.Values[0], 0)
	if _, err := Seal(b, domain, c); !errors.Is(err, ErrTooLong) {
		t.Errorf("content of one byte more: %v", err)
	}
}

// A blob shows nothing of what it holds, and no two are equal.
func TestABlobShowsNothing(t *testing.T) {
	b := box(t, 1)
	text, err := Seal(b, domain, sample())
	if err != nil {
		t.Fatal(err)
	}
	again, err := Seal(b, domain, sample())
	if err != nil || again == text {
		t.Errorf("two blobs of one content are equal, %v", err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, prefix))
	if err != nil {
		t.Fatal(err)
	}
	for _, planted := range []string{"s3cret", "db.old", "shöp", "SYSCURRENT"} {
		if bytes.Contains(raw, []byte(planted)) {
			t.Errorf("the blob shows %q", planted)
		}
	}
}

func TestWipeOverwritesWhatWasOpened(t *testing.T) {
	b := box(t, 1)
	text, err := Seal(b, domain, sample())
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(b, domain, text)
	if err != nil {
		t.Fatal(err)
	}
	value, raw := c.Values[0], c.raw
	c.Wipe()
	if !bytes.Equal(value, make([]byte, len(value))) || !bytes.Equal(raw, make([]byte, len(raw))) {
		t.Error("plain text is left")
	}
}

// An authenticated payload that holds no possible secret, such as one of a release
// with other rules, is refused too.
func TestAPayloadWithoutAPossibleSecretIsRefused(t *testing.T) {
	b := box(t, 1)
	cases := map[string]func(*Content){
		"name":                   func(c *Content) { c.Name = "a b" },
		"no_version":             func(c *Content) { c.Versions, c.Values, c.Stages = nil, nil, nil },
		"versions_out_of_order":  func(c *Content) { c.Versions[0].Number = 6 },
		"times_out_of_order":     func(c *Content) { c.Versions[0].CreateTime = 11 },
		"number_beyond_the_last": func(c *Content) { c.LastVersion = 4 },
		"label_on_no_version":    func(c *Content) { c.Stages[0].Version = 3 },
		"label_twice":            func(c *Content) { c.Stages[1].Name = "SYSCURRENT" },
		"label_of_bad_name":      func(c *Content) { c.Stages[1].Name = "z z" },
	}
	for name, spoil := range cases {
		c := sample()
		spoil(c)
		text, err := Seal(b, domain, c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(b, domain, text); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzOpen has one nonce for all, because the fuzzing processes must agree on the
// one text that opens.
func FuzzOpen(f *testing.F) {
	b := boxOver(f, strings.NewReader("nonce of 12."), 1)
	text, err := Seal(b, domain, sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(prefix)
	f.Fuzz(func(t *testing.T, other string) {
		if _, err := Open(b, domain, other); (err == nil) != (other == text) {
			t.Fatalf("%q: %v", other, err)
		}
	})
}

// What is read is all there is: written again it is the same bytes.
func FuzzParsePayload(f *testing.F) {
	f.Add(appendPayload(nil, sample()))
	f.Add([]byte{payloadFormat})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := parsePayload(bytes.Clone(payload))
		if err != nil {
			return
		}
		if again := appendPayload(nil, c); !bytes.Equal(again, payload) {
			t.Fatalf("%x is written as %x", payload, again)
		}
		if err := c.Validate(); err != nil || len(c.Values) != len(c.Versions) {
			t.Fatalf("%d values of %d versions, %v", len(c.Values), len(c.Versions), err)
		}
	})
}
