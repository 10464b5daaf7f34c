package kms

import (
	"context"
	"slices"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal/localkms"
	"coffer/internal/store"
)

// MaxAliases bounds the aliases of one key beside its own, and a page of them.
const MaxAliases = localkms.MaxAliases

// aliasPrefix begins every alias beside the own one of a key.
const aliasPrefix = "alias/"

// Alias is a name of a key beside its own alias.
type Alias struct {
	store.KeyAlias
	KeyID    string
	DomainID string
	URN      string
}

func (s *Service) alias(who *iam.Caller, keyID string, a store.KeyAlias) Alias {
	return Alias{KeyAlias: a, KeyID: keyID, DomainID: who.DomainID, URN: "kms:" + s.o.Region + ":" + who.DomainID + ":alias:" + a.Alias}
}

func checkNewAlias(alias string) error {
	if alias == "" {
		return missing("alias")
	}
	name, prefixed := strings.CutPrefix(alias, aliasPrefix)
	if !prefixed || name == "" || len(alias) > maxText || strings.ContainsFunc(name, notInAlias) {
		return csms.Errorf(csms.CodeKMSAlias, "alias must begin with alias/, match ^[a-zA-Z0-9:/_-]*$ and have at most %d characters.", maxText)
	}
	return nil
}

// CreateKeyAlias gives a key one more alias.
func (s *Service) CreateKeyAlias(ctx context.Context, who *iam.Caller, keyID, alias string) (Alias, error) {
	if _, err := s.find(ctx, who, iam.CreateKeyAlias, keyID, func() error { return checkNewAlias(alias) }); err != nil {
		return Alias{}, err
	}
	a, err := s.o.Keys.CreateKeyAlias(ctx, who.ProjectID, keyID, alias)
	return s.alias(who, keyID, a), coded(err, keyID)
}

// AssociateKeyAlias moves an alias from the key that has it to another. It takes the
// right on both.
func (s *Service) AssociateKeyAlias(ctx context.Context, who *iam.Caller, keyID, alias string) (Alias, error) {
	if _, err := s.find(ctx, who, iam.AssociateKeyAlias, keyID, func() error { return checkNewAlias(alias) }); err != nil {
		return Alias{}, err
	}
	now := s.o.Now()
	a, err := s.o.Keys.AssociateKeyAlias(ctx, who.ProjectID, keyID, alias, func(from *store.Key) error {
		if gone(from, now) {
			return localkms.ErrNoAlias
		}
		r := s.about(who, iam.AssociateKeyAlias, from)
		return forbidden(who.Authorize(&r))
	})
	return s.alias(who, keyID, a), coded(err, keyID)
}

// DeleteKeyAliases takes aliases from a key, all or none.
func (s *Service) DeleteKeyAliases(ctx context.Context, who *iam.Caller, keyID string, aliases []string) error {
	_, err := s.find(ctx, who, iam.DeleteKeyAliases, keyID, func() error {
		if len(aliases) == 0 {
			return missing("aliases")
		}
		for _, alias := range aliases {
			if err := checkNewAlias(alias); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return coded(s.o.Keys.DeleteKeyAliases(ctx, who.ProjectID, keyID, aliases), keyID)
}

// AliasListing asks for a page of aliases.
type AliasListing struct {
	KeyID  string // "" for those of all keys of the project; an unknown key has none
	Limit  int    // 1 to MaxAliases
	Marker string // the last alias of the page before; "" for the first page
}

func (l *AliasListing) validate() error {
	if l.Limit < 1 || l.Limit > MaxAliases {
		return csms.Errorf(csms.CodeKMSLimit, "limit must be a number from 1 to %d.", MaxAliases)
	}
	return nil
}

// ListKeyAliases returns a page of aliases, ascending, and the marker of the next one,
// "" for none.
func (s *Service) ListKeyAliases(ctx context.Context, who *iam.Caller, l AliasListing) ([]Alias, string, error) {
	all, err := s.aliases(ctx, who, &l)
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(all, func(a, b Alias) int { return strings.Compare(a.Alias, b.Alias) })
	from, found := slices.BinarySearchFunc(all, l.Marker, func(a Alias, marker string) int { return strings.Compare(a.Alias, marker) })
	if found {
		from++
	}
	page := all[from:min(from+l.Limit, len(all))]
	if from+len(page) < len(all) {
		return page, page[len(page)-1].Alias, nil
	}
	return page, "", nil
}

// aliases returns all aliases of the key of l, or of all keys.
func (s *Service) aliases(ctx context.Context, who *iam.Caller, l *AliasListing) (all []Alias, err error) {
	add := func(key *store.Key) {
		for _, a := range key.Aliases {
			all = append(all, s.alias(who, key.ID, a))
		}
	}
	if l.KeyID != "" {
		key, err := s.find(ctx, who, iam.ListKeyAliases, l.KeyID, l.validate)
		if csms.CodeOf(err) == csms.CodeKMSKeyNotFound {
			return nil, nil // a filter that matches nothing
		}
		if err != nil {
			return nil, err
		}
		add(key)
		return all, nil
	}
	now, r := s.o.Now(), s.request(who, iam.ListKeyAliases, "")
	r.EnterpriseProjectID = iam.Value[string]{}
	filter, err := who.AuthorizeList(&r)
	if err != nil {
		return nil, forbidden(err)
	}
	if err := l.validate(); err != nil {
		return nil, err
	}
	err = s.o.Store.View(ctx, func(v *store.View) error {
		for key, err := range v.Keys(who.ProjectID) {
			if err != nil {
				return err
			}
			if !gone(key, now) && filter.Allows(key.InEnterpriseProject()) {
				add(key)
			}
		}
		return nil
	})
	return all, err
}
