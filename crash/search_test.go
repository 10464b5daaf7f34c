package crash

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"
)

// planted is a secret that was made up, or told by the server, to be looked for.
type planted struct {
	what string // where it was used; names it in a report
	text string // as it was sent or told
}

// clue is how many bytes in a row of a planted secret, or of an encoding of it, count
// as found. They are more than chance could give, and fewer than a message that is
// cut short would hold.
const clue = 12

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// aCanary returns a text that stands nowhere else.
func aCanary(chance *rand.Rand) string {
	b := make([]byte, 32)
	for i := range b {
		b[i] = alphabet[chance.IntN(len(alphabet))]
	}
	return string(b)
}

// search finds planted secrets, and parts of them, in any text: as they are, and in
// the forms that an encoder gives them. Compression is not among them: the engine
// compresses nothing, which TestSearch proves on a real store.
type search struct {
	clues map[uint64][]found // by the first eight bytes
}

type found struct {
	clue string
	of   *planted
}

func newSearch(all []*planted) *search {
	s := &search{clues: map[uint64][]found{}}
	for _, p := range all {
		for _, form := range forms(p.text) {
			for at := 0; at+clue <= len(form); at++ {
				text := form[at : at+clue]
				key := binary.LittleEndian.Uint64([]byte(text))
				s.clues[key] = append(s.clues[key], found{text, p})
			}
		}
	}
	return s
}

// forms returns a text and its encodings. Base64 has three for a text in the middle
// of others, of which the inner part is the same whatever stands around it.
func forms(text string) []string {
	all := []string{text, hex.EncodeToString([]byte(text)), string(bytes.ToUpper([]byte(hex.EncodeToString([]byte(text)))))}
	for shift := range 3 {
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			form := e.EncodeToString(append(make([]byte, shift), text...))
			all = append(all, form[4*((shift+2)/3):len(form)-4])
		}
	}
	if raw, err := base64.StdEncoding.DecodeString(text); err == nil {
		all = append(all, string(raw), hex.EncodeToString(raw))
	}
	return all
}

// in returns the secrets of which text holds a part, but for those allowed.
func (s *search) in(text []byte, allowed ...string) []*planted {
	var all []*planted
	for at := 0; at+clue <= len(text); at++ {
		for _, f := range s.clues[binary.LittleEndian.Uint64(text[at:])] {
			if string(text[at:at+clue]) == f.clue && !slices.Contains(allowed, f.of.text) && !slices.Contains(all, f.of) {
				all = append(all, f.of)
			}
		}
	}
	return all
}

// report fails for what is found in a text.
func (s *search) report(t *testing.T, where string, text []byte, allowed ...string) {
	t.Helper()
	for _, p := range s.in(text, allowed...) {
		t.Errorf("%s holds the secret of %s, or a part of it:\n%s", where, p.what, s.around(text, p))
	}
}

// around returns what stands around the first part of a secret in a text.
func (s *search) around(text []byte, p *planted) []byte {
	for at := 0; at+clue <= len(text); at++ {
		for _, f := range s.clues[binary.LittleEndian.Uint64(text[at:])] {
			if f.of == p && string(text[at:at+clue]) == f.clue {
				return bytes.ToValidUTF8(text[max(0, at-200):min(len(text), at+200)], []byte("?"))
			}
		}
	}
	return nil
}

// TestSearch plants a text where it must be found: without this the canary test could
// pass because it finds nothing at all.
func TestSearch(t *testing.T) {
	chance := chance("search")
	p := &planted{"the test", aCanary(chance)}
	raw := make([]byte, 24)
	binary.LittleEndian.PutUint64(raw, chance.Uint64())
	b := &planted{"the binary test", base64.StdEncoding.EncodeToString(raw)}
	s := newSearch([]*planted{p, b})
	for name, text := range map[string]string{
		"as it is":            "xx" + p.text + "yy",
		"its middle":          "xx" + p.text[9:9+clue] + "yy",
		"in hexadecimal":      "0x" + hex.EncodeToString([]byte(p.text)),
		"in base64":           base64.StdEncoding.EncodeToString([]byte(p.text)),
		"inside base64":       base64.StdEncoding.EncodeToString([]byte(`{"a":"` + p.text + `"}`)),
		"inside base64 again": base64.RawURLEncoding.EncodeToString([]byte(`{"ab":"` + p.text + `"}`)),
		"decoded":             "xx" + string(raw),
	} {
		if len(s.in([]byte(text))) != 1 {
			t.Errorf("the search does not find a text %s", name)
		}
	}
	if got := s.in([]byte(p.text), p.text); len(got) > 0 {
		t.Errorf("the search finds %s, which is allowed", got[0].what)
	}
	if got := s.in([]byte(p.text[:clue-1] + aCanary(chance))); len(got) > 0 {
		t.Errorf("the search finds %s where it is not", got[0].what)
	}
}
