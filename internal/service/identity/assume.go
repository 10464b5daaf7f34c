package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"coffer/internal/auth/credential"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// assumeMethod is the method of a token or key that is got by assuming an agency.
const assumeMethod = "assume_role"

// AssumeRole names an agency that a user wants to act as: its name, and its account by
// id, else by name.
type AssumeRole struct {
	AgencyName       string       `json:"agency_name"`
	RoleName         string       `json:"xrole_name"` // another word for AgencyName
	DomainID         string       `json:"domain_id"`
	DomainName       string       `json:"domain_name"`
	DurationSeconds  Seconds      `json:"duration_seconds"`  // of a key
	SessionUser      *SessionUser `json:"session_user"`      // of a key
	DelegatedProject string       `json:"delegated_project"` // of a token without a scope: name of a project of the account
}

// SessionUser names the session for logs and conditions.
type SessionUser struct {
	Name string `json:"name"`
}

func (r *AssumeRole) name() string {
	if r.AgencyName == "" {
		return r.RoleName
	}
	return r.AgencyName
}

// missing says which member is not there, "" for none.
func (r *AssumeRole) missing() string {
	switch {
	case r == nil:
		return "assume_role in identity"
	case r.name() == "":
		return "agency_name in assume_role"
	case r.DomainID == "" && r.DomainName == "":
		return "domain_id or domain_name in assume_role"
	}
	return ""
}

// Bounds of the name of a session, which holds letters, digits, "-" and "_" and begins
// with a letter.
const (
	minSessionUser = 5
	maxSessionUser = 64
)

const sessionLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// session returns the name of the session: the one that is asked for, else that of the
// user.
func (r *AssumeRole) session(c *iam.Caller) (string, error) {
	if r.SessionUser == nil || r.SessionUser.Name == "" {
		return c.UserName, nil
	}
	name := r.SessionUser.Name
	if len(name) < minSessionUser || len(name) > maxSessionUser || strings.Trim(name, sessionLetters+"0123456789-_") != "" ||
		!strings.Contains(sessionLetters, name[:1]) {
		return "", invalidf("session_user.name takes %d to %d letters, digits, '-' and '_', and begins with a letter.", minSessionUser, maxSessionUser)
	}
	return name, nil
}

// notTrusted is the one answer for an agency that does not exist, has expired, or does
// not trust the caller: who may not assume an agency does not hear of it.
func notTrusted() error {
	return forbiddenf("The agency does not exist or does not trust the account of the caller.")
}

// assume authorizes the caller to act as an agency and returns it. He needs the right
// to assume it in his own account, and the agency must trust that account.
func (s *Service) assume(ctx context.Context, c *iam.Caller, r *AssumeRole) (*store.Agency, error) {
	if err := s.refuseTemporary(ctx, c); err != nil {
		return nil, err
	}
	domain, err := s.domainOf(ctx, r)
	if err != nil {
		return nil, err
	}
	q := iam.Request{Op: iam.CreateTemporaryAccessKeyByAgency, Domain: c.DomainID, Account: domain, Resource: r.name()}
	if d := iam.Evaluate(c, &q); !d.Allowed {
		return nil, forbiddenf("%s", d.Denial())
	}
	a, err := orNil(s.store.AgencyByName(ctx, domain, r.name()))
	if err != nil {
		return nil, err
	}
	if a == nil || a.Expired(s.o.Now()) || !a.Trusts(c.DomainID) {
		return nil, notTrusted()
	}
	return a, nil
}

// domainOf returns the id of the account that r names. One that does not exist is
// returned as it is named: no agency is found there.
func (s *Service) domainOf(ctx context.Context, r *AssumeRole) (string, error) {
	if r.DomainID != "" {
		return r.DomainID, nil
	}
	d, err := orNil(s.store.DomainByName(ctx, r.DomainName))
	if err != nil {
		return "", err
	}
	if d == nil {
		return r.DomainName, nil
	}
	return d.ID, nil
}

