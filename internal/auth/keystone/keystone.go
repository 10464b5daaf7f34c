// Package keystone asks an OpenStack Keystone who holds a token that Coffer did not
// issue (auth.md section 10).
//
// The rule that keeps it honest: only Keystone says that a token is good. What it said
// is kept for a minute at most and never beyond the life of the token, under the hash
// of the token, so a revocation counts after that time; and what it could not say is
// an error of its own, never a refusal.
package keystone

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"coffer/internal/outgoing"
)

// ErrInvalid says that Keystone does not know the token: it is unknown, expired or
// revoked.
var ErrInvalid = errors.New("keystone: the token is not valid")

// ErrUnavailable wraps what kept Keystone from answering, a refused service user
// among it.
var ErrUnavailable = errors.New("keystone: no answer")

// How long an answer is kept (auth.md section 10, 2).
const (
	GoodFor = time.Minute
	BadFor  = 10 * time.Second
)

// Token is what Keystone says of a valid token.
type Token struct {
	UserID, UserName string
	DomainID         string // of the user
	ProjectID        string // "" for a token that is not scoped to a project
	Roles            []string
	ExpiresAt        time.Time
}

// Options of a Client. URL, Client and Now are required.
type Options struct {
	URL    string           // with /v3 at its end
	User   User             // without a name each token is validated by itself
	Client *outgoing.Client // is not closed
	Now    func() time.Time // wall time, as Keystone has it
}

// User is the service user whose token validates others. He needs a role that the
// policy identity:validate_token of Keystone names: admin or service.
type User struct {
	Name, Domain           string // name of the domain
	Project, ProjectDomain string // names
	Password               []byte // belongs to the Client
}

// Client validates tokens. It is safe for concurrent use.
type Client struct {
	o       Options
	answers answers
	asking  singleflight.Group // by hash, and "" for the token of the service user
	own     ownToken
}

// New returns a Client. It asks nothing yet.
func New(o Options) *Client {
	o.URL = strings.TrimRight(o.URL, "/")
	return &Client{o: o, answers: newAnswers()}
}

// Token returns what Keystone says of a token. The result is shared and must not be
// changed. Errors are ErrInvalid, or wrap ErrUnavailable or that of ctx.
func (c *Client) Token(ctx context.Context, token string) (*Token, error) {
	if !sendable(token) {
		return nil, ErrInvalid
	}
	hash := sha256.Sum256([]byte(token))
	if t, known := c.answers.get(hash, c.o.Now()); known {
		return t, validity(t)
	}
	// Whoever asks first asks for all; that he goes away is no answer for the others.
	asked := c.asking.DoChan(string(hash[:]), func() (any, error) {
		t, err := c.ask(context.WithoutCancel(ctx), token)
		if err != nil && !errors.Is(err, ErrInvalid) {
			return nil, err
		}
		c.answers.put(hash, t, c.o.Now())
		return t, nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-asked:
		if r.Err != nil {
			return nil, r.Err
		}
		t := r.Val.(*Token)
		return t, validity(t)
	}
}

func validity(t *Token) error {
	if t == nil {
		return ErrInvalid
	}
	return nil
}

// maxToken is more than the tokens of any provider have.
const maxToken = 8192

// sendable reports whether a token can stand in a header as it is.
func sendable(token string) bool {
	if token == "" || len(token) > maxToken {
		return false
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return false
		}
	}
	return true
}

// ask validates a token at Keystone, with a new token of the service user if the old
// one is refused.
func (c *Client) ask(ctx context.Context, token string) (*Token, error) {
	asker, err := c.asker(ctx, token)
	if err != nil {
		return nil, err
	}
	answer, err := c.show(ctx, asker, token)
	if err != nil || answer.Status != http.StatusUnauthorized || c.o.User.Name == "" {
		return c.read(answer, err)
	}
	if asker, err = c.renew(ctx, asker); err != nil {
		return nil, err
	}
	answer, err = c.show(ctx, asker, token)
	return c.read(answer, err)
}

// asker returns the token to ask with: that of the service user, or the one that is
// asked about.
func (c *Client) asker(ctx context.Context, token string) (string, error) {
	if c.o.User.Name == "" {
		return token, nil
	}
	if own := c.own.get(); own != "" {
		return own, nil
	}
	return c.renew(ctx, "")
}

func (c *Client) show(ctx context.Context, asker, token string) (*outgoing.Answer, error) {
	r, err := http.NewRequest(http.MethodGet, c.o.URL+"/auth/tokens?nocatalog", nil)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", c.o.URL, err)
	}
	r.Header.Set("X-Auth-Token", asker)
	r.Header.Set("X-Subject-Token", token)
	return c.o.Client.Send(ctx, r)
}

// read turns an answer about a token into what it says.
func (c *Client) read(answer *outgoing.Answer, err error) (*Token, error) {
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	switch {
	case answer.Status == http.StatusOK:
		t, err := parseToken(answer.Body)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if !t.ExpiresAt.After(c.o.Now()) {
			return nil, ErrInvalid
		}
		return t, nil
	case answer.Status == http.StatusNotFound, c.o.User.Name == "" && answer.Status == http.StatusUnauthorized:
		return nil, ErrInvalid
	default:
		return nil, fmt.Errorf("%w: status %d for a token; the service user needs the role admin or service", ErrUnavailable, answer.Status)
	}
}
