package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"

	"coffer/internal/auth/credential"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// TokenAsk is a request for a token.
type TokenAsk struct {
	Request   TokenRequest // as ParseTokenRequest returned it
	Token     Credential   // X-Auth-Token: for the method token without an id in the body
	Source    netip.Addr   // after trusted proxies; failures are counted by it
	BaseURL   string       // of this server, for the catalog; without a slash at the end
	NoCatalog bool
}

// IssuedToken is a new token. Subject is the token itself, for X-Subject-Token; it
// exists nowhere else.
type IssuedToken struct {
	Subject Credential
	Body    TokenAnswer
}

// login is a proof of identity that held, to be held against the records once more
// when the token is made.
type login struct {
	userID  string
	methods []string

	passwordHash string // that the password had; "" for the method token
	renewed      string // a hash of the same password with the costs of now, or ""

	from *[32]byte // hash of the token that was shown; nil for the method password

	elsewhere bool // an issuer has said who it is, and no password of ours counts
}

// IssueToken makes a token for whoever proves who he is, by the method password or
// token. A new token leaves older ones valid; one got for a token lives no longer
// than that, so that nobody can renew his access for ever. It is a KeystoneError of
// 401 if anything about the proof or the scope does not hold (one text, equal
// cost), and of 429 after too many failures.
func (s *Service) IssueToken(ctx context.Context, q TokenAsk) (IssuedToken, error) {
	if err := q.Request.check(); err != nil {
		return IssuedToken{}, err
	}
	l, err := s.logIn(ctx, &q)
	if err != nil {
		return IssuedToken{}, err
	}
	return s.issueFor(ctx, &q, l)
}

// issueFor makes the token for a login that held.
func (s *Service) issueFor(ctx context.Context, q *TokenAsk, l *login) (IssuedToken, error) {
	subject, hash, err := credential.NewToken(s.o.Rand)
	if err != nil {
		return IssuedToken{}, err
	}
	audit, err := s.auditID()
	if err != nil {
		return IssuedToken{}, err
	}
	i := issue{token: &store.Token{Hash: hash, AuditID: audit}}
	now := s.o.Now()
	err = s.store.Update(ctx, func(tx *store.Tx) error { return s.issue(tx, &i, l, &q.Request.Auth.Scope, now) })
	s.logged(ctx, q, l.userID, err)
	if err != nil {
		return IssuedToken{}, err
	}
	return IssuedToken{Subject: Credential(subject), Body: s.answer(&i, q.BaseURL, q.NoCatalog)}, nil
}

