// Package backup turns a secret with all its values into a text that leaves the
// server, and back.
//
// The rule that keeps it honest: what does not authenticate is not looked at. A blob
// opens for the account it was made in and in the installation that made it, whole
// and unchanged, or not at all; one content has one form, so what was opened is what
// was sealed.
//
//	blob    "coffer1." and base64url without padding of the box
//	box     seal.Box under the blob key of the domain, bound to format and domain
//	payload see appendPayload
package backup

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/seal"
)

// MaxText is the longest blob, in characters (B1).
const MaxText = 5242880

// prefix tells the format of the text, and that it is one of ours.
const prefix = "coffer1."

var (
	// ErrDamaged is a text that is no blob of this account: changed, cut short, of
	// another account or installation, or of a newer format. These cannot be told
	// apart.
	ErrDamaged = errors.New("backup: not a blob of this account")
	// ErrTooLong is content or a blob that MaxText does not hold.
	ErrTooLong = errors.New("backup: too long")
)

// Content is what a blob holds.
type Content struct {
	csms.Backup
	Values []csms.Plaintext // of the versions, in their order
	raw    []byte           // what the values point into after Open
}

// Wipe overwrites the values.
func (c *Content) Wipe() {
	for _, v := range c.Values {
		v.Wipe()
	}
	clear(c.raw)
}

// Seal returns the blob of c, for the domain that the key of the box belongs to. The
// content remains the caller's to wipe. A blob that would be too long is ErrTooLong.
func Seal(box *seal.Box, domain string, c *Content) (string, error) {
	size := payloadSize(c)
	length := len(prefix) + base64.RawURLEncoding.EncodedLen(size+seal.BoxOverhead)
	if length > MaxText {
		return "", fmt.Errorf("sealing a backup of %d characters: %w", length, ErrTooLong)
	}
	payload := appendPayload(make([]byte, 0, size), c)
	defer clear(payload)
	sealed, err := box.Seal(nil, payload, place(domain))
	if err != nil {
		return "", fmt.Errorf("sealing a backup: %w", err)
	}
	return prefix + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open returns the content of a blob of the domain, which has passed
// csms.Backup.Validate. The caller wipes it. A text that is longer than a blob can be
// is ErrTooLong, any other that is none of this domain ErrDamaged.
func Open(box *seal.Box, domain, text string) (*Content, error) {
	if len(text) > MaxText {
		return nil, ErrTooLong
	}
	sealed, err := decodeText(text)
	if err != nil {
		return nil, err
	}
	payload, err := box.Open(nil, sealed, place(domain))
	if err != nil {
		return nil, ErrDamaged
	}
	c, err := parsePayload(payload)
	if err != nil {
		clear(payload)
		return nil, err
	}
	return c, nil
}

// decodeText undoes the encoding. The decoder skips line breaks, which a blob does not
// have.
func decodeText(text string) ([]byte, error) {
	body, ours := strings.CutPrefix(text, prefix)
	if !ours || strings.ContainsAny(body, "\r\n") {
		return nil, ErrDamaged
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return nil, ErrDamaged
	}
	return sealed, nil
}

// place binds a blob to its format and its domain.
func place(domain string) []byte {
	return seal.AppendField(seal.AppendField(nil, "coffer/blob/1"), domain)
}
