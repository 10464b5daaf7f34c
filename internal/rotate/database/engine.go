// Package database is the port through which the password of a database account is
// changed on its server. The engines are folders beside it; databasetest is the suite
// that each passes against a real server.
//
// The rule that keeps it honest: an engine reports what the server said and decides
// nothing. It makes no password, tries nothing again and remembers no account; a
// password is told to nobody but the server, and stands in no error.
package database

import (
	"context"
	"strings"

	"coffer/internal/password"
)

// Engine changes passwords on one target. It is safe for concurrent use. Errors are
// *Error, whose Code names the cause.
type Engine interface {
	// Change gives account that password, with the credential of the administrator.
	// Whatever is refused before the server is asked, such as a locked account, leaves
	// the old password as it was. After an error with the Code Timeout or Unavailable
	// the password may be either; Verify tells. A server that can keep two passwords
	// keeps the old one as well, until Discard or the next Change. Asking again for the
	// password that the account has changes nothing, so a caller who lost an answer may.
	Change(ctx context.Context, account string, password []byte) error

	// Inspect reports what would keep Change from giving account a password, as far as
	// that shows without a change: the login of the administrator, the server, the account
	// and the rights over it. With an empty account it asks for the login and the server
	// alone. What it does not find is no promise.
	Inspect(ctx context.Context, account string) error

	// Verify logs in as account. LoginRefused says that the server takes another
	// password; every other Code says nothing about the password.
	Verify(ctx context.Context, account string, password []byte) error

	// Discard takes away the old password that the server keeps beside the current
	// one. It does nothing where the server keeps none.
	Discard(ctx context.Context, account string) error

	// Policy says which passwords to make for accounts of this target.
	Policy() Policy
}

// Policy says which passwords an engine takes, and which are made for it.
type Policy struct {
	MaxLength int    // the longest that Change takes, in bytes; it takes printable ASCII
	Length    int    // of those that are made
	Specials  string // the punctuation in those that are made
}

// DefaultPolicy makes passwords of 24 characters that every kind of database takes,
// with at least one of each type (neighbours.md 4.1 and 4.2). The punctuation needs no
// quoting in SQL, a shell's double quotes or a URL's user part but for #, %, ? and @.
func DefaultPolicy() Policy {
	return Policy{MaxLength: 128, Length: 24, Specials: "~!@#%^*-_=+?,"}
}

// punctuation is that of ASCII, as password.Rules counts it.
const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// Rules returns p as rules of the generator that GenerateRandomPassword uses.
func (p Policy) Rules() password.Rules {
	var excluded []byte
	for i := range len(punctuation) {
		if strings.IndexByte(p.Specials, punctuation[i]) < 0 {
			excluded = append(excluded, punctuation[i])
		}
	}
	return password.Rules{Length: p.Length, ExcludeCharacters: string(excluded), RequireEachIncludedType: true}
}

// Check reports a password that no engine sets, with the Code PasswordPolicy: beyond
// printable ASCII a server and its clients may differ in what bytes a text has.
func (p Policy) Check(password []byte) error {
	if len(password) == 0 || len(password) > p.MaxLength {
		return Errorf(PasswordPolicy, "the password has %d characters; it takes 1 to %d", len(password), p.MaxLength)
	}
	for _, c := range password {
		if c < ' ' || c > '~' {
			return Errorf(PasswordPolicy, "the password holds a character that is not printable ASCII")
		}
	}
	return nil
}
