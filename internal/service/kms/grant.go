package kms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal/localkms"
	"coffer/internal/store"
)

// MaxGrants bounds the grants on one key, and a page of them.
const MaxGrants = localkms.MaxGrants

// maxPrincipal bounds the id of a principal, in characters.
const maxPrincipal = 64

// grantIDLength is the length of the id of a grant, in hexadecimal digits.
const grantIDLength = 64

// Words of the KMS API for operations that themselves are about grants.
const (
	wordCreateGrant = "create-grant"
	wordRetireGrant = "retire-grant"
)

// NewGrant is the input of CreateKeyGrant. An empty member is one that was not given.
type NewGrant struct {
	KeyID       string
	Grantee     string   // grantee_principal: id of a user, or of the domain
	GranteeType string   // user or domain; "" is user
	Operations  []string // what the grant gives, in the words of the KMS API; not create-grant alone
	Name        string   // 1 to 255 of A-Z a-z 0-9 : / _ -
	Retiring    string   // retiring_principal: id of a user who may retire the grant
}

func (in *NewGrant) validate() error {
	if in.Grantee == "" {
		return missing("grantee_principal")
	}
	if err := in.checkOperations(); err != nil {
		return err
	}
	if in.Name != "" && (len(in.Name) > maxText || strings.ContainsFunc(in.Name, notInAlias)) {
		return csms.Errorf(csms.CodeKMSInvalid, "name must match ^[a-zA-Z0-9:/_-]{1,255}$.")
	}
	switch in.principalType() {
	case store.PrincipalUser, store.PrincipalDomain:
		return nil
	default:
		return csms.Errorf(csms.CodeKMSInvalid, "grantee_principal_type must be user or domain.")
	}
}

func (in *NewGrant) principalType() store.PrincipalType {
	if in.GranteeType == "" {
		return store.PrincipalUser
	}
	return store.PrincipalType(in.GranteeType)
}

func (in *NewGrant) checkOperations() error {
	if len(in.Operations) == 0 {
		return missing("operations")
	}
	for i, word := range in.Operations {
		if !iam.InKeyGrant(word) {
			return csms.Errorf(csms.CodeKMSInvalid, "operations holds something that cannot be granted. It takes create-datakey, "+
				"create-datakey-without-plaintext, encrypt-datakey, decrypt-datakey, describe-key, create-grant, retire-grant, "+
				"encrypt-data and decrypt-data.")
		}
		if slices.Contains(in.Operations[:i], word) {
			return csms.Errorf(csms.CodeKMSInvalid, "operations holds %s twice.", word)
		}
	}
	if len(in.Operations) == 1 && in.Operations[0] == wordCreateGrant {
		return csms.Errorf(csms.CodeKMSGrantAlone, "create-grant cannot be the only operation of a grant.")
	}
	return nil
}

// CreateKeyGrant gives a user, or every user of the domain, some operations on a key,
// and returns the id of the grant. Who may create grants by a grant alone gives only
// what such grants give him.
func (s *Service) CreateKeyGrant(ctx context.Context, who *iam.Caller, in NewGrant) (string, error) {
	if _, err := s.find(ctx, who, iam.CreateKeyGrant, in.KeyID, in.validate); err != nil {
		return "", err
	}
	if err := s.checkPrincipals(ctx, who, &in); err != nil {
		return "", err
	}
	grant := store.KeyGrant{
		Name: in.Name, GranteeType: in.principalType(), GranteeID: in.Grantee, RetiringID: in.Retiring,
		IssuingID: who.UserID, Operations: in.Operations,
	}
	id, err := s.o.Keys.CreateKeyGrant(ctx, who.ProjectID, in.KeyID, grant, func(key *store.Key) error {
		return s.mayGive(who, key, in.Operations)
	})
	return id, coded(err, in.KeyID)
}

// checkPrincipals reports principals that do not exist. Whoever is outside the domain
// never gets into the project of the key, so a grant to him would give nothing.
func (s *Service) checkPrincipals(ctx context.Context, who *iam.Caller, in *NewGrant) error {
	if in.principalType() == store.PrincipalDomain {
		if in.Grantee != who.DomainID {
			return csms.Errorf(csms.CodeKMSPrincipal, "grantee_principal must be the id of the domain of the key.")
		}
	} else if err := s.checkUser(ctx, who.DomainID, "grantee_principal", in.Grantee); err != nil {
		return err
	}
	if in.Retiring == "" {
		return nil
	}
	return s.checkUser(ctx, who.DomainID, "retiring_principal", in.Retiring)
}

func (s *Service) checkUser(ctx context.Context, domain, member, id string) error {
	u, err := s.o.Store.User(ctx, id)
	switch {
	case len(id) <= maxPrincipal && err == nil && u.DomainID == domain:
		return nil
	case err == nil, errors.Is(err, store.ErrNotFound):
		return csms.Errorf(csms.CodeKMSPrincipal, "%s must be the id of a user of the domain.", member)
	default:
		return fmt.Errorf("reading user: %w", err)
	}
}

// mayGive decides create-grant anew on the key as it is now. A caller to whom only
// grants give it can give what those very grants give him, and nothing else.
func (s *Service) mayGive(who *iam.Caller, key *store.Key, operations []string) error {
	r := s.about(who, iam.CreateKeyGrant, key)
	denied := who.Authorize(&r)
	if denied == nil {
		return nil
	}
	for _, word := range operations {
		if !passesOn(key, principal(who), word) {
			return forbidden(denied)
		}
	}
	r.KeyGranted = true
	return forbidden(who.Authorize(&r))
}

// passesOn reports whether a grant gives who both an operation and create-grant.
func passesOn(key *store.Key, who store.Principal, word string) bool {
	return slices.ContainsFunc(key.Grants, func(g store.KeyGrant) bool {
		return g.Gives(who, wordCreateGrant) && g.Gives(who, word)
	})
}

