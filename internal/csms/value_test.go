package csms_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"coffer/internal/csms"
)

func TestValueIsGivenOnceAndFits(t *testing.T) {
	limit := csms.DefaultLimits().ValueBytes
	fill := func(unit string, n int) string { return strings.Repeat(unit, n/len(unit)) }
	for _, c := range []struct {
		name         string
		text, binary string
		want         csms.Kind // "" for CSMS.0002
	}{
		{"N5 text", "pw", "", csms.Text},
		{"N5 binary", "", "cHc=", csms.Binary},
		{"N5 both", "pw", "cHc=", ""},
		{"N5 none, or both empty", "", "", ""},
		{"N6 text of 32768 bytes", fill("x", limit), "", csms.Text},
		{"N6 text of 32769 bytes", fill("x", limit+1), "", ""},
		{"N6 text of 16384 characters in 32768 bytes", fill("é", limit), "", csms.Text},
		{"N6 text of 16385 characters in 32770 bytes", fill("é", limit+2), "", ""},
		{"N6 binary of 32768 base64 characters", "", fill("AAAA", limit), csms.Binary},
		{"N6 binary of 32772 base64 characters", "", fill("AAAA", limit+4), ""},
		{"N7 four characters that look like a number", "", "1010", csms.Binary},
		{"N7 one character of padding", "", "QUI=", csms.Binary},
		{"N7 two characters of padding", "", "QQ==", csms.Binary},
		{"N7 every character of the alphabet", "", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", csms.Binary},
		{"N7 padding that is missing", "", "QQ", ""},
		{"N7 padding that is short", "", "QQ=", ""},
		{"N7 padding alone", "", "====", ""},
		{"N7 padding in the middle", "", "QQ==QUJD", ""},
		{"N7 padding too long", "", "QUJD====", ""},
		{"N7 one character too many", "", "QUJDR", ""},
		{"N7 the alphabet for URLs", "", "-_-_", ""},
		{"N7 a space", "", "QUI =", ""},
		{"N7 a line break inside", "", "QUJD\nQUJD", ""},
		{"N7 a line break at the end", "", "QUJD\r\n", ""},
		{"N7 bits that no encoder leaves", "", "QR==", ""},
		{"N7 text that is no base64", "", "p@ss", ""},
		{"text may be anything", "QQ=\n\x00", "", csms.Text},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := csms.NewValue(csms.Plaintext(c.text), csms.Plaintext(c.binary), limit)
			if c.want == "" {
				wantCode(t, err, csms.CodeInvalid)
				if v.Kind != "" || v.Data != nil {
					t.Error("a refused value is returned beside the error")
				}
				return
			}
			wantCode(t, err, "")
			if v.Kind != c.want || string(v.Data) != c.text+c.binary {
				t.Errorf("got a %s of %d bytes, want the %s as it came, %d bytes", v.Kind, len(v.Data), c.want, len(c.text+c.binary))
			}
		})
	}
}

func TestTheLimitOfValuesIsConfigurable_N6(t *testing.T) {
	for limit, want := range map[int]csms.Code{7: csms.CodeInvalid, 8: "", 65536: ""} {
		_, err := csms.NewValue(csms.Plaintext("12345678"), nil, limit)
		wantCode(t, err, want)
		_, err = csms.NewValue(nil, csms.Plaintext("QUJDQUJD"), limit)
		wantCode(t, err, want)
	}
}

func TestAValueSharesItsArgumentSoThatOneWipeEndsBoth(t *testing.T) {
	given := csms.Plaintext("canary")
	v, err := csms.NewValue(given, nil, 100)
	wantCode(t, err, "")
	v.Data.Wipe()
	if !bytes.Equal(given, make([]byte, 6)) {
		t.Error("the argument outlives the wiped value")
	}
}

func FuzzNewValue(f *testing.F) {
	for _, seed := range []struct {
		text, binary string
		limit        int
	}{
		{"pw", "", 10}, {"", "cHc=", 10}, {"pw", "cHc=", 10}, {"", "", 10}, {"", "QR==", 10}, {"", "QUJD\n", 10}, {"", "1010", 3}, {"é", "", 1},
	} {
		f.Add([]byte(seed.text), []byte(seed.binary), seed.limit)
	}
	// Four characters each; the last group may stand for two bytes or for one, and
	// the bits that are left over are zero (RFC 4648, 3.5 and 4).
	standard := regexp.MustCompile(`\A(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?\z`)
	f.Fuzz(func(t *testing.T, text, binary []byte, limit int) {
		sent := string(text) + string(binary)
		one := (len(text) > 0) != (len(binary) > 0)
		good := one && len(sent) <= limit && (len(binary) == 0 || standard.Match(binary))
		v, err := csms.NewValue(text, binary, limit)
		if !good {
			wantCode(t, err, csms.CodeInvalid)
			dependsOnLengthsAlone(t, text, binary, limit, err)
			return
		}
		wantCode(t, err, "")
		kind := map[bool]csms.Kind{true: csms.Text, false: csms.Binary}[len(text) > 0]
		if v.Kind != kind || string(v.Data) != sent {
			t.Errorf("got %s %q, want %s %q", v.Kind, []byte(v.Data), kind, sent)
		}
	})
}

// dependsOnLengthsAlone checks that err says nothing that a value of other
// characters and the same length would not get said: it holds no part of the value.
func dependsOnLengthsAlone(t *testing.T, text, binary []byte, limit int, err error) {
	t.Helper()
	blank := func(p []byte) csms.Plaintext { return bytes.Repeat([]byte("!"), len(p)) }
	if _, other := csms.NewValue(blank(text), blank(binary), limit); other == nil || other.Error() != err.Error() {
		t.Errorf("the text of the error depends on the value: %v", err)
	}
}
