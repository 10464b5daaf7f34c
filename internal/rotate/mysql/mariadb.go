package mysql

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"filippo.io/edwards25519"

	"coffer/internal/rotate/database"
)

// The plugins of MariaDB that log in with a password which the server stores.
const (
	native  = "mysql_native_password"
	ed25519 = "ed25519"
)

// privileges is what MariaDB says of an account.
type privileges struct {
	Plugin string        `json:"plugin"`
	Stored string        `json:"authentication_string"`
	Locked bool          `json:"account_locked"`
	Role   bool          `json:"is_role"`
	Or     []alternative `json:"auth_or"`
}

// alternative is one of several ways to log in; the empty one stands for the first
// members of privileges.
type alternative struct {
	Plugin *string `json:"plugin"`
	Stored string  `json:"authentication_string"`
}

func (p *privileges) methods() []method {
	own := method{p.Plugin, p.Stored}
	if own.plugin == "" {
		own.plugin = native
	}
	if len(p.Or) == 0 {
		return []method{own}
	}
	var all []method
	for _, o := range p.Or {
		if o.Plugin == nil {
			all = append(all, own)
		} else {
			all = append(all, method{*o.Plugin, o.Stored})
		}
	}
	return all
}

// findMariaDB reads the accounts that a names.
func (s *session) findMariaDB(ctx context.Context, a account) (accounts []found, err error) {
	rows, err := s.conn.QueryContext(ctx, "SELECT User, Host, Priv FROM mysql.global_priv WHERE User = ?", a.user)
	if err != nil {
		return nil, s.engine.failure(ctx, "looking up accounts", err)
	}
	defer rows.Close()
	for rows.Next() {
		f, text, p := found{}, []byte(nil), privileges{}
		if err := rows.Scan(&f.user, &f.host, &text); err != nil {
			return nil, s.engine.failure(ctx, "looking up accounts", err)
		}
		if err := json.Unmarshal(text, &p); err != nil {
			return nil, database.Errorf(database.Unsupported, "mysql.global_priv of %s cannot be read", f)
		}
		if f.locked, f.methods = p.Locked, p.methods(); a.is(f) && !p.Role {
			accounts = append(accounts, f)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, s.engine.failure(ctx, "looking up accounts", err)
	}
	return accounts, a.checkFound(accounts, []string{native, ed25519})
}

// changeMariaDB sends a hash, and the hash of the old password as a second way in. A
// server that must see passwords to judge them refuses both; it gets the new password
// itself, and keeps no other.
func (s *session) changeMariaDB(ctx context.Context, accounts []found, password []byte) error {
	err := s.alterUser(ctx, accounts, func(f found) string {
		plugin := f.methods[0].plugin
		return identified(plugin, append([]string{hash(plugin, password)}, f.kept(hash(plugin, password))...)...)
	})
	if e := (*refusal)(nil); !errors.As(err, &e) || e.number != mustSeePassword {
		return err
	}
	return s.alterUser(ctx, accounts, func(f found) string {
		return "IDENTIFIED VIA " + f.methods[0].plugin + " USING PASSWORD(" + quoteText(string(password)) + ")"
	})
}

// discardMariaDB leaves the first way in, which is the current password.
func (s *session) discardMariaDB(ctx context.Context, accounts []found) error {
	several := accounts[:0]
	for _, f := range accounts {
		if len(f.methods) > 1 {
			several = append(several, f)
		}
	}
	if len(several) == 0 {
		return nil
	}
	return s.alterUser(ctx, several, func(f found) string { return identified(f.methods[0].plugin, f.methods[0].stored) })
}

// nativeForm is that of what the plugin stores for a password; other texts let nobody in.
var nativeForm = regexp.MustCompile(`^\*[0-9A-F]{40}$`)

// kept returns what is to be kept beside the hash current: the password that is
// current now; or, if that is the same because a change is repeated, the one that is
// kept now. Clients of ed25519, the driver of Go among them, do not try a second hash.
func (f found) kept(current string) []string {
	for _, m := range f.methods {
		if m.plugin == native && m.stored != current && nativeForm.MatchString(m.stored) {
			return []string{m.stored}
		}
	}
	return nil
}

// identified returns the clause that lets an account log in by any of those hashes.
func identified(plugin string, hashes ...string) string {
	var ways []string
	for _, h := range hashes {
		ways = append(ways, plugin+" USING "+quoteText(h))
	}
	return "IDENTIFIED VIA " + strings.Join(ways, " OR ")
}

// hash returns what plugin stores of password.
func hash(plugin string, password []byte) string {
	if plugin == ed25519 {
		return ed25519Hash(password)
	}
	return nativeHash(password)
}

// ed25519Hash returns the public key that belongs to password as the secret, without
// the padding of base64.
func ed25519Hash(password []byte) string {
	seed := sha512.Sum512(password)
	defer clear(seed[:])
	secret, err := edwards25519.NewScalar().SetBytesWithClamping(seed[:32])
	if err != nil {
		panic(fmt.Sprintf("mysql: 32 bytes are not 32 bytes: %v", err)) // a bug of ours
	}
	return base64.RawStdEncoding.EncodeToString(new(edwards25519.Point).ScalarBaseMult(secret).Bytes())
}
