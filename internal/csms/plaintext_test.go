package csms_test

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"coffer/internal/csms"
)

const (
	canary   = "canary-7f3a\"x"
	redacted = "[redacted]"
)

// holders are the ways a plaintext may be held when it meets a printer or encoder.
func holders() map[string]any {
	p := csms.Plaintext(canary)
	type inner struct{ Secret csms.Plaintext }
	type pointing struct{ Secret *csms.Plaintext }
	type outer struct {
		Name  string
		Inner inner
		Next  *pointing
		List  []csms.Plaintext
	}
	type embedding struct{ csms.Plaintext }
	value := csms.Value{Kind: csms.Text, Data: p}
	return map[string]any{
		"itself":              p,
		"a pointer":           &p,
		"a struct":            inner{p},
		"a pointer to struct": &inner{p},
		"a pointer in struct": pointing{&p},
		"an embedded field":   embedding{p},
		"nested structs":      outer{"n", inner{p}, &pointing{&p}, []csms.Plaintext{p}},
		"a slice":             []csms.Plaintext{p, p},
		"a slice of pointers": []*csms.Plaintext{&p},
		"a slice of any":      []any{p, &p, inner{p}},
		"an array":            [2]csms.Plaintext{p, p},
		"a map":               map[string]csms.Plaintext{"k": p},
		"a map of pointers":   map[string]*csms.Plaintext{"k": &p},
		"a map of structs":    map[string]inner{"k": {p}},
		"a Value":             value,
		"a pointer to Value":  &value,
		"a slice of Values":   []csms.Value{value},
	}
}

// leaks returns a form of the canary that out holds, or "".
func leaks(out string) string {
	raw := []byte(canary)
	forms := []string{canary, "canary", base64.StdEncoding.EncodeToString(raw), strings.TrimRight(base64.StdEncoding.EncodeToString(raw), "=")}
	for _, verb := range []string{"%d", "%x", "%X", "% x", "%#x", "%# x", "%o", "%b", "%U", "%#v", "%q", "%c", "%e"} {
		forms = append(forms, strings.Trim(fmt.Sprintf(verb, raw), "[]{}"))
	}
	for _, form := range forms {
		if strings.Contains(out, form) {
			return form
		}
	}
	return ""
}

func TestPlaintextPrintsRedactedUnderEveryVerb(t *testing.T) {
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%#q", "%+q", "%x", "%X", "% x", "%#x", "%d", "%o", "%b", "%c", "%U", "%t", "%e", "%g", "%20s", "%-20v", "%.3s", "%08d"}
	for name, held := range holders() {
		t.Run(name, func(t *testing.T) {
			for _, verb := range verbs {
				out := fmt.Sprintf(verb, held)
				if form := leaks(out); form != "" {
					t.Errorf("%s prints %s, which holds %s", verb, out, form)
				}
				if !strings.Contains(out, redacted) {
					t.Errorf("%s prints %s, want %s in it", verb, out, redacted)
				}
			}
			if out := fmt.Sprint(held) + fmt.Sprintln(held) + fmt.Errorf("reading: %v", held).Error(); leaks(out) != "" || strings.Count(out, redacted) < 3 {
				t.Errorf("Sprint, Sprintln and Errorf print %s", out)
			}
		})
	}
}

func TestPlaintextAloneIsNothingButRedacted(t *testing.T) {
	for _, p := range []csms.Plaintext{nil, {}, csms.Plaintext(canary)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%5.2f"} {
			if out := fmt.Sprintf(verb, p); out != redacted {
				t.Errorf("%s prints %q, want %q: not even the length shows", verb, out, redacted)
			}
		}
		if p.String() != redacted {
			t.Errorf("String returns %q", p.String())
		}
	}
}

func TestPlaintextIsRedactedInLogs(t *testing.T) {
	for _, kind := range []string{"text", "json"} {
		for name, held := range holders() {
			t.Run(kind+"/"+name, func(t *testing.T) {
				var out bytes.Buffer
				log := slog.New(slog.NewTextHandler(&out, nil))
				if kind == "json" {
					log = slog.New(slog.NewJSONHandler(&out, nil))
				}
				log.Info("as an argument", "p", held)
				log.With("p", held).Info("as an attribute")
				log.WithGroup("g").Info("in a group", slog.Group("h", slog.Any("p", held)))
				log.Info(fmt.Sprint("in the message ", held))
				if form := leaks(out.String()); form != "" {
					t.Errorf("the log holds %s:\n%s", form, out.String())
				}
				if name == "itself" || name == "a pointer" {
					if n := strings.Count(out.String(), redacted); n != 4 {
						t.Errorf("the log says %s %d times, want 4:\n%s", redacted, n, out.String())
					}
				}
			})
		}
	}
}

func TestPlaintextRefusesToBeEncoded(t *testing.T) {
	for name, held := range holders() {
		t.Run(name, func(t *testing.T) {
			out, err := json.Marshal(held)
			if err == nil {
				t.Fatalf("it becomes the JSON %s", out)
			}
			if form := leaks(err.Error()); form != "" || out != nil {
				t.Errorf("the refusal holds %q: %v, output %q", form, err, out)
			}
			var buf bytes.Buffer
			if err := json.NewEncoder(&buf).Encode(held); err == nil || leaks(buf.String()) != "" {
				t.Errorf("an encoder writes %q, %v", buf.String(), err)
			}
			if out, err := json.MarshalIndent(map[string]any{"x": held}, "", " "); err == nil {
				t.Errorf("inside a map it becomes the JSON %s", out)
			}
		})
	}
}

func TestPlaintextRefusesToBeText(t *testing.T) {
	for _, p := range []csms.Plaintext{nil, {}, csms.Plaintext(canary)} {
		for name, m := range map[string]encoding.TextMarshaler{"itself": p, "a pointer": &p} {
			if out, err := m.MarshalText(); err == nil || out != nil {
				t.Errorf("%s of %d bytes becomes the text %q, %v", name, len(p), out, err)
			}
		}
		if out, err := p.MarshalJSON(); err == nil || out != nil {
			t.Errorf("%d bytes become the JSON %q, %v", len(p), out, err)
		}
	}
	if out, err := xml.Marshal(struct{ Secret csms.Plaintext }{csms.Plaintext(canary)}); err == nil {
		t.Errorf("it becomes the XML %s", out)
	}
}

func TestOnlyAConversionYieldsTheBytes(t *testing.T) {
	if got := []byte(csms.Plaintext(canary)); string(got) != canary {
		t.Errorf("got %q", got)
	}
}

func TestWipeOverwritesTheValue(t *testing.T) {
	memory := []byte(canary)
	csms.Plaintext(memory).Wipe()
	if !bytes.Equal(memory, make([]byte, len(canary))) {
		t.Errorf("after Wipe the memory holds %q", memory)
	}
	csms.Plaintext(nil).Wipe()
}
