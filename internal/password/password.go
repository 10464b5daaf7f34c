// Package password makes random passwords.
//
// The rule that keeps it honest: every password that the rules permit is equally
// likely. A byte of randomness that would favour a character is thrown away, and so
// is a whole password that lacks a required type: nothing is put right afterwards.
package password

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"coffer/internal/csms"
)

// Bounds of the length of a password, in characters (K3, K4).
const (
	MinLength     = 1
	MaxLength     = 4096
	DefaultLength = 32
)

// Rules say which passwords are permitted (K3). The zero Rules have no length; the
// types are lower case, upper case, digits and punctuation of ASCII.
type Rules struct {
	Length             int
	ExcludeCharacters  string // characters of no type are ignored
	ExcludeLowercase   bool
	ExcludeUppercase   bool
	ExcludeNumbers     bool
	ExcludePunctuation bool
	IncludeSpace       bool

	// RequireEachIncludedType demands one character of each type. A type whose
	// characters are all excluded is not included.
	RequireEachIncludedType bool
}

// The characters of each type.
const (
	lowercase   = "abcdefghijklmnopqrstuvwxyz"
	uppercase   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	numbers     = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	space       = " "
)

// types returns the characters of each included type that are left.
func (r *Rules) types() []string {
	var left []string
	var excluded [256]bool
	for i := range len(r.ExcludeCharacters) {
		excluded[r.ExcludeCharacters[i]] = true
	}
	for _, t := range []struct {
		characters string
		included   bool
	}{
		{lowercase, !r.ExcludeLowercase},
		{uppercase, !r.ExcludeUppercase},
		{numbers, !r.ExcludeNumbers},
		{punctuation, !r.ExcludePunctuation},
		{space, r.IncludeSpace},
	} {
		if rest := without(t.characters, &excluded); t.included && rest != "" {
			left = append(left, rest)
		}
	}
	return left
}

func without(characters string, excluded *[256]bool) string {
	return strings.Map(func(c rune) rune {
		if excluded[c] {
			return -1
		}
		return c
	}, characters)
}

// Validate reports rules that permit no password, as CSMS.0002 (K4).
func (r *Rules) Validate() error {
	if r.Length < MinLength || r.Length > MaxLength {
		return csms.Invalidf("length is %d; it takes %d to %d.", r.Length, MinLength, MaxLength)
	}
	types := len(r.types())
	if types == 0 {
		return csms.Invalidf("Every character is excluded; a password needs at least one to choose from.")
	}
	if r.RequireEachIncludedType && types > r.Length {
		return csms.Invalidf("length is %d; it must be at least %d to hold one character of each included type.", r.Length, types)
	}
	return nil
}

// Generate returns a password that the rules permit, drawn from random, which must
// be fit for cryptography. The caller wipes it. Rules that permit none are CSMS.0002.
func Generate(random io.Reader, r Rules) (csms.Plaintext, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	types := r.types()
	d := drawer{random: random, alphabet: strings.Join(types, "")}
	defer d.wipe()
	if !r.RequireEachIncludedType {
		types = nil
	}
	text := make(csms.Plaintext, r.Length)
	for range maxTries {
		if err := d.fill(text); err != nil {
			text.Wipe()
			return nil, err
		}
		if holdsEach(text, types) {
			return text, nil
		}
	}
	text.Wipe()
	return nil, errors.New("password: the source of randomness repeats itself")
}

// maxTries ends the search where the source is broken. With the smallest share of
// permitted passwords that rules can ask for, about one in 8500, a source that works
// fails once in 10^50 calls.
const maxTries = 1 << 20

func holdsEach(text csms.Plaintext, types []string) bool {
	for _, characters := range types {
		if !bytes.ContainsAny(text, characters) {
			return false
		}
	}
	return true
}

// drawer draws characters of an alphabet of at most 95.
type drawer struct {
	random   io.Reader
	alphabet string
	buffer   [256]byte
	unused   []byte // part of buffer
}

// fill draws every character of text. Bytes at and above the largest multiple of the
// size of the alphabet are thrown away: their remainders would favour its beginning.
func (d *drawer) fill(text csms.Plaintext) error {
	size := len(d.alphabet)
	bound := 256 - 256%size
	for i := 0; i < len(text); {
		b, err := d.next()
		if err != nil {
			return err
		}
		if int(b) < bound {
			text[i] = d.alphabet[int(b)%size]
			i++
		}
	}
	return nil
}

func (d *drawer) next() (byte, error) {
	if len(d.unused) == 0 {
		if _, err := io.ReadFull(d.random, d.buffer[:]); err != nil {
			return 0, fmt.Errorf("drawing a password: %w", err)
		}
		d.unused = d.buffer[:]
	}
	b := d.unused[0]
	d.unused = d.unused[1:]
	return b, nil
}

func (d *drawer) wipe() { clear(d.buffer[:]) }
