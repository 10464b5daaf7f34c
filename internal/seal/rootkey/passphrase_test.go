package rootkey_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coffer/internal/seal/rootkey"
)

const passphrase = "correct horse battery staple"

// quick returns parameters of the lowest cost that is allowed.
func quick(t *testing.T) rootkey.PassphraseParams {
	t.Helper()
	p, err := rootkey.NewPassphraseParams(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.Memory, p.Time, p.Threads = 16<<10, 1, 1
	return p
}

func derive(t *testing.T, passphrase string, p rootkey.PassphraseParams) []byte {
	t.Helper()
	k, err := rootkey.FromPassphrase([]byte(passphrase), p).Load()
	if err != nil {
		t.Fatal(err)
	}
	return k.Bytes()
}

// TestDerive_is_argon2id compares with keys that another implementation made
// (Python, package cryptography). A change here locks users out of their stores.
func TestDerive_is_argon2id(t *testing.T) {
	for params, want := range map[string]string{
		"$argon2id$v=19$m=16384,t=1,p=1$AAECAwQFBgcICQoLDA0ODw": "be11a00f0f5e3ac386a81f7801231ddb4433b15ae8e8c1d63117830492f8cb38",
		"$argon2id$v=19$m=65536,t=3,p=2$AAECAwQFBgcICQoLDA0ODw": "c2b1508b0add7887a11a9a96f1a47225cb40bfa06e7570ff73a41418b2a15d61",
	} {
		p, err := rootkey.ParsePassphraseParams(params)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(derive(t, passphrase, p)); got != want {
			t.Errorf("%s: key %s, want %s", params, got, want)
		}
	}
}

func TestDerive_depends_on_everything(t *testing.T) {
	base := quick(t)
	want := derive(t, passphrase, base)
	if !bytes.Equal(derive(t, passphrase, base), want) {
		t.Fatal("the same passphrase and parameters gave two keys")
	}
	for name, change := range map[string]func(*rootkey.PassphraseParams){
		"salt":    func(p *rootkey.PassphraseParams) { p.Salt[15] ^= 1 },
		"memory":  func(p *rootkey.PassphraseParams) { p.Memory += 8 },
		"passes":  func(p *rootkey.PassphraseParams) { p.Time++ },
		"threads": func(p *rootkey.PassphraseParams) { p.Threads++ },
	} {
		p := base
		change(&p)
		if bytes.Equal(derive(t, passphrase, p), want) {
			t.Errorf("another %s gave the same key", name)
		}
	}
	for _, other := range []string{passphrase + "\n", passphrase[1:], strings.ToUpper(passphrase)} {
		if bytes.Equal(derive(t, other, base), want) {
			t.Errorf("passphrase %q gave the same key", other)
		}
	}
}

func TestDerive_refuses_short_passphrases_and_bad_parameters(t *testing.T) {
	good := quick(t)
	for _, short := range []string{"", "seven77"} {
		if _, err := rootkey.Derive([]byte(short), good); err == nil || short != "" && strings.Contains(err.Error(), short) {
			t.Errorf("Derive of %d bytes: %v", len(short), err)
		}
	}
	for name, p := range outOfBounds(good) {
		if _, err := rootkey.Derive([]byte(passphrase), p); err == nil {
			t.Errorf("Derive took parameters out of bounds: %s", name)
		}
		if _, err := rootkey.ParsePassphraseParams(p.String()); err == nil {
			t.Errorf("ParsePassphraseParams took parameters out of bounds: %s", name)
		}
	}
}

func outOfBounds(good rootkey.PassphraseParams) map[string]rootkey.PassphraseParams {
	out := make(map[string]rootkey.PassphraseParams)
	add := func(name string, change func(*rootkey.PassphraseParams)) {
		p := good
		change(&p)
		out[name] = p
	}
	add("no memory", func(p *rootkey.PassphraseParams) { p.Memory = 0 })
	add("little memory", func(p *rootkey.PassphraseParams) { p.Memory = 16<<10 - 1 })
	add("more than 1 GiB", func(p *rootkey.PassphraseParams) { p.Memory = 1<<20 + 1 })
	add("no pass", func(p *rootkey.PassphraseParams) { p.Time = 0 })
	add("65 passes", func(p *rootkey.PassphraseParams) { p.Time = 65 })
	add("no thread", func(p *rootkey.PassphraseParams) { p.Threads = 0 })
	add("17 threads", func(p *rootkey.PassphraseParams) { p.Threads = 17 })
	add("no salt", func(p *rootkey.PassphraseParams) { p.Salt = [16]byte{} })
	return out
}

func TestNewPassphraseParams_has_the_documented_cost(t *testing.T) {
	p, err := rootkey.NewPassphraseParams(bytes.NewReader([]byte("0123456789abcdef")))
	if want := "$argon2id$v=19$m=65536,t=3,p=2$MDEyMzQ1Njc4OWFiY2RlZg"; err != nil || p.String() != want {
		t.Errorf("NewPassphraseParams = %v, %v, want %s", p, err, want)
	}
	if _, err := rootkey.NewPassphraseParams(strings.NewReader("short")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("NewPassphraseParams without randomness: error %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

func TestPassphraseParams_text_reads_back(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := rootkey.PassphraseParams{
			Memory:  rapid.Uint32Range(16<<10, 1<<20).Draw(r, "memory"),
			Time:    rapid.Uint32Range(1, 64).Draw(r, "time"),
			Threads: rapid.Uint8Range(1, 16).Draw(r, "threads"),
		}
		copy(want.Salt[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "salt"))
		want.Salt[0] |= 1
		if got, err := rootkey.ParsePassphraseParams(want.String()); err != nil || got != want {
			r.Fatalf("ParsePassphraseParams(%v) = %v, %v", want, got, err)
		}
	})
}

func TestParsePassphraseParams_takes_one_form_only(t *testing.T) {
	const good = "$argon2id$v=19$m=65536,t=3,p=2$AAECAwQFBgcICQoLDA0ODw"
	bad := []string{
		"", "$", good + "=", good + "$", good + "\n", " " + good, good[1:], good[:len(good)-1],
		strings.ReplaceAll(good, "$", " "), strings.Replace(good, "ODw", "ODx", 1),
	}
	for _, edit := range [][2]string{
		{"argon2id", "argon2i"},
		{"v=19", "v=16"},
		{"m=65536", "m=065536"},
		{"m=65536", "m=+65536"},
		{"m=65536", "m=-65536"},
		{"m=65536", "m=99999999999"},
		{"t=3", "t=3 "},
		{"p=2", "p=258"},
		{",", ", "},
	} {
		bad = append(bad, strings.Replace(good, edit[0], edit[1], 1))
	}
	for _, text := range bad {
		if p, err := rootkey.ParsePassphraseParams(text); err == nil {
			t.Errorf("ParsePassphraseParams(%q) = %v", text, p)
		}
	}
	if _, err := rootkey.ParsePassphraseParams(good); err != nil {
		t.Errorf("ParsePassphraseParams(%q): %v", good, err)
	}
}

func FuzzParsePassphraseParams(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=3,p=2$AAECAwQFBgcICQoLDA0ODw")
	f.Add("$argon2id$v=19$m=,t=,p=$")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := rootkey.ParsePassphraseParams(text)
		if err == nil && p.String() != text {
			t.Errorf("%q reads as %v", text, p)
		}
		if err != nil && p != (rootkey.PassphraseParams{}) {
			t.Errorf("%q gives parameters with its error", text)
		}
	})
}

func FuzzFromEnvironment(f *testing.F) {
	for _, text := range texts() {
		f.Add(text)
	}
	for _, text := range badTexts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := rootkey.FromEnvironment("X", text).Load()
		if (err == nil) != (len(k.Bytes()) == rootkey.Size) {
			t.Errorf("Load = key of %d bytes, %v", len(k.Bytes()), err)
		}
		if err == nil {
			again, err := rootkey.FromEnvironment("X", fmt.Sprintf("%x", k.Bytes())).Load()
			if err != nil || !bytes.Equal(again.Bytes(), k.Bytes()) {
				t.Errorf("key written in hexadecimal: %v", err)
			}
		}
	})
}
