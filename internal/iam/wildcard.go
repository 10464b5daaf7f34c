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
	head, tail string   // before the first star and after the last
	middle     []string // between stars
	star       bool     // without a star the pattern is head
	single     bool
}

func compileGlob(pattern string, single bool) glob {
	g := glob{single: single && strings.Contains(pattern, "?")}
	g.head, g.tail, g.star = strings.Cut(pattern, "*")
	for {
		piece, rest, more := strings.Cut(g.tail, "*")
		if !more {
			return g
		}
		if piece != "" { // two stars in a row are one
			g.middle = append(g.middle, piece)
		}
		g.tail = rest
	}
}

// match reports whether the whole of s fits the pattern.
func (g *glob) match(s string) bool {
	if !g.star && !g.single {
		return s == g.head
	}
	n, ok := g.prefix(s, g.head)
	if !ok || !g.star {
		return ok && n == len(s)
	}
	s = s[n:]
	for _, piece := range g.middle {
		end := g.find(s, piece)
		if end < 0 {
			return false
		}
		s = s[end:]
	}
	return g.suffix(s, g.tail)
}

// prefix returns how many bytes of s piece covers when laid at its start.
func (g *glob) prefix(s, piece string) (int, bool) {
	if !g.single {
		return len(piece), strings.HasPrefix(s, piece)
	}
	return prefixSingle(s, piece)
}

// prefixSingle is prefix for a piece with `?`.
func prefixSingle(s, piece string) (int, bool) {
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
