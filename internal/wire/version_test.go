package wire_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coffer/internal/csms"
	"coffer/internal/wire"
)

// plainVersion is what the encoding of a value by hand must equal.
type plainVersion struct {
	Metadata wire.VersionMetadata `json:"version_metadata"`
	String   *string              `json:"secret_string,omitempty"`
	Binary   *string              `json:"secret_binary,omitempty"`
}

func plain(v wire.Value) plainVersion {
	text := string(v.Value.Data)
	p := plainVersion{Metadata: v.Metadata}
	if v.Value.Kind == csms.Text {
		p.String = &text
	} else {
		p.Binary = &text
	}
	return p
}

// drawValue draws any version. The names are drawn wider than the rules allow, to
// try the encoder and not the rules.
func drawValue(t *rapid.T) wire.Value {
	return wire.Value{
		Metadata: wire.VersionMetadata{
			ID: rapid.String().Draw(t, "id"), KMSKeyID: rapid.String().Draw(t, "key"), SecretName: rapid.String().Draw(t, "name"),
			CreateTime: wire.Millis(rapid.Int64().Draw(t, "create time")), ExpireTime: wire.Millis(rapid.Int64Min(0).Draw(t, "expire time")),
			VersionStages: rapid.SliceOfN(rapid.String(), 0, 12).Draw(t, "stages"),
		},
		Value: csms.Value{
			Kind: rapid.SampledFrom([]csms.Kind{csms.Text, csms.Binary}).Draw(t, "kind"),
			Data: csms.Plaintext(rapid.OneOf(rapid.String(), rapid.StringMatching(`[\x00-\x1f"\\a]*`)).Draw(t, "value")),
		},
	}
}

// sameJSON compares two encodings by what they say; where want holds nothing that
// encoding/json escapes and we do not, byte by byte.
func sameJSON(t interface{ Errorf(string, ...any) }, got, want []byte) {
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Errorf("no JSON: %v\n%s", err, got)
		return
	}
	_ = json.Unmarshal(want, &w)
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !bytes.Contains(want, []byte(`\u`)) && !bytes.Contains(want, []byte(`\b`)) && !bytes.Contains(want, []byte(`\f`)) && !bytes.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestValueAnswer protects N9 and W1: the encoding by hand is that of encoding/json.
func TestValueAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawValue(t)
		want, err := wire.Marshal(map[string]plainVersion{"version": plain(v)})
		if err != nil {
			t.Fatal(err)
		}
		answer := wire.ValueAnswer{Version: v}
		sameJSON(t, answer.AppendJSON(nil), want)
	})
}

// TestValuesAnswer protects V13: total_count is the length of the array.
func TestValuesAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Custom(drawValue), 0, 4).Draw(t, "values")
		want := struct {
			TotalCount int            `json:"total_count"`
			Versions   []plainVersion `json:"versions"`
		}{len(values), []plainVersion{}}
		for _, v := range values {
			want.Versions = append(want.Versions, plain(v))
		}
		text, err := wire.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		answer := wire.ValuesAnswer{Versions: values}
		sameJSON(t, answer.AppendJSON(nil), text)
	})
}

// TestSizeIsABound protects the plain text: an array that held it and was outgrown
// would be left behind and never cleared.
func TestSizeIsABound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawValue(t)
		answer := wire.ValueAnswer{Version: v}
		n, bound := len(answer.AppendJSON(nil)), len(`{"version":}`)+v.Size()
		if n > bound || n+2*20 < bound {
			t.Errorf("an answer of %d bytes was given room for %d", n, bound)
		}
	})
}

func TestAppendJSONAppends(t *testing.T) {
	answer := wire.ValueAnswer{Version: wire.Value{
		Metadata: wire.VersionMetadata{ID: "v1", CreateTime: 1, KMSKeyID: "k", SecretName: "n", VersionStages: []string{"SYSCURRENT", "blue"}},
		Value:    csms.Value{Kind: csms.Text, Data: csms.Plaintext("s3cret\x01")},
	}}
	want := `before{"version":{"version_metadata":{"id":"v1","create_time":1,"expire_time":null,"kms_key_id":"k","secret_name":"n",` +
		`"version_stages":["SYSCURRENT","blue"]},"secret_string":"s3cret\u0001"}}`
	if got := answer.AppendJSON([]byte("before")); string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWipe(t *testing.T) {
	data := csms.Plaintext("canary")
	one := wire.ValueAnswer{Version: wire.Value{Value: csms.Value{Data: data}}}
	one.Wipe()
	if !bytes.Equal(data, make([]byte, 6)) {
		t.Errorf("the value is still there")
	}
	a, b := csms.Plaintext("canary"), csms.Plaintext("canary")
	many := wire.ValuesAnswer{Versions: []wire.Value{{Value: csms.Value{Data: a}}, {Value: csms.Value{Data: b}}}}
	many.Wipe()
	if !bytes.Equal(a, make([]byte, 6)) || !bytes.Equal(b, make([]byte, 6)) {
		t.Errorf("a value is still there")
	}
}

// FuzzValueAnswer feeds any stored value to the encoder by hand.
func FuzzValueAnswer(f *testing.F) {
	f.Add("s3cret", "db_password", "SYSCURRENT")
	f.Add("\x00\x1f\"\\\n\r\t\u2028\u2029<>&", "a", "")
	f.Fuzz(func(t *testing.T, value, name, stage string) {
		if !utf8.ValidString(value) || !utf8.ValidString(name) || !utf8.ValidString(stage) {
			return // Decode lets nothing else through
		}
		v := wire.Value{
			Metadata: wire.VersionMetadata{ID: "v1", CreateTime: 1, KMSKeyID: "k", SecretName: name, VersionStages: []string{stage}},
			Value:    csms.Value{Kind: csms.Text, Data: csms.Plaintext(value)},
		}
		want, err := wire.Marshal(map[string]plainVersion{"version": plain(v)})
		if err != nil {
			t.Fatal(err)
		}
		answer := wire.ValueAnswer{Version: v}
		sameJSON(t, answer.AppendJSON(nil), want)
	})
}
