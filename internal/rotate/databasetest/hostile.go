package databasetest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coffer/internal/rotate/database"
)

// hostile are pieces of texts that end a quotation, begin a comment or another
// statement, or stand for something, to one server or another.
var hostile = []string{
	`'`, `"`, "`", `\`, `\'`, `''`, `""`, `$$`, `$1`, `?`, `%s`, `{}`, `;`, `--`, `-- `, `/*`, `*/`, `#`, `@`, `%`, `_`, ` `, "a", "Z", "0",
	`'; DROP ROLE bystander; --`, `" PASSWORD 'x`, `' OR '1'='1`, `'@'%`, `U&"\0041"`, `E'\x41'`, `0x41`, `:=`,
}

// beyond are more of them that a name may hold and a new password may not.
var beyond = []string{"\n", "\r", "\t", "\x01", "é", "ß", "中", "\u00a0", "\u2028", "ʼ", "＇"}

// text draws a text of pieces, of at most that length in bytes. It begins and ends with
// a letter: servers cut blanks off names.
func text(pieces []string, length int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		drawn := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "pieces"), "")
		if len(drawn) > length-2 {
			drawn = strings.ToValidUTF8(drawn[:length-2], "")
		}
		return "h" + drawn + "x"
	})
}

// testHostile: whatever its name and whatever its password, the account's password
// becomes exactly that, and nothing else in the catalogue changes.
func testHostile(t *testing.T, h *Harness) {
	e := h.engine(t)
	bystander := h.Create(t, "bystander", oldPassword)
	names := text(append(append(hostile[:len(hostile):len(hostile)], beyond...), h.Hostile...), h.NameLength)
	passwords := text(hostile, e.Policy().MaxLength)
	rapid.Check(t, func(r *rapid.T) {
		name := names.Draw(r, "name")
		secret := passwords.Draw(r, "password")
		account := h.Create(t, name, oldPassword)
		defer h.Drop(t, name)
		before := h.State(t, name)
		if err := e.Change(t.Context(), account, []byte(secret)); err != nil {
			r.Fatalf("changing: %v", err)
		}
		if err := e.Verify(t.Context(), account, []byte(secret)); err != nil {
			r.Fatalf("verifying: %v", err)
		}
		for _, other := range []string{secret + " ", secret[:len(secret)-1], strings.ToUpper(secret)} {
			if err := e.Verify(t.Context(), account, []byte(other)); database.CodeOf(err) != database.LoginRefused {
				r.Fatalf("another password: %v", err)
			}
		}
		if diff := cmp.Diff(before, h.State(t, name)); diff != "" {
			r.Fatalf("something else changed (-before +after):\n%s", diff)
		}
	})
	verify(t, e, bystander, oldPassword, "")
}
