package iam

import (
	"strings"
	"unicode/utf8"
)

// glob is a compiled pattern in which `*` stands for any run of characters and, if
// single is set, `?` for one character. It is cut at the stars once, so that a
// match looks for each piece from left to right and never goes back: the first
// place where a piece fits leaves most room for the rest.
//
// The cost is one pass over the text, times the length of the longest piece that
// holds a `?` (at most maxText bytes); a piece without `?` is found by
// strings.Index.
type glob struct {
	pieces []string // one piece: no star; else text before, between and after the stars
	single bool
}

func compileGlob(pattern string, single bool) glob {
	pieces := strings.Split(pattern, "*")
	kept := pieces[:1]
	for i := 1; i < len(pieces); i++ {
		if pieces[i] != "" || i == len(pieces)-1 { // two stars in a row are one
			kept = append(kept, pieces[i])
		}
	}
	return glob{pieces: kept, single: single && strings.Contains(pattern, "?")}
}

// exactly returns the glob that matches text only, whatever characters it holds.
func exactly(text string) glob { return glob{pieces: []string{text}} }

// match reports whether the whole of s fits the pattern.
func (g *glob) match(s string) bool {
	first, last := g.pieces[0], g.pieces[len(g.pieces)-1]
	n, ok := g.prefix(s, first)
	if !ok || len(g.pieces) == 1 {
		return ok && n == len(s)
	}
	s = s[n:]
	for _, piece := range g.pieces[1 : len(g.pieces)-1] {
		end := g.find(s, piece)
		if end < 0 {
			return false
		}
		s = s[end:]
	}
	return g.suffix(s, last)
}

// prefix returns how many bytes of s piece covers when laid at its start.
func (g *glob) prefix(s, piece string) (int, bool) {
	if !g.single {
		return len(piece), strings.HasPrefix(s, piece)
	}
	at := 0
	for i := 0; i < len(piece); i++ {
		if at >= len(s) {
			return 0, false
		}
		if piece[i] == '?' {
			_, size := utf8.DecodeRuneInString(s[at:])
			at += size
			continue
		}
		if s[at] != piece[i] {
			return 0, false
		}
		at++
	}
	return at, true
}

// suffix reports whether s ends with piece.
func (g *glob) suffix(s, piece string) bool {
	if !g.single {
		return strings.HasSuffix(s, piece)
	}
	for i := len(piece) - 1; i >= 0; i-- {
		if s == "" {
			return false
		}
		size := 1
		if piece[i] == '?' {
			_, size = utf8.DecodeLastRuneInString(s)
		} else if s[len(s)-1] != piece[i] {
			return false
		}
		s = s[:len(s)-size]
	}
	return true
}

// find returns the end of the first place in s where piece fits, or -1.
func (g *glob) find(s, piece string) int {
	if !g.single {
		if i := strings.Index(s, piece); i >= 0 {
			return i + len(piece)
		}
		return -1
	}
	for at := 0; at < len(s); {
		if n, ok := g.prefix(s[at:], piece); ok {
			return at + n
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return -1
}