// principal is the caller as a grant can name him.
func principal(who *iam.Caller) store.Principal {
	return store.Principal{UserID: who.GrantUser(), DomainID: who.GrantDomain()}
}

// granted reports whether a grant on the key gives op to the caller. To retire one
// belongs also to who made it and to its retiring principal.
func granted(who *iam.Caller, op iam.Op, key *store.Key) bool {
	if op == iam.RetireKeyGrant {
		return slices.ContainsFunc(key.Grants, func(g store.KeyGrant) bool { return retirable(&g, principal(who)) })
	}
	return key.Gives(principal(who), op.Operation().KeyGrant)
}

// retirable reports whether who may retire g: the user who made it, its retiring
// principal, or its grantee if it gives him retire-grant.
func retirable(g *store.KeyGrant, who store.Principal) bool {
	if who.UserID != "" && (g.IssuingID == who.UserID || g.RetiringID == who.UserID) {
		return true
	}
	return g.Gives(who, wordRetireGrant)
}

// GrantRef names a grant.
type GrantRef struct {
	KeyID   string
	GrantID string // 64 hexadecimal digits
}

func (ref *GrantRef) validate() error {
	if ref.GrantID == "" {
		return missing("grant_id")
	}
	notHex := func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) }
	if len(ref.GrantID) != grantIDLength || strings.ContainsFunc(ref.GrantID, notHex) {
		return csms.Errorf(csms.CodeKMSInvalid, "grant_id must be %d hexadecimal digits.", grantIDLength)
	}
	return nil
}

// RevokeKeyGrant takes a grant away. It ends with the next request.
func (s *Service) RevokeKeyGrant(ctx context.Context, who *iam.Caller, ref GrantRef) error {
	return s.removeGrant(ctx, who, iam.RevokeKeyGrant, ref, func(*store.Key, *store.KeyGrant) error { return nil })
}

// RetireKeyGrant takes a grant away on behalf of whom the grant itself lets do so, or
// of a caller whose policies give him the right on the key.
func (s *Service) RetireKeyGrant(ctx context.Context, who *iam.Caller, ref GrantRef) error {
	return s.removeGrant(ctx, who, iam.RetireKeyGrant, ref, func(key *store.Key, g *store.KeyGrant) error {
		r := s.about(who, iam.RetireKeyGrant, key)
		r.KeyGranted = retirable(g, principal(who))
		return forbidden(who.Authorize(&r))
	})
}

func (s *Service) removeGrant(ctx context.Context, who *iam.Caller, op iam.Op, ref GrantRef, permit func(*store.Key, *store.KeyGrant) error) error {
	key, err := s.find(ctx, who, op, ref.KeyID, ref.validate)
	if err != nil {
		return err
	}
	err = s.o.Keys.RemoveKeyGrant(ctx, who.ProjectID, ref.KeyID, strings.ToLower(ref.GrantID), func(g *store.KeyGrant) error {
		return permit(key, g)
	})
	return coded(err, ref.KeyID)
}

// Grant is a grant and the key that it is on.
type Grant struct {
	store.KeyGrant
	KeyID string
}

// GrantPage is a page of grants.
type GrantPage struct {
	Grants []Grant
	Next   int // the marker of the next page; zero for none
	Total  int // of all pages
}

// Page asks for a page of a list whose marker is how many items to pass over.
type Page struct {
	Limit  int // 1 to MaxGrants
	Marker int
}

func (p *Page) validate() error {
	if p.Limit < 1 || p.Limit > MaxGrants {
		return csms.Errorf(csms.CodeKMSLimit, "limit must be a number from 1 to %d.", MaxGrants)
	}
	if p.Marker < 0 {
		return csms.Errorf(csms.CodeKMSMarker, "marker must be a number from 0.")
	}
	return nil
}

// of returns the page of all that p asks for.
func (p *Page) of(all []Grant) GrantPage {
	from := min(p.Marker, len(all))
	to := min(from+p.Limit, len(all))
	page := GrantPage{Grants: all[from:to], Total: len(all)}
	if to < len(all) {
		page.Next = to
	}
	return page
}

// ListKeyGrants returns a page of the grants on a key, in the order in which they were
// made.
func (s *Service) ListKeyGrants(ctx context.Context, who *iam.Caller, keyID string, p Page) (GrantPage, error) {
	key, err := s.find(ctx, who, iam.ListKeyGrants, keyID, p.validate)
	if err != nil {
		return GrantPage{}, err
	}
	all := make([]Grant, 0, len(key.Grants))
	for _, g := range key.Grants {
		all = append(all, Grant{g, key.ID})
	}
	return p.of(all), nil
}

// ListRetirableKeyGrants returns a page of the grants in the project that name the
// caller as one who may retire them, by key and then in the order in which they were
// made.
func (s *Service) ListRetirableKeyGrants(ctx context.Context, who *iam.Caller, p Page) (GrantPage, error) {
	now, r := s.o.Now(), s.request(who, iam.ListRetirableKeyGrants, "")
	if err := forbidden(who.Authorize(&r)); err != nil {
		return GrantPage{}, err
	}
	if err := p.validate(); err != nil {
		return GrantPage{}, err
	}
	var all []Grant
	err := s.o.Store.View(ctx, func(v *store.View) error {
		for key, err := range v.Keys(who.ProjectID) {
			if err != nil {
				return err
			}
			if gone(key, now) {
				continue
			}
			for _, g := range key.Grants {
				if retirable(&g, principal(who)) {
					all = append(all, Grant{g, key.ID})
				}
			}
		}
		return nil
	})
	return p.of(all), err
}
