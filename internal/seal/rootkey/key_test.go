package rootkey_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"coffer/internal/seal/rootkey"
)

func newKey(t *testing.T) rootkey.Key {
	t.Helper()
	k, err := rootkey.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// shows reports whether text holds the key in one of the forms that printing gives.
func shows(text string, k rootkey.Key) bool {
	b := k.Bytes()
	for _, form := range []string{
		string(b), string(b[:8]), hex.EncodeToString(b[:4]), strings.ToUpper(hex.EncodeToString(b[:4])),
		strings.Trim(fmt.Sprint(b[:4]), "[]"), fmt.Sprintf("%#x, %#x, %#x", b[0], b[1], b[2]),
	} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func TestKey_prints_as_redacted(t *testing.T) {
	k := newKey(t)
	if !shows(fmt.Sprintf("%v", k.Bytes()), k) || !shows(fmt.Sprintf("%#v", k.Bytes()), k) || !shows(fmt.Sprintf("%x", k.Bytes()), k) {
		t.Fatal("this test would not see a key that is printed")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%T%v", "%10.3s"} {
		args := []any{k, k}[:strings.Count(verb, "%")]
		if got := fmt.Sprintf(verb, args...); !strings.HasSuffix(got, "[redacted]") {
			t.Errorf("%s prints %q", verb, got)
		}
	}
	if got := fmt.Sprintf("%p", k); shows(got, k) { // package fmt asks no method here
		t.Errorf("%%p prints %q", got)
	}
	if got := k.String(); got != "[redacted]" {
		t.Errorf("String = %q", got)
	}
	if got := fmt.Sprint(&k); got != "[redacted]" {
		t.Errorf("a pointer prints %q", got)
	}
	if got, err := json.Marshal(k); err != nil || string(got) != `"[redacted]"` {
		t.Errorf("JSON is %s, %v", got, err)
	}
}

func TestKey_inside_other_values_does_not_print(t *testing.T) {
	k := newKey(t)
	hidden := struct{ key rootkey.Key }{k}
	shown := struct{ Key rootkey.Key }{k}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		for _, v := range []any{hidden, &hidden, shown, &shown, []rootkey.Key{k}, map[string]any{"k": hidden}} {
			if got := fmt.Sprintf(verb, v); shows(got, k) {
				t.Errorf("%s of %T prints the key", verb, v)
			}
		}
	}
	for name, encode := range map[string]func(any) ([]byte, error){"JSON": json.Marshal, "XML": xml.Marshal} {
		if got, err := encode(shown.Key); err != nil || shows(string(got), k) || !strings.Contains(string(got), "[redacted]") {
			t.Errorf("%s is %s, %v", name, got, err)
		}
	}
}

func TestKey_logs_as_redacted(t *testing.T) {
	k := newKey(t)
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		out.Reset()
		log := slog.New(h)
		log.Info("started", "key", k, "pointer", &k, "inside", struct{ Key rootkey.Key }{k}, "hidden", struct{ key rootkey.Key }{k})
		if got := out.String(); shows(got, k) || strings.Count(got, "[redacted]") != 3 {
			t.Errorf("%T writes %s", h, got)
		}
	}
}

func TestKey_wipe_reaches_all_copies(t *testing.T) {
	k := newKey(t)
	held, same := k, k.Bytes()
	if bytes.Equal(same, make([]byte, rootkey.Size)) {
		t.Fatal("key is zero before Wipe")
	}
	k.Wipe()
	if zero := make([]byte, rootkey.Size); !bytes.Equal(held.Bytes(), zero) || !bytes.Equal(same, zero) {
		t.Error("a copy still holds the key")
	}
}

func TestKey_zero_holds_nothing(t *testing.T) {
	var k rootkey.Key
	k.Wipe()
	if k.Bytes() != nil || fmt.Sprint(k) != "[redacted]" {
		t.Errorf("zero Key has %d bytes and prints %v", len(k.Bytes()), k)
	}
}

func TestNew_draws_the_whole_key(t *testing.T) {
	if a, b := newKey(t), newKey(t); bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two keys are equal")
	}
	if k, err := rootkey.New(strings.NewReader("too short")); !errors.Is(err, io.ErrUnexpectedEOF) || k.Bytes() != nil {
		t.Errorf("New without randomness: error %v, want %v", err, io.ErrUnexpectedEOF)
	}
}
