// Package identity holds the operations of the embedded IAM: tokens, the look-ups
// that clients make before their first request, and the administration of users,
// groups, access keys and policies.
//
// The rules that keep it honest: every operation takes the caller as an argument
// and authorizes before it tells anything; whether a user exists is never told to
// who cannot log in as him. Hashing, sealing and randomness come before the
// transaction, which decides anew in its own snapshot. Nobody but the owner of an
// account changes the owner, and nobody at all disables or deletes him, so there is
// always one who can mend what the others have done.
//
// The contract is auth.md section 3. The token operations answer with the errors of
// Keystone, all others with csms.Error and the codes of IAM (IE1).
package identity

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"time"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// Options are the settings of a Service. Now, Rand and Region are required.
type Options struct {
	Now  func() csms.Millis // business time
	Rand io.Reader          // fit for cryptography, safe for concurrent use

	Region        string   // name of the region, and of the default project of a domain
	RegionAliases []string // further region names that stand for the default project
	AnyRegion     bool     // whatever looks like a region name does; for dev mode

	TokenTTL       time.Duration  // life of a token; 0 means 24 hours
	PasswordParams PasswordParams // zero means DefaultPasswordParams
	ParallelHashes int            // how many passwords are hashed at a time; 0 means 4
	Services       []string       // types in the catalog; nil means DefaultServices

	// Issuers are those whose ID tokens log users in, by the id that clients name.
	Issuers map[string]Issuer

	Logger *slog.Logger // nil for none
}

// DefaultTokenTTL is the life of a token in the cloud.
const DefaultTokenTTL = 24 * time.Hour

// Service performs the operations of the IAM. It is safe for concurrent use.
type Service struct {
	store     *store.Store
	box       *seal.Box
	o         Options
	ttl       csms.Millis
	passwords *passwords
	byUser    *limiter
	byAddress *limiter
	log       *slog.Logger

	// mu is held where a decision rests on a scan, which a transaction cannot do: the
	// number of access keys of a user, the users of a policy. Between processes such
	// decisions can cross; what comes of it is one key too many, or a user whose
	// policy is missing, who is refused until it is detached.
	mu sync.Mutex

	home string // id of the domain that Bootstrap made or found
}

// New returns a Service over st. The box seals the secrets of access keys.
func New(st *store.Store, box *seal.Box, o Options) *Service {
	if o.TokenTTL == 0 {
		o.TokenTTL = DefaultTokenTTL
	}
	if o.PasswordParams == (PasswordParams{}) {
		o.PasswordParams = DefaultPasswordParams()
	}
	if o.ParallelHashes == 0 {
		o.ParallelHashes = 4
	}
	if o.Services == nil {
		o.Services = DefaultServices()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Service{
		store: st, box: box, o: o, ttl: csms.Millis(o.TokenTTL.Milliseconds()), log: o.Logger,
		passwords: newPasswords(o.PasswordParams, o.Rand, o.ParallelHashes),
		byUser:    newLimiter(10, 12_000, 65536),
		byAddress: newLimiter(50, 2_000, 65536),
	}
}

// authorize reports, as IAM.0002, that the caller may not do op to the resource of
// his own domain.
func (s *Service) authorize(c *iam.Caller, op iam.Op, resource string) error {
	r := iam.Request{Op: op, Region: s.o.Region, Domain: c.DomainID, Resource: resource}
	if d := iam.Evaluate(c, &r); !d.Allowed {
		return csms.Errorf(csms.CodeIAMForbidden, "%s", d.Denial())
	}
	return nil
}

// newID returns a fresh id of a domain, project, user or policy: 32 hex digits,
// which several tools insist on (auth.md section 2).
func (s *Service) newID() (string, error) {
	var id [16]byte
	if _, err := io.ReadFull(s.o.Rand, id[:]); err != nil {
		return "", fmt.Errorf("drawing an id: %w", err)
	}
	return hex.EncodeToString(id[:]), nil
}

func notFound(what, id string) error {
	return csms.Errorf(csms.CodeIAMNotFound, "Could not find %s: %.64s.", what, id)
}

func invalidf(format string, args ...any) error {
	return csms.Errorf(csms.CodeIAMInvalid, format, args...)
}

func conflictf(format string, args ...any) error {
	return csms.Errorf(csms.CodeIAMConflict, format, args...)
}

func forbiddenf(format string, args ...any) error {
	return csms.Errorf(csms.CodeIAMForbidden, format, args...)
}

// orNil turns "not found" into nil, for look-ups that go on without the record.
func orNil[T any](record *T, err error) (*T, error) {
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return record, err
}

// own reads a record of the caller's domain; one of another domain does not exist
// for him.
func own[T any](c *iam.Caller, what, id string, get func(string) (*T, error), domain func(*T) string) (*T, error) {
	record, err := orNil(get(id))
	if err != nil {
		return nil, err
	}
	if record == nil || domain(record) != c.DomainID {
		return nil, notFound(what, id)
	}
	return record, nil
}

func ownUser(c *iam.Caller, id string, get func(string) (*store.User, error)) (*store.User, error) {
	return own(c, "user", id, get, func(u *store.User) string { return u.DomainID })
}

func ownPolicy(c *iam.Caller, id string, get func(string) (*store.Policy, error)) (*store.Policy, error) {
	return own(c, "policy", id, get, func(p *store.Policy) string { return p.DomainID })
}

func ownProject(c *iam.Caller, id string, get func(string) (*store.Project, error)) (*store.Project, error) {
	return own(c, "project", id, get, func(p *store.Project) string { return p.DomainID })
}

// checkName reports a name of a user or project that is empty, longer than
// 64 characters, or holds others than letters, digits, blanks inside, and "_.@-".
func checkName(what, name string) error { return checkNameUpTo(64, what, name) }

// checkLongName is checkName for a group or a policy, whose name has up to 128
// characters as in the cloud.
func checkLongName(what, name string) error { return checkNameUpTo(128, what, name) }

func checkNameUpTo(longest int, what, name string) error {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 _.@-"
	if name == "" || len(name) > longest || strings.Trim(name, allowed) != "" || strings.TrimSpace(name) != name {
		return invalidf("%s takes 1 to %d letters, digits, '_', '.', '@', '-', and blanks inside.", what, longest)
	}
	return nil
}

// checkDomain refuses the id of another domain; "" stands for that of the caller.
func checkDomain(c *iam.Caller, id string) error {
	if id != "" && id != c.DomainID {
		return forbiddenf("The domain is not that of the caller.")
	}
	return nil
}

const maxDescription = 255 // characters, in bytes of UTF-8 at most four times as many

func checkDescription(text string) error {
	if len([]rune(text)) > maxDescription || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0xFFFD }) {
		return invalidf("description takes up to %d characters and no control characters.", maxDescription)
	}
	return nil
}

// collect returns the records of a sequence over one snapshot that keep chooses.
func collect[T any](ctx context.Context, st *store.Store, seq func(*store.View) iter.Seq2[*T, error], keep func(*T) bool) ([]*T, error) {
	var out []*T
	err := st.View(ctx, func(v *store.View) error {
		for record, err := range seq(v) {
			if err != nil {
				return err
			}
			if keep(record) {
				out = append(out, record)
			}
		}
		return nil
	})
	return out, err
}
