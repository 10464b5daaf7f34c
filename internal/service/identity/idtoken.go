package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"strings"

	"coffer/internal/auth/credential"
	"coffer/internal/csms"
	"coffer/internal/store"
)

// idTokenMethod is the method of a token that an ID token bought.
const idTokenMethod = "mapped"

// Issuer is an OpenID Connect issuer whose ID tokens log users in.
type Issuer struct {
	URL string // as its tokens have it in iss
	// Verify returns the claims of a token that is in force. Invalid reports which of
	// its errors are about the token; any other one is that it could not be judged.
	Verify  func(ctx context.Context, token string) (map[string]any, error)
	Invalid func(error) bool
	// Rules say who a token is. The first one that fits counts.
	Rules []IssuerRule
}

// IssuerRule makes whoever has a claim of that text a user.
type IssuerRule struct {
	Claim, Value string
	User         string // name, in the domain of the server
}

// IDTokenAsk is a login with an ID token.
type IDTokenAsk struct {
	Issuer    string // id, as the client names it
	IDToken   Credential
	Scope     Scope
	Source    netip.Addr
	BaseURL   string
	NoCatalog bool
}

// IssueTokenForIDToken makes a token for whoever an ID token is here (auth.md 3.5). It
// is a KeystoneError of 401 for an issuer that is not known, a token that is not valid
// and one that no rule fits, with one text; of 503 if the issuer does not answer; and of
// 429 after too many failures from one address.
func (s *Service) IssueTokenForIDToken(ctx context.Context, q IDTokenAsk) (IssuedToken, error) {
	ask := TokenAsk{Source: q.Source, BaseURL: q.BaseURL, NoCatalog: q.NoCatalog, Request: TokenRequest{Auth: &TokenAuth{
		Identity: &TokenIdentity{Methods: []string{idTokenMethod}}, Scope: q.Scope,
	}}}
	u, err := s.byIDToken(ctx, &ask, q.Issuer, q.IDToken)
	if err != nil {
		return IssuedToken{}, err
	}
	return s.issueFor(ctx, &ask, &login{userID: u.ID, methods: []string{idTokenMethod}, elsewhere: true})
}

// byIDToken returns whom an ID token of an issuer stands for. Failures are counted by
// the address they come from.
func (s *Service) byIDToken(ctx context.Context, q *TokenAsk, issuer string, token Credential) (*store.User, error) {
	where := sourceKey(q.Source)
	if s.byAddress.blocked(where, s.o.Now()) {
		s.logged(ctx, q, "", errLogin("too many failures"))
		return nil, tooManyTries()
	}
	refuse := func(why string) error {
		if where != "" {
			s.byAddress.fail(where, s.o.Now())
		}
		s.logged(ctx, q, "", errLogin(why))
		return Unauthorized()
	}
	i, known := s.o.Issuers[issuer]
	if !known {
		return nil, refuse("unknown issuer")
	}
	claims, err := i.Verify(ctx, string(token))
	if err != nil && !i.Invalid(err) {
		s.logged(ctx, q, "", err)
		return nil, issuerDown()
	}
	if err != nil {
		return nil, refuse(err.Error())
	}
	name := i.user(claims)
	if name == "" {
		return nil, refuse("no rule fits the token")
	}
	u, err := orNil(s.store.UserByName(ctx, s.home, name))
	if err != nil {
		return nil, err
	}
	if u == nil || !u.Enabled {
		return nil, refuse("the user of the rule does not exist or is disabled")
	}
	return u, nil
}

// user returns the name of the user that the claims stand for, "" for none.
func (i *Issuer) user(claims map[string]any) string {
	for _, r := range i.Rules {
		if text, ok := claims[r.Claim].(string); ok && text == r.Value {
			return r.User
		}
	}
	return ""
}

func issuerDown() error {
	return &KeystoneError{Code: 503, Title: "Service Unavailable", Message: "The issuer of the token cannot be asked for its keys. Try again later."}
}

// podKeyLife is how long the key of a pod lives, in seconds. The SDKs renew it before.
const podKeyLife = 3600

