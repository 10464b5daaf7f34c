package rootkey

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
)

// MinPassphrase is the shortest passphrase in bytes. It stops slips, not guessing:
// whoever has the store can try passphrases at the price the parameters set.
const MinPassphrase = 8

// Bounds of the parameters. The lower ones keep a record from asking for less than a
// passphrase needs, the upper ones from stopping the server with its memory or time.
const (
	minMemory, maxMemory   = 16 << 10, 1 << 20 // KiB
	minTime, maxTime       = 1, 64
	minThreads, maxThreads = 1, 16
	saltSize               = 16
)

// PassphraseParams say how a passphrase becomes a key: argon2id (RFC 9106). They are
// no secret, but without them the key is lost: the caller stores their text beside
// the check value of the root key.
//
// Argon2 is no FIPS-approved function. A deployment that must be compliant takes its
// root key from a file or a credential.
type PassphraseParams struct {
	Salt    [saltSize]byte
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// NewPassphraseParams returns the default cost (64 MiB, 3 passes, 2 threads) with a
// fresh salt from rand.
func NewPassphraseParams(rand io.Reader) (PassphraseParams, error) {
	p := PassphraseParams{Memory: 64 << 10, Time: 3, Threads: 2}
	if _, err := io.ReadFull(rand, p.Salt[:]); err != nil {
		return PassphraseParams{}, fmt.Errorf("drawing salt: %w", err)
	}
	return p, nil
}

// Derive returns the key that belongs to the passphrase, whose bytes count as they
// are: a newline at the end of a file is for the caller to take off. It takes the
// memory of p while it runs.
func Derive(passphrase []byte, p PassphraseParams) (Key, error) {
	if err := p.check(); err != nil {
		return Key{}, err
	}
	if len(passphrase) < MinPassphrase {
		return Key{}, fmt.Errorf("a passphrase of %d bytes is too short, want %d at least", len(passphrase), MinPassphrase)
	}
	derived := argon2.IDKey(passphrase, p.Salt[:], p.Time, p.Memory, p.Threads, Size)
	return hold((*[Size]byte)(derived)), nil
}

// String returns the text form, e.g.
// $argon2id$v=19$m=65536,t=3,p=2$AAECAwQFBgcICQoLDA0ODw.
func (p PassphraseParams) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s",
		argon2.Version, p.Memory, p.Time, p.Threads, base64.RawStdEncoding.EncodeToString(p.Salt[:]))
}

// ParsePassphraseParams reads the text form and checks its bounds. It takes exactly
// what String writes.
func ParsePassphraseParams(text string) (PassphraseParams, error) {
	var p PassphraseParams
	var salt string
	_, err := fmt.Sscanf(strings.ReplaceAll(text, "$", " "), " argon2id v=19 m=%d,t=%d,p=%d %s", &p.Memory, &p.Time, &p.Threads, &salt)
	if err != nil {
		return PassphraseParams{}, errNoParams
	}
	raw, err := base64.RawStdEncoding.DecodeString(salt)
	if err != nil || len(raw) != saltSize {
		return PassphraseParams{}, errNoParams
	}
	p.Salt = [saltSize]byte(raw)
	if p.String() != text { // other spaces, signs, leading zeros, trailing text
		return PassphraseParams{}, errNoParams
	}
	if err := p.check(); err != nil {
		return PassphraseParams{}, err
	}
	return p, nil
}

var errNoParams = errors.New("parsing passphrase parameters: want $argon2id$v=19$m=KIB,t=PASSES,p=THREADS$SALT, with 16 bytes of salt in base64 without padding")

func (p PassphraseParams) check() error {
	switch {
	case p.Memory < minMemory || p.Memory > maxMemory:
		return fmt.Errorf("passphrase parameters: memory of %d KiB, want %d to %d", p.Memory, minMemory, maxMemory)
	case p.Time < minTime || p.Time > maxTime:
		return fmt.Errorf("passphrase parameters: %d passes, want %d to %d", p.Time, minTime, maxTime)
	case p.Threads < minThreads || p.Threads > maxThreads:
		return fmt.Errorf("passphrase parameters: %d threads, want %d to %d", p.Threads, minThreads, maxThreads)
	case p.Salt == [saltSize]byte{}:
		return errors.New("passphrase parameters: no salt")
	}
	return nil
}
