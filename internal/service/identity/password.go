package identity

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"coffer/internal/csms"
)

// PasswordParams are the costs of argon2id. They stand in every hash, so changing
// them leaves stored passwords valid; such a hash is renewed at the next login.
type PasswordParams struct {
	MemoryKiB uint32
	Passes    uint32
	Threads   uint8
}

// DefaultPasswordParams are the costs for production: the second row of the OWASP
// recommendation, 19 MiB and two passes, about 25 ms of one core.
func DefaultPasswordParams() PasswordParams {
	return PasswordParams{MemoryKiB: 19 << 10, Passes: 2, Threads: 1}
}

// DevPasswordParams are costs that protect nothing, for servers whose passwords are
// public anyway and which must start at once.
func DevPasswordParams() PasswordParams {
	return PasswordParams{MemoryKiB: 64, Passes: 1, Threads: 1}
}

const (
	saltSize = 16
	hashSize = 32

	// Limits of the costs that a stored hash may ask for.
	maxMemoryKiB = 1 << 20
	maxPasses    = 64
	maxThreads   = 64
)

// phc is a parsed PHC text of argon2id.
type phc struct {
	params PasswordParams
	salt   []byte
	hash   []byte
}

// String returns the PHC text: $argon2id$v=19$m=...,t=...,p=...$salt$hash.
func (p phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.params.MemoryKiB, p.params.Passes, p.params.Threads,
		base64.RawStdEncoding.EncodeToString(p.salt), base64.RawStdEncoding.EncodeToString(p.hash))
}

var errPHC = errors.New("identity: not a PHC text of argon2id")

// parsePHC reads a stored hash. It takes the one form that String writes.
func parsePHC(text string) (phc, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return phc{}, errPHC
	}
	var p phc
	var err error
	if p.params, err = parseParams(parts[3]); err != nil {
		return phc{}, err
	}
	enc := base64.RawStdEncoding.Strict()
	salt, saltErr := enc.DecodeString(parts[4])
	hash, hashErr := enc.DecodeString(parts[5])
	if saltErr != nil || hashErr != nil || len(salt) < 8 || len(salt) > 64 || len(hash) < 16 || len(hash) > 64 {
		return phc{}, errPHC
	}
	p.salt, p.hash = salt, hash
	if p.String() != text {
		return phc{}, errPHC
	}
	return p, nil
}

func parseParams(text string) (PasswordParams, error) {
	var values [3]uint64
	fields := strings.Split(text, ",")
	if len(fields) != len(values) {
		return PasswordParams{}, errPHC
	}
	for i, limit := range [3]uint64{maxMemoryKiB, maxPasses, maxThreads} {
		digits, ok := strings.CutPrefix(fields[i], [3]string{"m=", "t=", "p="}[i])
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || n == 0 || n > limit {
			return PasswordParams{}, errPHC
		}
		values[i] = n
	}
	return PasswordParams{MemoryKiB: uint32(values[0]), Passes: uint32(values[1]), Threads: uint8(values[2])}, nil
}

// passwords hashes and verifies, a bounded number at a time: each hash takes
// MemoryKiB of memory and a core.
type passwords struct {
	params PasswordParams
	rand   io.Reader
	slots  chan struct{}
	decoy  phc // no password has this hash
}

// newPasswords returns passwords that run at most parallel hashes at a time.
func newPasswords(params PasswordParams, rand io.Reader, parallel int) *passwords {
	return &passwords{
		params: params, rand: rand, slots: make(chan struct{}, parallel),
		decoy: phc{params: params, salt: make([]byte, saltSize), hash: make([]byte, hashSize)},
	}
}

// hash returns the PHC text of a password under a fresh salt.
func (p *passwords) hash(ctx context.Context, password Credential) (string, error) {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(p.rand, salt); err != nil {
		return "", fmt.Errorf("drawing a salt: %w", err)
	}
	h := phc{params: p.params, salt: salt, hash: make([]byte, hashSize)}
	sum, err := p.run(ctx, password, h)
	if err != nil {
		return "", err
	}
	h.hash = sum
	return h.String(), nil
}

// verify reports whether password has the stored hash. An empty stored hash, of a
// user without a password or of nobody, costs as much as any and never matches.
func (p *passwords) verify(ctx context.Context, stored string, password Credential) (bool, error) {
	h := p.decoy
	if stored != "" {
		var err error
		if h, err = parsePHC(stored); err != nil {
			return false, fmt.Errorf("reading a stored password: %w", err)
		}
	}
	sum, err := p.run(ctx, password, h)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(sum, h.hash) == 1 && stored != "", nil
}

// stale reports whether a stored hash has other costs than new ones get.
func (p *passwords) stale(stored string) bool {
	h, err := parsePHC(stored)
	return err == nil && h.params != p.params
}

// run computes a hash once there is a free slot; it gives up with ctx.
func (p *passwords) run(ctx context.Context, password Credential, h phc) ([]byte, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to hash a password: %w", ctx.Err())
	}
	defer func() { <-p.slots }()
	text := []byte(password)
	defer clear(text)
	return argon2.IDKey(text, h.salt, h.params.Passes, h.params.MemoryKiB, h.params.Threads, uint32(len(h.hash))), nil
}

// Bounds of a password.
const (
	MinPassword = 8   // characters
	MaxPassword = 128 // characters
)

// CheckPassword reports a password that a user called name may not have: shorter or
// longer than the bounds, not UTF-8, with control characters, or the name itself,
// forwards or backwards. There is no rule about kinds of characters: length is what
// counts, and such rules make passwords easier to guess.
func CheckPassword(name string, password Credential) error {
	text := string(password)
	n := utf8.RuneCountInString(text)
	switch {
	case n < MinPassword || n > MaxPassword:
		return csms.Errorf(csms.CodeIAMInvalid, "password has %d characters; it takes %d to %d.", n, MinPassword, MaxPassword)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return csms.Errorf(csms.CodeIAMInvalid, "password holds characters that it does not take: control characters, or no UTF-8.")
	case strings.EqualFold(text, name) || strings.EqualFold(reversed(text), name):
		return csms.Errorf(csms.CodeIAMInvalid, "password is the name of the user, forwards or backwards.")
	}
	return nil
}

func reversed(text string) string {
	var out bytes.Buffer
	for len(text) > 0 {
		r, size := utf8.DecodeLastRuneInString(text)
		out.WriteRune(r)
		text = text[:len(text)-size]
	}
	return out.String()
}

// Credential is a password or a token in the clear, on its way to a hash. It
// prints as [redacted] and refuses to become JSON; only converting it gives the text.
type Credential string

// Format writes "[redacted]" whatever the verb.
func (c Credential) Format(f fmt.State, verb rune) { csms.Plaintext(nil).Format(f, verb) }

// MarshalJSON always fails.
func (c Credential) MarshalJSON() ([]byte, error) { return csms.Plaintext(nil).MarshalJSON() }
