package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"slices"

	"coffer/internal/auth/credential"
	"coffer/internal/store"
)

// errLogin is a login that failed: its text is for the log.
type errLogin string

func (e errLogin) Error() string { return string(e) }

// logIn checks the proof of identity. Exactly one method is enabled at a time.
func (s *Service) logIn(ctx context.Context, q *TokenAsk) (*login, error) {
	l, err := s.prove(ctx, q)
	if failed := errLogin(""); errors.As(err, &failed) {
		s.logged(ctx, q, "", failed)
		return nil, Unauthorized()
	}
	return l, err
}

func (s *Service) prove(ctx context.Context, q *TokenAsk) (*login, error) {
	switch methods := q.Request.Auth.Identity.Methods; {
	case slices.Equal(methods, []string{"password"}):
		return s.byPassword(ctx, q)
	case slices.Equal(methods, []string{"token"}):
		return s.byToken(ctx, q)
	default:
		return nil, errLogin("method not enabled")
	}
}

// byPassword checks a password. A failure costs the same whatever the cause, and is
// counted against the user named, known or not, and against the source.
func (s *Service) byPassword(ctx context.Context, q *TokenAsk) (*login, error) {
	named := q.Request.Auth.Identity.Password.User
	u, err := s.named(ctx, named.ID, named.Name, named.Domain)
	if err != nil {
		return nil, err
	}
	who, where := userKey(u, named.ID, named.Name, named.Domain), sourceKey(q.Source)
	if now := s.o.Now(); s.byUser.blocked(who, now) || s.byAddress.blocked(where, now) {
		s.logged(ctx, q, "", errLogin("too many failures"))
		return nil, tooManyTries()
	}
	var stored string
	if u != nil {
		stored = u.PasswordHash
	}
	ok, err := s.passwords.verify(ctx, stored, named.Password)
	if err != nil {
		return nil, err
	}
	if !ok || !u.Enabled {
		now := s.o.Now()
		s.byUser.fail(who, now)
		if where != "" {
			s.byAddress.fail(where, now)
		}
		return nil, errLogin("unknown user, wrong password, or disabled")
	}
	s.byUser.forgive(who)
	l := &login{userID: u.ID, methods: []string{"password"}, passwordHash: stored}
	if s.passwords.stale(stored) {
		l.renewed, err = s.passwords.hash(ctx, named.Password)
	}
	return l, err
}

// named returns the user of an id, or of a name in a domain; nil if there is none.
func (s *Service) named(ctx context.Context, id, name string, domain *Ref) (*store.User, error) {
	if id != "" {
		return orNil(s.store.User(ctx, id))
	}
	domainID := domain.ID
	if domainID == "" {
		d, err := orNil(s.store.DomainByName(ctx, domain.Name))
		if d == nil || err != nil {
			return nil, err
		}
		domainID = d.ID
	}
	return orNil(s.store.UserByName(ctx, domainID, name))
}

// userKey returns the key that failures of a user are counted by: the same one for
// all ways to name him.
func userKey(u *store.User, id, name string, domain *Ref) string {
	if u != nil {
		return "id " + u.ID
	}
	if domain == nil {
		domain = &Ref{}
	}
	sum := sha256.Sum256([]byte(id + "\x00" + name + "\x00" + domain.ID + "\x00" + domain.Name))
	return "no " + string(sum[:])
}

// sourceKey returns the key that failures from an address are counted by: a network
// of 64 bits for IPv6, where one client has as many addresses as he likes.
func sourceKey(source netip.Addr) string {
	if !source.IsValid() {
		return ""
	}
	bits := source.BitLen()
	if source.Is6() {
		bits = 64
	}
	network, err := source.Prefix(bits)
	if err != nil {
		return source.String()
	}
	return network.String()
}

// byToken checks a token that is to be exchanged for another scope.
func (s *Service) byToken(ctx context.Context, q *TokenAsk) (*login, error) {
	shown := q.Token
	if m := q.Request.Auth.Identity.Token; m != nil && m.ID != "" {
		shown = m.ID
	}
	if shown == "" {
		return nil, badRequest("Expecting to find id in token, or the header X-Auth-Token.")
	}
	hash, ok := credential.HashToken(string(shown))
	if !ok {
		return nil, errLogin("not a token")
	}
	t, err := orNil(s.store.Token(ctx, hash))
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, errLogin("unknown token")
	}
	return &login{userID: t.UserID, methods: rescoped(t.Methods), from: &hash, assumed: t.Assumed}, nil
}
