package wire

import (
	"encoding/json"
	"strconv"
	"testing"
)

// A number comes as text or as a JSON number; what is no number of up to nine digits
// is -1, which no operation takes.
func TestDigits(t *testing.T) {
	for text, want := range map[string]int{
		`{}`: 7, `{"n":null}`: 7, `{"n":""}`: 7, `{"n":"0"}`: 0, `{"n":0}`: 0, `{"n":"30"}`: 30, `{"n":30}`: 30, `{"n":"\u0033"}`: 3,
		`{"n":"999999999"}`: 999999999, `{"n":"1000000000"}`: -1, `{"n":"-1"}`: -1, `{"n":-1}`: -1, `{"n":1.5}`: -1, `{"n":1e3}`: -1,
		`{"n":" 1"}`: -1, `{"n":"+1"}`: -1, `{"n":"x"}`: -1,
	} {
		var body struct {
			N Digits `json:"n"`
		}
		if err := json.Unmarshal([]byte(text), &body); err != nil || body.N.Or(7) != want {
			t.Errorf("%s: %d, %v; want %d", text, body.N.Or(7), err, want)
		}
	}
	for _, text := range []string{`true`, `[]`, `{}`, `["1"]`, `"\ud800"`} {
		if err := json.Unmarshal([]byte(text), new(Digits)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func FuzzDigits(f *testing.F) {
	for _, seed := range []string{`"1"`, `1`, `null`, `"\u0031"`, `-0`, `1e9`, `"`, `[1]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var d Digits
		if json.Unmarshal(raw, &d) != nil || d == "" {
			return
		}
		if n := d.Or(0); n < -1 || n >= 0 && len(d) < 10 && strconv.Itoa(n) != trimZeros(string(d)) {
			t.Errorf("%s is %d", raw, n)
		}
	})
}

func trimZeros(text string) string {
	for len(text) > 1 && text[0] == '0' {
		text = text[1:]
	}
	return text
}

// Instants and truth values of keys are text, and no instant is an empty one.
func TestTextOfKeys(t *testing.T) {
	got, err := Marshal(struct {
		At, None TextMillis
		Yes, No  TextBool
	}{At: 1767225600000, Yes: true})
	if want := `{"At":"1767225600000","None":"","Yes":"true","No":"false"}`; err != nil || string(got) != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}
