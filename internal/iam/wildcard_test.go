package iam

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestWildcard protects auth.md 7.2 (`*` anywhere) and 7.3 (StringMatch with * and ?).
func TestWildcard(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "anything", true},
		{"**", "x", true},
		{"abc", "abc", true},
		{"abc", "abcd", false},
		{"abc", "ABC", false},
		{"prod_*", "prod_", true},
		{"prod_*", "prod_db", true},
		{"prod_*", "my_prod_db", false},
		{"*_prod", "db_prod", true},
		{"*_prod", "db_prod_2", false},
		{"a*a", "a", false}, // head and tail must not overlap
		{"a*a", "aa", true},
		{"a*b*c", "aXXbYYc", true},
		{"a*b*c", "acb", false},
		{"*ab*ab*", "abab", true},
		{"*ab*ab*", "aab", false},
		{"*aab*", "aaab", true}, // the piece begins inside a failed try
		{"?", "", false},
		{"?", "x", true},
		{"?", "中", true}, // one character, not one byte
		{"?", "xy", false},
		{"v?", "v1", true},
		{"v?", "v10", false},
		{"a?c*e", "abcde", true},
		{"*?", "", false},
		{"*?", "a", true},
		{"?*?", "a", false},
		{"*a?c*", "xxabxabc", true},
		{"*中?", "x中文", true},
		{"**?**", "é", true},
	}
	for _, tt := range tests {
		t.Run(tt.pattern+"~"+tt.text, func(t *testing.T) {
			g := compileGlob(tt.pattern, true)
			if got := g.match(tt.text); got != tt.want {
				t.Errorf("match = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestWildcard_question_mark_is_a_letter_where_only_the_star_counts(t *testing.T) {
	g := compileGlob("a?*", false)
	if g.match("abc") {
		t.Error(`"a?*" matches "abc"`)
	}
	if !g.match("a?c") {
		t.Error(`"a?*" does not match "a?c"`)
	}
}

func TestWildcard_agrees_with_the_definition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.RuneFrom([]rune("ab*?中")), 0, 12, -1).Draw(t, "pattern")
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab?中")), 0, 16, -1).Draw(t, "text")
		single := rapid.Bool().Draw(t, "single")
		checkGlob(t, pattern, text, single)
	})
}

func FuzzWildcard(f *testing.F) {
	f.Add("a*b?c*", "aXbYcZ")
	f.Add("*a*a*a*b", "aaaaaaaaaaaa")
	f.Add("*?中*", "\xe4\xb8中")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || len(pattern)*len(text) > 1<<16 {
			return // documents are UTF-8; the reference is slow
		}
		checkGlob(t, pattern, text, true)
		checkGlob(t, pattern, text, false)
	})
}

func checkGlob(t interface{ Fatalf(string, ...any) }, pattern, text string, single bool) {
	g := compileGlob(pattern, single)
	if got, want := g.match(text), globByDefinition(characters(pattern), characters(text), single); got != want {
		t.Fatalf("glob %q on %q (single %v) = %v, want %v", pattern, text, single, got, want)
	}
}

// characters cuts s into characters; an invalid byte is one.
func characters(s string) []string {
	var all []string
	for s != "" {
		_, size := utf8.DecodeRuneInString(s)
		all, s = append(all, s[:size]), s[size:]
	}
	return all
}

// globByDefinition fills the table "the first i of the pattern fit the first j of
// the text".
func globByDefinition(pattern, text []string, single bool) bool {
	fit := make([]bool, len(text)+1)
	fit[0] = true
	for _, p := range pattern {
		next := make([]bool, len(text)+1)
		for j := range next {
			switch {
			case p == "*":
				next[j] = fit[j] || j > 0 && next[j-1]
			case j > 0 && (p == text[j-1] || single && p == "?"):
				next[j] = fit[j-1]
			}
		}
		fit = next
	}
	return fit[len(text)]
}

// TestWildcard_hostile_patterns_stay_cheap would not end within the life of the
// machine with a matcher that goes back.
func TestWildcard_hostile_patterns_stay_cheap(t *testing.T) {
	text := strings.Repeat("a", 64<<10)
	for _, pattern := range []string{
		strings.Repeat("a*", 400) + "b",
		strings.Repeat("*a", 400) + "*b",
		strings.Repeat("*?a", 300) + "b",
		"*" + strings.Repeat("a?", 500) + "b*",
	} {
		g := compileGlob(pattern, true)
		if g.match(text) {
			t.Errorf("%.20s... matches a text without b", pattern)
		}
	}
}
