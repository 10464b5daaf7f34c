package eps

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// Types of resources that are in enterprise projects.
const (
	ResourceSecret = "csms"
	ResourceKey    = "kms"
)

func checkResourceType(t string) error {
	if t != ResourceSecret && t != ResourceKey {
		return invalidf("resource_type must be %s or %s.", ResourceSecret, ResourceKey)
	}
	return nil
}

// Resource is a secret or a key.
type Resource struct {
	ID                    string
	Name                  string // name of the secret, alias of the key
	Type                  string
	ProjectID             string
	ProjectName           string
	EnterpriseProjectID   string
	EnterpriseProjectName string
}

// Filter asks for resources in an enterprise project.
type Filter struct {
	Window
	Projects []string // ids; none for every project that the caller may enter
	Types    []string // none for all
}

func (f *Filter) validate() error {
	for _, t := range f.Types {
		if err := checkResourceType(t); err != nil {
			return err
		}
	}
	return f.Window.validate()
}

func (f *Filter) wants(resourceType string) bool {
	return len(f.Types) == 0 || slices.Contains(f.Types, resourceType)
}

// ShowResourceBindEnterpriseProject returns the resources in an enterprise project: for
// each project the secrets by name, then the keys by id. It reads all of the projects.
func (s *Service) ShowResourceBindEnterpriseProject(ctx context.Context, who *iam.Caller, id string, f Filter) (Page[Resource], error) {
	var page Page[Resource]
	if err := s.Authorize(ctx, who, iam.ShowResourceBindEnterpriseProject, id); err != nil {
		return page, err
	}
	if err := f.validate(); err != nil {
		return page, err
	}
	in, err := s.find(ctx, who.DomainID, id)
	if err != nil {
		return page, err
	}
	projects, err := s.projects(ctx, who, f.Projects)
	if err != nil {
		return page, err
	}
	now := s.o.Now()
	err = s.o.Store.View(ctx, func(v *store.View) error {
		for _, p := range projects {
			if err := scan(v, p, in, &f, now, &page); err != nil {
				return err
			}
		}
		return nil
	})
	return page, err
}

// scan adds to page what is in the enterprise project of the resources of a project.
func scan(v *store.View, p *store.Project, in Project, f *Filter, now csms.Millis, page *Page[Resource]) error {
	add := func(id, name, resourceType string) {
		page.add(f.Window, Resource{
			ID: id, Name: name, Type: resourceType, ProjectID: p.ID, ProjectName: p.Name,
			EnterpriseProjectID: in.ID, EnterpriseProjectName: in.Name,
		})
	}
	if f.wants(ResourceSecret) {
		for sec, err := range v.Secrets(p.ID, "") {
			if err != nil {
				return err
			}
			if sec.EnterpriseProjectID == in.ID && !sec.Gone(now) {
				add(sec.ID, sec.Name, ResourceSecret)
			}
		}
	}
	if f.wants(ResourceKey) {
		for key, err := range v.Keys(p.ID) {
			if err != nil {
				return err
			}
			if key.InEnterpriseProject() == in.ID && !gone(key, now) {
				add(key.ID, key.Alias, ResourceKey)
			}
		}
	}
	return nil
}

// projects returns the projects of those ids, each once, or for none every project that
// the caller may enter.
func (s *Service) projects(ctx context.Context, who *iam.Caller, ids []string) ([]*store.Project, error) {
	var out []*store.Project
	if len(ids) == 0 {
		return s.reachable(ctx, who)
	}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		p, err := s.project(ctx, who, id)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func (s *Service) reachable(ctx context.Context, who *iam.Caller) ([]*store.Project, error) {
	var out []*store.Project
	err := s.o.Store.View(ctx, func(v *store.View) error {
		for p, err := range v.Projects(who.DomainID) {
			if err != nil {
				return err
			}
			if reaches(who, p) {
				out = append(out, p)
			}
		}
		return nil
	})
	return out, err
}

// project returns a project that the caller may enter. One that is not there and one
// out of his reach are the same to him.
func (s *Service) project(ctx context.Context, who *iam.Caller, id string) (*store.Project, error) {
	p, err := s.o.Store.Project(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("reading project: %w", err)
	}
	if err != nil || !reaches(who, p) {
		return nil, csms.Errorf(csms.CodeEPSForbidden, "The project %.64s is out of reach.", id)
	}
	return p, nil
}

// reaches reports whether the caller may enter p: it is of his domain, and he is bound
// to no other one.
func reaches(who *iam.Caller, p *store.Project) bool {
	return p.DomainID == who.DomainID && p.Enabled && (who.ProjectID == "" || who.ProjectID == p.ID)
}

// gone reports whether the instant of a scheduled destruction has come, swept or not.
func gone(key *store.Key, now csms.Millis) bool {
	return key.State == store.KeyPendingDeletion && key.DeletionTime <= now
}
