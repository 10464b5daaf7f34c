package postgresql

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

const silence = 500 * time.Millisecond

// The vector is that of RFC 7677, section 3: the password pencil. StoredKey and
// ServerKey follow from the proof and the signature given there.
func TestVerifier(t *testing.T) {
	salt := []byte{0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81}
	got, err := verifier([]byte("pencil"), salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	want := "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
	if got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

func TestVerifierNeedsRandomness(t *testing.T) {
	if _, err := newVerifier(bytes.NewReader(make([]byte, saltBytes-1)), []byte("p"), minIterations); err == nil {
		t.Error("a salt was made of nothing")
	}
}

func TestQuoteName(t *testing.T) {
	for name, want := range map[string]string{`a`: `"a"`, `a"b`: `"a""b"`, `"; DROP ROLE b; --`: `"""; DROP ROLE b; --"`, `a\"`: `"a\"""`} {
		if got := quoteName(name); got != want {
			t.Errorf("%s; want %s", got, want)
		}
	}
}

func TestMajor(t *testing.T) {
	for version, want := range map[string]int{"15.18 (Debian 15.18-0+deb12u1)": 15, "9.2.4": 9, "17devel": 17, "10": 10, "": 0, "x": 0, strings.Repeat("9", 40): 9223372036854775807} {
		if got := major(version); got != want {
			t.Errorf("%q: %d; want %d", version, got, want)
		}
	}
}
