package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"coffer/internal/auth/credential"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// Bounds of duration_seconds of a temporary access key (auth.md 3.5).
const (
	minKeyLife     = 900
	maxKeyLife     = 86400
	defaultKeyLife = 900
)

// TemporaryKeyRequest is the body of CreateTemporaryAccessKeyByToken and
// CreateTemporaryAccessKeyByAgency, which share a path.
type TemporaryKeyRequest struct {
	Auth struct {
		Identity struct {
			Methods []string        `json:"methods"`
			Token   TemporaryToken  `json:"token"`
			Policy  json.RawMessage `json:"policy"`

			AssumeRole *AssumeRole `json:"assume_role"` // with the method assume_role
		} `json:"identity"`
	} `json:"auth"`
}

// TemporaryToken says how long the key lives. ID is the token itself, where it does not
// stand in the header.
type TemporaryToken struct {
	ID              Credential `json:"id"`
	DurationSeconds Seconds    `json:"duration_seconds"`
}

// Seconds is a number of seconds, which clients send as a number or as text. Zero
// means that none was given.
type Seconds int

// UnmarshalJSON reads an integer, the text of one, or null.
func (s *Seconds) UnmarshalJSON(b []byte) error {
	text := string(b)
	if text == "null" {
		return nil
	}
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	n, err := strconv.Atoi(text)
	if err != nil || n == 0 {
		return invalidf("duration_seconds must be a number from %d to %d.", minKeyLife, maxKeyLife)
	}
	*s = Seconds(n)
	return nil
}

// TemporaryKeyAnswer is a temporary access key on the wire. Everything in it is there
// once.
type TemporaryKeyAnswer struct {
	Credential TemporaryKeyInfo `json:"credential"`
}

// TemporaryKeyInfo is a temporary access key. ExpiresAt ends in 000Z, which some SDKs
// replace as text (T12).
type TemporaryKeyInfo struct {
	Access        string `json:"access"`
	Secret        string `json:"secret"`
	SecurityToken string `json:"securitytoken"`
	ExpiresAt     string `json:"expires_at"`
}

// Format keeps the credentials out of whatever prints the answer.
func (t TemporaryKeyInfo) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "temporary access key %s", t.Access)
}

// CreateTemporaryAccessKeyByToken makes an access key that lives for a while and has
// the rights of the caller, less what the policy of the request leaves out. A
// temporary key cannot make another one: it would outlive itself.
func (s *Service) CreateTemporaryAccessKeyByToken(ctx context.Context, c *iam.Caller, q TemporaryKeyRequest) (TemporaryKeyAnswer, error) {
	life, policy, err := q.check()
	if err != nil {
		return TemporaryKeyAnswer{}, err
	}
	if err := s.refuseTemporary(ctx, c); err != nil {
		return TemporaryKeyAnswer{}, err
	}
	k, secret, token, err := s.temporaryKey(c.UserID, c.DomainID, life, policy, s.o.Now())
	if err != nil {
		return TemporaryKeyAnswer{}, err
	}
	defer secret.Wipe()
	if err := s.store.Update(ctx, func(tx *store.Tx) error { return tx.PutAccessKey(k) }); err != nil {
		return TemporaryKeyAnswer{}, err
	}
	return TemporaryKeyAnswer{TemporaryKeyInfo{
		Access: k.AccessKey, Secret: string(secret), SecurityToken: token, ExpiresAt: credential.FormatTime(k.Temporary.ExpiresAt),
	}}, nil
}

// check returns the life in seconds and the session policy that are asked for.
func (q *TemporaryKeyRequest) check() (life Seconds, policy []byte, err error) {
	i := &q.Auth.Identity
	if len(i.Methods) != 1 || i.Methods[0] != "token" {
		return 0, nil, invalidf("methods must be [\"token\"] or [\"assume_role\"].")
	}
	return checkKey(i.Token.DurationSeconds, i.Policy, defaultKeyLife, maxKeyLife)
}

// ByAgency reports whether the key is to be one of an agency.
func (q *TemporaryKeyRequest) ByAgency() bool {
	methods := q.Auth.Identity.Methods
	return len(methods) == 1 && methods[0] == assumeMethod
}

// checkKey checks life and session policy of a temporary key; a life of 0 is the
// default.
func checkKey(life Seconds, document []byte, standard, longest Seconds) (Seconds, []byte, error) {
	if life == 0 {
		life = standard
	}
	if life < minKeyLife || life > longest {
		return 0, nil, invalidf("duration_seconds is %d; it takes %d to %d.", life, minKeyLife, longest)
	}
	if len(document) == 0 || string(document) == "null" {
		return life, nil, nil
	}
	policy, err := checkDocument("session", document)
	return life, policy, err
}

// refuseTemporary reports a caller who signed with a temporary key, acts as an agency,
// or is no user of ours.
func (s *Service) refuseTemporary(ctx context.Context, c *iam.Caller) error {
	if c.Foreign {
		return forbiddenf("A user of another identity service has no access keys here.")
	}
	if c.Assumed != nil {
		return forbiddenf("Who acts as an agency makes no access keys and assumes no agency.")
	}
	if c.AccessKey == "" {
		return nil
	}
	k, err := s.store.AccessKey(ctx, c.AccessKey)
	if errors.Is(err, store.ErrNotFound) || err == nil && k.Temporary != nil {
		return forbiddenf("A temporary access key cannot make another one; use a token or a permanent key.")
	}
	return err
}
