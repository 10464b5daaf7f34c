package mysql

import (
	"strings"
	"testing"

	"coffer/internal/rotate/database"
)

func TestParseAccount(t *testing.T) {
	for text, want := range map[string]account{
		"app":              {user: "app", anyHost: true},
		"app@%":            {user: "app", host: "%"},
		"me@mail.org@10.%": {user: "me@mail.org", host: "10.%"},
		"'app'@'%'":        {user: "'app'", host: "'%'"},
		" @ ":              {user: " ", host: " "},
	} {
		if got, err := parseAccount(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "@", "@%", "app@", "a\x00@%", "\xff@%", strings.Repeat("u", maxUser+1), "u@" + strings.Repeat("h", maxHost+1)} {
		if _, err := parseAccount(text); database.CodeOf(err) != database.Unknown {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzParseAccount: an account that is read is the text and nothing but the text, and
// its literals end where they are meant to.
func FuzzParseAccount(f *testing.F) {
	f.Add("app@%")
	f.Add(`a'\@b`)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseAccount(text)
		if err != nil {
			return
		}
		if again := a.user + "@" + a.host; again != text && !(a.anyHost && a.user == text) {
			t.Errorf("%q was read as %+v", text, a)
		}
		if got, ok := unquote(quoteText(a.user)); !ok || got != a.user {
			t.Errorf("%q is quoted as %s", a.user, quoteText(a.user))
		}
	})
}

// unquote reads a literal as MySQL does under an empty sql_mode. It reports false if
// the literal ends before its text does.
func unquote(literal string) (text string, whole bool) {
	if len(literal) < 2 || literal[0] != '\'' {
		return "", false
	}
	var b strings.Builder
	for i := 1; i < len(literal); i++ {
		switch {
		case literal[i] == '\\' && i+1 < len(literal):
			i++
		case literal[i] == '\'' && i+1 < len(literal) && literal[i+1] == '\'':
			i++
		case literal[i] == '\'':
			return b.String(), i == len(literal)-1
		}
		b.WriteByte(literal[i])
	}
	return "", false
}

func TestParseServer(t *testing.T) {
	for text, want := range map[string]server{
		"8.0.36-28":                  {version: [3]int{8, 0, 36}},
		"9.7.4-2":                    {version: [3]int{9, 7, 4}},
		"8.4.0":                      {version: [3]int{8, 4, 0}},
		"8.0.11-TiDB-v7.5.0":         {version: [3]int{8, 0, 11}},
		"10.11.19-MariaDB-0+deb12u1": {mariadb: true, version: [3]int{10, 11, 19}},
		"5.5.5-10.4.1-MariaDB-log":   {mariadb: true, version: [3]int{10, 4, 1}},
		"11.4.2-MariaDB-ubu2404":     {mariadb: true, version: [3]int{11, 4, 2}},
		"":                           {},
		"x.y":                        {},
	} {
		if got := parseServer(text); got != want {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestSupported(t *testing.T) {
	for text, want := range map[string]bool{
		"5.6.51": false, "5.7.5": false, "5.7.6": true, "8.0.13": true, "9.0.0": true, "": false,
		"10.3.39-MariaDB": false, "10.4.0-MariaDB": true, "11.0.1-MariaDB": true,
	} {
		if got := parseServer(text).supported(); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
	for text, want := range map[string]bool{"8.0.13": false, "8.0.14": true, "8.1.0": true, "9.7.4": true} {
		if got := (&session{server: parseServer(text)}).keepsMySQL(); got != want {
			t.Errorf("%q keeps two passwords: %t", text, got)
		}
	}
}