// stillAssumable reads agency and account once more where what is got for them is
// stored. The user must be in force and of an account that is trusted.
func stillAssumable(tx *store.Tx, as *store.Assumed, u *store.User, now csms.Millis) (*store.Agency, *store.Domain, error) {
	a, err := orNil(tx.Agency(as.AgencyID))
	if err != nil {
		return nil, nil, err
	}
	if a == nil || a.Expired(now) || !a.Trusts(u.DomainID) {
		return nil, nil, notTrusted()
	}
	d, err := orNil(tx.Domain(a.DomainID))
	if err != nil {
		return nil, nil, err
	}
	if d == nil || !d.Enabled {
		return nil, nil, notTrusted()
	}
	return a, d, nil
}

// CreateTemporaryAccessKeyByAgency makes an access key that lives for a while and acts
// as an agency: with what is assigned to the agency, less what the policy of the
// request leaves out. The key ends with the agency, with its trust, and with the user
// who made it; who lost nothing but the right to assume it keeps what he has.
func (s *Service) CreateTemporaryAccessKeyByAgency(ctx context.Context, c *iam.Caller, q TemporaryKeyRequest) (TemporaryKeyAnswer, error) {
	i := &q.Auth.Identity
	if what := i.AssumeRole.missing(); what != "" {
		return TemporaryKeyAnswer{}, invalidf("%s is missing.", what)
	}
	life, policy, err := checkKey(i.AssumeRole.DurationSeconds, i.Policy, defaultKeyLife, maxKeyLife)
	if err != nil {
		return TemporaryKeyAnswer{}, err
	}
	session, err := i.AssumeRole.session(c)
	if err != nil {
		return TemporaryKeyAnswer{}, err
	}
	made, err := s.assumedKey(ctx, c, keyAsk{role: i.AssumeRole, session: session, life: life, policy: policy})
	return TemporaryKeyAnswer{made.key}, err
}

// keyAsk is what is asked of a key of an agency.
type keyAsk struct {
	role    *AssumeRole
	session string
	life    Seconds
	policy  []byte
}

// assumedKey is a new key of an agency.
type assumedKey struct {
	key    TemporaryKeyInfo
	agency *store.Agency
}

func (s *Service) assumedKey(ctx context.Context, c *iam.Caller, q keyAsk) (assumedKey, error) {
	a, err := s.assume(ctx, c, q.role)
	if err != nil {
		return assumedKey{}, err
	}
	now := s.o.Now()
	k, secret, token, err := s.temporaryKey(c.UserID, c.DomainID, q.life, q.policy, now)
	if err != nil {
		return assumedKey{}, err
	}
	defer secret.Wipe()
	k.Temporary.Assumed = &store.Assumed{AgencyID: a.ID, DomainID: a.DomainID, Session: q.session}
	if a.ExpireTime != 0 {
		k.Temporary.ExpiresAt = min(k.Temporary.ExpiresAt, a.ExpireTime)
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		u, _, err := standing(tx, &login{userID: c.UserID, elsewhere: true})
		if err != nil {
			return err
		}
		if _, _, err := stillAssumable(tx, k.Temporary.Assumed, u, now); err != nil {
			return err
		}
		return tx.PutAccessKey(k)
	})
	if err != nil {
		return assumedKey{}, err
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "agency assumed", slog.String("agency_id", a.ID), slog.String("agency_session", q.session),
		slog.String("user_id", c.UserID), slog.String("access_key", k.AccessKey))
	return assumedKey{agency: a, key: TemporaryKeyInfo{
		Access: k.AccessKey, Secret: string(secret), SecurityToken: token, ExpiresAt: credential.FormatTime(k.Temporary.ExpiresAt),
	}}, nil
}

// Bounds of the STS form.
const (
	defaultSTSLife = 3600
	maxSTSLife     = 43200
	minSTSSession  = 2
	maxSTSSession  = 128
)

