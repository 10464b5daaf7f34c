package service

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// MadeAgency is what became of one agency that rotation needs: its id, or why there
// is none.
type MadeAgency struct {
	Name   string
	ID     string
	Failed string // "" if there is an agency
}

// CreateAgency makes the agencies that the rotation of a type of secret needs, in the
// account of the caller (RO12). One that is there is left as it is, but for rights of
// rotation that it lost. The caller also needs the right to make an agency of each
// name; what stands in the way of one is told in its entry and is no error.
func (s *Service) CreateAgency(ctx context.Context, who *iam.Caller, t csms.Type) ([]MadeAgency, error) {
	if err := s.Authorize(ctx, who, iam.CreateAgency, ""); err != nil {
		return nil, err
	}
	needed, err := csms.AgenciesFor(t)
	if err != nil {
		return nil, err
	}
	now := s.now()
	made := make([]MadeAgency, 0, len(needed))
	for i := range needed {
		m, err := s.makeAgency(ctx, who, &needed[i], now)
		if err != nil {
			return nil, internalf(err, "making the agency %s", needed[i].Name)
		}
		made = append(made, m)
	}
	return made, nil
}

// makeAgency makes one agency, or says why it cannot be made.
func (s *Service) makeAgency(ctx context.Context, who *iam.Caller, a *csms.Agency, now csms.Millis) (MadeAgency, error) {
	made := MadeAgency{Name: a.Name}
	r := iam.Request{Op: iam.CreateTrustAgencyV5, Region: s.region, Domain: who.DomainID, Resource: a.Name}
	if d := iam.Evaluate(who, &r); !d.Allowed {
		made.Failed = d.Denial()
		return made, nil
	}
	inline, err := agencyPolicy(a)
	if err != nil {
		return MadeAgency{}, err
	}
	record := &store.Agency{
		ID: strings.ReplaceAll(s.newID(), "-", ""), DomainID: who.DomainID, Name: a.Name, TrustDomainName: a.Trusts,
		Description: "Made by CreateAgency for the rotation of secrets.", CreateTime: now, Inline: []store.InlinePolicy{inline},
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		made.ID, made.Failed = "", ""
		there, err := tx.AgencyByName(who.DomainID, a.Name)
		if errors.Is(err, store.ErrNotFound) {
			made.ID = record.ID
			return tx.PutAgency(record)
		}
		if err != nil {
			return err
		}
		if made.Failed = unfit(there, a, now); made.Failed != "" {
			return nil
		}
		made.ID = there.ID
		if hasPolicy(there, inline) {
			return nil
		}
		there.Inline = append(there.Inline, inline)
		return tx.PutAgency(there)
	})
	return made, err
}

// unfit says why an agency that has the name is not the one that is needed; "" if it is.
func unfit(there *store.Agency, a *csms.Agency, now csms.Millis) string {
	switch {
	case there.TrustDomainName != a.Trusts:
		return "An agency of this name exists and trusts another account."
	case there.Expired(now):
		return "An agency of this name exists and has expired."
	}
	return ""
}

func hasPolicy(a *store.Agency, p store.InlinePolicy) bool {
	return slices.ContainsFunc(a.Inline, func(has store.InlinePolicy) bool { return has.Name == p.Name })
}

// agencyPolicy is the policy with the rights of an agency.
func agencyPolicy(a *csms.Agency) (store.InlinePolicy, error) {
	document, err := json.Marshal(map[string]any{
		"Version": "1.1", "Statement": []any{map[string]any{"Effect": "Allow", "Action": a.Actions}},
	})
	return store.InlinePolicy{Name: a.Name, Document: document}, err
}

// ShowAgency tells whether the agencies that the rotation of a type of secret needs are
// there, trust who they must, and have their rights (RO12).
func (s *Service) ShowAgency(ctx context.Context, who *iam.Caller, t csms.Type) (granted bool, err error) {
	if err := s.Authorize(ctx, who, iam.ShowAgency, ""); err != nil {
		return false, err
	}
	needed, err := csms.AgenciesFor(t)
	if err != nil {
		return false, err
	}
	now := s.now()
	for i := range needed {
		there, err := s.store.AgencyByName(ctx, who.DomainID, needed[i].Name)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, internalf(err, "reading the agency %s", needed[i].Name)
		}
		if unfit(there, &needed[i], now) != "" || !hasPolicy(there, store.InlinePolicy{Name: needed[i].Name}) {
			return false, nil
		}
	}
	return true, nil
}