// PodCredentials is the answer to a pod (auth.md 3.5). Of it the SDKs read Credentials.
type PodCredentials struct {
	Credentials PodKey     `json:"credentials"`
	Subject     PodSubject `json:"subject"`
}

// PodKey is a temporary access key. Expiration ends in 000Z (T12).
type PodKey struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	SecurityToken   string `json:"securityToken"`
	Expiration      string `json:"expiration"`
}

// PodSubject is the service account of the pod, as far as its token tells.
type PodSubject struct {
	Namespace      string `json:"namespace"`
	ServiceAccount string `json:"serviceAccount"`
}

// AssumePodIdentity makes a temporary access key for a pod that shows the token of its
// service account. The token names its issuer. The errors are those of
// IssueTokenForIDToken.
func (s *Service) AssumePodIdentity(ctx context.Context, token Credential, source netip.Addr) (PodCredentials, error) {
	ask := TokenAsk{Source: source, Request: TokenRequest{Auth: &TokenAuth{Identity: &TokenIdentity{Methods: []string{idTokenMethod}}}}}
	claims := unverified(string(token))
	u, err := s.byIDToken(ctx, &ask, s.issuerOf(claims.Issuer), token)
	if err != nil {
		return PodCredentials{}, err
	}
	now := s.o.Now()
	k, secret, securityToken, err := s.temporaryKey(u.ID, u.DomainID, podKeyLife, nil, now)
	if err != nil {
		return PodCredentials{}, err
	}
	defer secret.Wipe()
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		if _, _, err := standing(tx, &login{userID: u.ID, elsewhere: true}); err != nil {
			return err
		}
		return tx.PutAccessKey(k)
	})
	s.logged(ctx, &ask, u.ID, err)
	if err != nil {
		return PodCredentials{}, err
	}
	return PodCredentials{Subject: claims.Pod.subject(), Credentials: PodKey{
		AccessKeyID: k.AccessKey, SecretAccessKey: string(secret), SecurityToken: securityToken,
		Expiration: credential.FormatTime(k.Temporary.ExpiresAt),
	}}, nil
}

// podClaims is what a token of a service account says beside who signed it.
type podClaims struct {
	Issuer string `json:"iss"`
	Pod    podRef `json:"kubernetes.io"`
}

type podRef struct {
	Namespace      string `json:"namespace"`
	ServiceAccount struct {
		Name string `json:"name"`
	} `json:"serviceaccount"`
}

func (p *podRef) subject() PodSubject {
	return PodSubject{Namespace: p.Namespace, ServiceAccount: p.ServiceAccount.Name}
}

// unverified reads the claims of a token without a look at its signature: they choose
// who is to judge it, and are told after that.
func unverified(token string) podClaims {
	var claims podClaims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims
	}
	if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); err != nil || json.Unmarshal(payload, &claims) != nil {
		return podClaims{}
	}
	return claims
}

// issuerOf returns the id of the issuer of that URL, "" for none.
func (s *Service) issuerOf(url string) string {
	for id, i := range s.o.Issuers {
		if url != "" && i.URL == url {
			return id
		}
	}
	return ""
}

// temporaryKey draws a temporary access key that is not stored yet. The secret belongs
// to the caller.
func (s *Service) temporaryKey(userID, domainID string, life Seconds, policy []byte, now csms.Millis) (*store.AccessKey, csms.Plaintext, string, error) {
	id, secret, err := credential.NewAccessKey(s.o.Rand)
	if err != nil {
		return nil, nil, "", err
	}
	token, _, err := credential.NewToken(s.o.Rand)
	if err != nil {
		secret.Wipe()
		return nil, nil, "", err
	}
	k := &store.AccessKey{
		AccessKey: "HSTA" + id[4:], UserID: userID, DomainID: domainID, Active: true, CreateTime: now,
		Temporary: &store.Temporary{
			TokenHash: credential.HashSecurityToken(token), ExpiresAt: now + csms.Millis(life)*1000, SessionPolicy: policy,
		},
	}
	if k.SealedSecret, err = credential.SealSecret(s.box, k, secret); err != nil {
		secret.Wipe()
		return nil, nil, "", err
	}
	return k, secret, token, nil
}