// auditID returns an id of a token for logs: 22 characters that say nothing of it.
func (s *Service) auditID() (string, error) {
	var id [16]byte
	if _, err := io.ReadFull(s.o.Rand, id[:]); err != nil {
		return "", fmt.Errorf("drawing an audit id: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(id[:]), nil
}

// issue completes i inside the transaction that stores its token. Everything that
// the login rested on is asked again here: the password or the token may have
// changed since.
func (s *Service) issue(tx *store.Tx, i *issue, l *login, scope *Scope, now csms.Millis) error {
	var err error
	if i.user, i.domain, err = standing(tx, l); err != nil {
		return err
	}
	if l.renewed != "" {
		i.user.PasswordHash = l.renewed
		if err := tx.PutUser(i.user); err != nil {
			return err
		}
	}
	t := i.token
	t.UserID, t.DomainID, t.Methods = i.user.ID, i.domain.ID, l.methods
	t.IssuedAt = credential.IssueTime(i.user, now)
	t.ExpiresAt = t.IssuedAt + s.ttl
	if l.from != nil {
		from, err := tx.Token(*l.from)
		if err != nil || credential.Expired(from, now) || credential.Void(from, i.user, i.domain) {
			return orUnauthorized(err)
		}
		t.ExpiresAt = min(t.ExpiresAt, from.ExpiresAt)
	}
	if i.project, err = s.scope(tx, t, i.domain, scope); err != nil {
		return err
	}
	if err := i.nameRoles(tx.Policy, tx.Group); err != nil {
		return err
	}
	return tx.PutToken(t)
}

// standing returns user and domain of a login that still holds.
func standing(tx *store.Tx, l *login) (*store.User, *store.Domain, error) {
	u, err := tx.User(l.userID)
	if err != nil {
		return nil, nil, orUnauthorized(err)
	}
	d, err := tx.Domain(u.DomainID)
	if err != nil {
		return nil, nil, orUnauthorized(err)
	}
	if !u.Enabled || !d.Enabled || l.from == nil && !l.elsewhere && u.PasswordHash != l.passwordHash {
		return nil, nil, Unauthorized()
	}
	return u, d, nil
}

// orUnauthorized keeps an internal error and turns the rest, nil included, into 401.
func orUnauthorized(err error) error {
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return Unauthorized()
}

// scope sets the scope of t, which must be within the domain of the user, and
// returns the project of it, if any.
func (s *Service) scope(tx *store.Tx, t *store.Token, d *store.Domain, scope *Scope) (*store.Project, error) {
	if scope.Domain != nil {
		t.DomainScope = true
		return nil, within(scope.Domain, d)
	}
	if scope.Project == nil {
		return nil, nil
	}
	if err := within(scope.Project.Domain, d); err != nil {
		return nil, err
	}
	var p *store.Project
	var err error
	if scope.Project.ID != "" {
		p, err = tx.Project(scope.Project.ID)
	} else {
		p, err = s.projectByName(d.ID, scope.Project.Name, tx.ProjectByName)
	}
	if err != nil || p.DomainID != d.ID || !p.Enabled {
		return nil, orUnauthorized(err)
	}
	t.ProjectID = p.ID
	return p, nil
}

// within reports a reference to another domain; none at all is the user's own.
func within(r *Ref, d *store.Domain) error {
	if r == nil || r.ID == d.ID || r.ID == "" && r.Name == d.Name {
		return nil
	}
	return Unauthorized()
}

// ValidateToken describes a token: to its own user, and to whoever may ask about
// those of others. The errors are KeystoneErrors of 403 and 404.
func (s *Service) ValidateToken(ctx context.Context, c *iam.Caller, subject, baseURL string, noCatalog bool) (TokenAnswer, error) {
	i, err := s.find(ctx, c, subject, iam.KeystoneValidateToken, "identity:validate_token")
	if err != nil {
		return TokenAnswer{}, err
	}
	policy := func(id string) (*store.Policy, error) { return s.store.Policy(ctx, id) }
	if err := i.nameRoles(policy, func(id string) (*store.Group, error) { return s.store.Group(ctx, id) }); err != nil {
		return TokenAnswer{}, err
	}
	if i.token.ProjectID != "" {
		if i.project, err = s.store.Project(ctx, i.token.ProjectID); errors.Is(err, store.ErrNotFound) {
			err = noSuchToken()
		}
		if err != nil {
			return TokenAnswer{}, err
		}
	}
	return s.answer(&i, baseURL, noCatalog), nil
}

// RevokeToken makes a token void at once. The rules are those of ValidateToken.
func (s *Service) RevokeToken(ctx context.Context, c *iam.Caller, subject string) error {
	i, err := s.find(ctx, c, subject, iam.KeystoneRevokeToken, "identity:revoke_token")
	if err != nil {
		return err
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteToken(i.token) })
	if errors.Is(err, store.ErrNotFound) {
		return noSuchToken()
	}
	return err
}

// find returns a token that is in force and that the caller may do op to.
func (s *Service) find(ctx context.Context, c *iam.Caller, subject string, op iam.Op, action string) (issue, error) {
	hash, ok := credential.HashToken(subject)
	if !ok {
		return issue{}, noSuchToken()
	}
	t, err := orNil(s.store.Token(ctx, hash))
	if err != nil {
		return issue{}, err
	}
	if t == nil || credential.Expired(t, s.o.Now()) {
		return issue{}, noSuchToken()
	}
	u, err := orNil(s.store.User(ctx, t.UserID))
	if err != nil {
		return issue{}, err
	}
	d, err := orNil(s.store.Domain(ctx, t.DomainID))
	if err != nil {
		return issue{}, err
	}
	if credential.Void(t, u, d) {
		return issue{}, noSuchToken()
	}
	if t.UserID != c.UserID {
		r := iam.Request{Op: op, Region: s.o.Region, Domain: t.DomainID}
		if decision := iam.Evaluate(c, &r); !decision.Allowed {
			return issue{}, forbiddenAction(action)
		}
	}
	return issue{token: t, user: u, domain: d}, nil
}

// logged notes the result of a login. The reason stays here; the caller gets one
// text for all.
func (s *Service) logged(ctx context.Context, q *TokenAsk, userID string, err error) {
	attrs := []slog.Attr{
		slog.Any("methods", known(q.Request.Auth.Identity.Methods)), slog.String("user_id", userID), slog.String("source", q.Source.String()),
	}
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelInfo, "token refused", append(attrs, slog.String("reason", err.Error()))...)
		return
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "token issued", attrs...)
}

// known returns the methods that exist, so that the log repeats no text of a stranger.
func known(methods []string) []string {
	var out []string
	for _, m := range []string{"password", "token", idTokenMethod} {
		if slices.Contains(methods, m) {
			out = append(out, m)
		}
	}
	return out
}

// rescoped returns the methods of a token got for another one: those of both.
func rescoped(from []string) []string {
	methods := []string{"token"}
	for _, m := range from {
		if !slices.Contains(methods, m) {
			methods = append(methods, m)
		}
	}
	return methods
}
