// Package credential knows the forms of what proves an identity, tokens and access
// keys: how they are made, hashed and sealed, and when they hold.
//
// The rule that keeps it honest: it decides nothing by itself and keeps nothing.
// Whoever issues a credential and whoever checks one use the same few functions,
// so the two cannot come to differ.
package credential

import (
	"fmt"
	"io"
	"time"

	"coffer/internal/csms"
)

// draw returns n characters drawn evenly from alphabet, which has at most 64. Bytes
// that would make some characters likelier are thrown away.
func draw(rand io.Reader, alphabet string, n int) ([]byte, error) {
	out := make([]byte, 0, n)
	var pool [64]byte
	defer clear(pool[:])
	even := 256 - 256%len(alphabet)
	for len(out) < n {
		if _, err := io.ReadFull(rand, pool[:]); err != nil {
			return nil, fmt.Errorf("drawing a credential: %w", err)
		}
		for _, b := range pool {
			if int(b) < even && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return out, nil
}

const (
	digits = "0123456789"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lower  = "abcdefghijklmnopqrstuvwxyz"
)

// FormatTime writes an instant as IAM does: UTC, six fraction digits, Z. Clients
// parse it by exactly this shape (auth.md 3.2, 3.5).
func FormatTime(m csms.Millis) string {
	return time.UnixMilli(int64(m)).UTC().Format("2006-01-02T15:04:05.000000Z")
}