// AssumeAgencyRequest is the body of AssumeAgency of STS. Policy is a document as text.
type AssumeAgencyRequest struct {
	AgencyURN       string          `json:"agency_urn"`
	SessionName     string          `json:"agency_session_name"`
	DurationSeconds Seconds         `json:"duration_seconds"`
	Policy          string          `json:"policy"`
	PolicyIDs       json.RawMessage `json:"policy_ids"`
}

// AssumeAgencyAnswer is the answer of AssumeAgency. The credentials are there once.
type AssumeAgencyAnswer struct {
	Credentials   STSKey        `json:"credentials"`
	AssumedAgency AssumedAgency `json:"assumed_agency"`
}

// STSKey is a temporary access key, with the words of STS.
type STSKey struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	SecurityToken   string `json:"security_token"`
	Expiration      string `json:"expiration"`
}

// Format keeps the credentials out of whatever prints the answer.
func (k STSKey) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "temporary access key %s", k.AccessKeyID) }

// AssumedAgency is the session of an agency.
type AssumedAgency struct {
	URN string `json:"urn"`
	ID  string `json:"id"` // of the agency, and the name of the session
}

// sessionURN is the name of the session of an agency.
func sessionURN(domainID, agency, session string) string {
	return "sts::" + domainID + ":assumed-agency:" + agency + "/" + session
}

// check returns what is asked for.
func (q *AssumeAgencyRequest) check() (keyAsk, error) {
	account, name, err := parseAgencyURN(q.AgencyURN)
	if err != nil {
		return keyAsk{}, err
	}
	if len(q.SessionName) < minSTSSession || len(q.SessionName) > maxSTSSession ||
		strings.Trim(q.SessionName, sessionLetters+"0123456789-_.@=,+") != "" {
		return keyAsk{}, invalidf("agency_session_name takes %d to %d letters, digits and \"-_.@=,+\".", minSTSSession, maxSTSSession)
	}
	if ids := string(q.PolicyIDs); ids != "" && ids != "null" && ids != "[]" {
		return keyAsk{}, invalidf("policy_ids cannot limit a session here; give the limits as policy.")
	}
	life, policy, err := checkKey(q.DurationSeconds, []byte(q.Policy), defaultSTSLife, maxSTSLife)
	return keyAsk{role: &AssumeRole{AgencyName: name, DomainID: account}, session: q.SessionName, life: life, policy: policy}, err
}

// parseAgencyURN reads iam::<account>:agency:<name>.
func parseAgencyURN(urn string) (account, name string, err error) {
	parts := strings.SplitN(urn, ":", 5)
	if len(parts) != 5 || parts[0] != "iam" || parts[1] != "" || parts[2] == "" || parts[3] != "agency" || parts[4] == "" {
		return "", "", invalidf("agency_urn has the form iam::<account id>:agency:<name>.")
	}
	return parts[2], parts[4], nil
}

// AssumeAgency is CreateTemporaryAccessKeyByAgency with the words of STS.
func (s *Service) AssumeAgency(ctx context.Context, c *iam.Caller, q AssumeAgencyRequest) (AssumeAgencyAnswer, error) {
	ask, err := q.check()
	if err != nil {
		return AssumeAgencyAnswer{}, err
	}
	made, err := s.assumedKey(ctx, c, ask)
	if err != nil {
		return AssumeAgencyAnswer{}, err
	}
	return AssumeAgencyAnswer{
		Credentials: STSKey{
			AccessKeyID: made.key.Access, SecretAccessKey: made.key.Secret, SecurityToken: made.key.SecurityToken, Expiration: made.key.ExpiresAt,
		},
		AssumedAgency: AssumedAgency{
			URN: sessionURN(made.agency.DomainID, made.agency.Name, ask.session), ID: made.agency.ID + ":" + ask.session,
		},
	}, nil
}
