package mysql

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"coffer/internal/rotate/database"
)

// The longest names in bytes: MariaDB takes 128 characters of up to three bytes, MySQL
// 32; hosts have 255.
const (
	maxUser = 384
	maxHost = 255
)

// account is what a text names: a user, at one host pattern or at all it has.
type account struct {
	user    string
	host    string
	anyHost bool
}

// parseAccount reads user or user@host. The last @ counts, so a user whose name holds
// one is written with a host.
func parseAccount(text string) (account, error) {
	a := account{user: text, anyHost: true}
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		a = account{user: text[:at], host: text[at+1:]}
	}
	good := a.user != "" && len(a.user) <= maxUser && len(a.host) <= maxHost && (a.anyHost || a.host != "")
	if !good || strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
		return account{}, database.Errorf(database.Unknown, "%.80q cannot be an account: it is written user or user@host, in UTF-8 without NUL", text)
	}
	return a, nil
}

// found is one account that exists.
type found struct {
	user, host string
	locked     bool
	methods    []method // of logging in, any of which will do
}

// method is a plugin with what it stores of the password.
type method struct {
	plugin string
	stored string // "" for no password
}

// String returns the account for a message.
func (f found) String() string { return strconv.Quote(f.user + "@" + f.host) }

func (f found) quoted() string { return quoteText(f.user) + "@" + quoteText(f.host) }

// is reports whether a means f. The server compares names with blanks cut off and in
// other ways that depend on its version, so it is done here; hosts have no case.
func (a account) is(f found) bool {
	return a.user == f.user && (a.anyHost || strings.EqualFold(a.host, f.host))
}

// quoteText returns text as a literal for a session with an empty sql_mode and
// utf8mb4. No byte of a character of UTF-8 beyond ASCII is a quote or a backslash.
func quoteText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(text) + "'"
}

// server is what answers.
type server struct {
	mariadb bool
	version [3]int
}

// parseServer reads what VERSION() returns, such as 8.0.36-28,
// 10.11.19-MariaDB-0+deb12u1 or 5.5.5-10.4.1-MariaDB.
func parseServer(text string) server {
	s := server{mariadb: strings.Contains(text, "MariaDB")}
	if s.mariadb {
		text = strings.TrimPrefix(text, "5.5.5-")
	}
	number, _, _ := strings.Cut(text, "-")
	for i, part := range strings.SplitN(number, ".", 3) {
		s.version[i], _ = strconv.Atoi(part)
	}
	return s
}

func (s server) from(major, minor, patch int) bool {
	for i, least := range []int{major, minor, patch} {
		if s.version[i] != least {
			return s.version[i] > least
		}
	}
	return true
}

// supported reports whether the statements of this package are those of the server.
func (s server) supported() bool {
	if s.mariadb {
		return s.from(10, 4, 0)
	}
	return s.from(5, 7, 6)
}
