package eps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// MaxProjects bounds the enterprise projects of a domain beside the default one. It is
// looked at before the transaction, so creations at the same instant can pass it by
// their number.
const MaxProjects = 1000

// Bounds of texts, in characters.
const (
	maxName        = 64
	maxDescription = 512
)

// Settings are what is written of an enterprise project.
type Settings struct {
	Name        string  // letters, digits, _ and -; 1 to 64 characters
	Description *string // at most 512 characters; nil for none, or no change
	Type        string  // prod or poc; "" for prod, or no change
}

func (in *Settings) validate() error {
	switch n := utf8.RuneCountInString(in.Name); {
	case n < 1 || n > maxName || strings.ContainsFunc(in.Name, notInName):
		return invalidf("name must be 1 to %d letters, digits, underscores and hyphens.", maxName)
	case strings.EqualFold(in.Name, defaultName):
		return nameTaken(in.Name)
	case in.Type != "" && in.Type != TypeProd && in.Type != TypePoC:
		return invalidf("type must be %s or %s.", TypeProd, TypePoC)
	}
	if in.Description == nil {
		return nil
	}
	if n := utf8.RuneCountInString(*in.Description); n > maxDescription {
		return invalidf("description has %d characters; it takes at most %d.", n, maxDescription)
	}
	return nil
}

func notInName(r rune) bool {
	return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

func nameTaken(name string) error {
	return csms.Errorf(csms.CodeEPSConflict, "The name %s is already in use.", name)
}

// CreateEnterpriseProject makes an enabled enterprise project in the caller's domain.
func (s *Service) CreateEnterpriseProject(ctx context.Context, who *iam.Caller, in Settings) (Project, error) {
	if err := s.Authorize(ctx, who, iam.CreateEnterpriseProject, ""); err != nil {
		return Project{}, err
	}
	if err := in.validate(); err != nil {
		return Project{}, err
	}
	if err := s.checkQuota(ctx, who.DomainID); err != nil {
		return Project{}, err
	}
	now := s.o.Now()
	p := &store.EnterpriseProject{
		ID: s.o.NewID(), DomainID: who.DomainID, Name: in.Name, Type: cmp.Or(in.Type, TypeProd), Enabled: true,
		CreateTime: now, UpdateTime: now,
	}
	if in.Description != nil {
		p.Description = *in.Description
	}
	err := s.o.Store.Update(ctx, func(tx *store.Tx) error { return tx.PutEnterpriseProject(p) })
	if err != nil {
		return Project{}, taken(err, in.Name)
	}
	return describe(p), nil
}

func (s *Service) checkQuota(ctx context.Context, domain string) error {
	count := 0
	err := s.o.Store.View(ctx, func(v *store.View) error {
		for _, err := range v.EnterpriseProjects(domain) {
			if err != nil {
				return err
			}
			count++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("counting enterprise projects: %w", err)
	}
	if count >= MaxProjects {
		return csms.Errorf(csms.CodeEPSConflict, "There are %d enterprise projects; the quota is %d.", count, MaxProjects)
	}
	return nil
}

// taken puts the failed write of an enterprise project into its code.
func taken(err error, name string) error {
	if errors.Is(err, store.ErrTaken) {
		return nameTaken(name)
	}
	return err
}

// ShowEnterpriseProject returns an enterprise project of the caller's domain, whatever
// its state.
func (s *Service) ShowEnterpriseProject(ctx context.Context, who *iam.Caller, id string) (Project, error) {
	if err := s.Authorize(ctx, who, iam.ShowEnterpriseProject, id); err != nil {
		return Project{}, err
	}
	return s.find(ctx, who.DomainID, id)
}

// ModifyEnterpriseProject writes the settings of an enterprise project anew. The name
// must be given; the default one stays as it is.
func (s *Service) ModifyEnterpriseProject(ctx context.Context, who *iam.Caller, id string, in Settings) (Project, error) {
	if err := s.Authorize(ctx, who, iam.ModifyEnterpriseProject, id); err != nil {
		return Project{}, err
	}
	if err := in.validate(); err != nil {
		return Project{}, err
	}
	return s.change(ctx, who.DomainID, id, func(p *store.EnterpriseProject) {
		p.Name, p.Type = in.Name, cmp.Or(in.Type, p.Type)
		if in.Description != nil {
			p.Description = *in.Description
		}
	})
}

// EnableEnterpriseProject lets resources come into an enterprise project again.
func (s *Service) EnableEnterpriseProject(ctx context.Context, who *iam.Caller, id string) error {
	return s.setEnabled(ctx, who, iam.EnableEnterpriseProject, id, true)
}

// DisableEnterpriseProject lets no more resources come into an enterprise project. What
// is in it stays, and can be used.
func (s *Service) DisableEnterpriseProject(ctx context.Context, who *iam.Caller, id string) error {
	return s.setEnabled(ctx, who, iam.DisableEnterpriseProject, id, false)
}

func (s *Service) setEnabled(ctx context.Context, who *iam.Caller, op iam.Op, id string, enabled bool) error {
	if err := s.Authorize(ctx, who, op, id); err != nil {
		return err
	}
	_, err := s.change(ctx, who.DomainID, id, func(p *store.EnterpriseProject) { p.Enabled = enabled })
	return err
}

// change applies fn to an enterprise project in one transaction.
func (s *Service) change(ctx context.Context, domain, id string, fn func(*store.EnterpriseProject)) (Project, error) {
	if id == csms.DefaultEnterpriseProject {
		return Project{}, csms.Errorf(csms.CodeEPSConflict, "The default enterprise project cannot be changed.")
	}
	now := s.o.Now()
	var out Project
	err := s.o.Store.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.EnterpriseProject(domain, id)
		if err != nil {
			return missing(err, id)
		}
		fn(p)
		p.UpdateTime = now
		out = describe(p)
		return tx.PutEnterpriseProject(p)
	})
	if err != nil {
		return Project{}, taken(err, out.Name)
	}
	return out, nil
}
