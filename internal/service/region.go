package service

import (
	"context"
	"errors"
	"slices"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// A region is an enabled project of the domain that stands directly under it and is
// named like a region; other projects of a region are called <region>_<name>
// (auth.md 2). The region of the configuration, and its aliases, are one of them.

// ListSupportRegions returns, in order, the regions that can hold copies of the
// secrets of the caller's project: all but its own (M3, M7).
func (s *Service) ListSupportRegions(ctx context.Context, who *iam.Caller) ([]string, error) {
	if err := s.Authorize(ctx, who, iam.ListSupportRegions, ""); err != nil {
		return nil, err
	}
	home, err := s.homeRegion(ctx, who.ProjectID)
	if err != nil {
		return nil, err
	}
	var regions []string
	err = s.store.View(ctx, func(v *store.View) error {
		for p, err := range v.Projects(who.DomainID) {
			if err != nil {
				return err
			}
			if s.isRegion(p) && p.Name != home {
				regions = append(regions, p.Name)
			}
		}
		return nil
	})
	return regions, err
}

// homeRegion returns the region of a project.
func (s *Service) homeRegion(ctx context.Context, project string) (string, error) {
	p, err := s.store.Project(ctx, project)
	if errors.Is(err, store.ErrNotFound) {
		return s.region, nil
	}
	if err != nil {
		return "", internalf(err, "reading project %s", project)
	}
	return s.regionOf(p.Name), nil
}

// regionOf returns the region that a project belongs to by its name. The region of
// the configuration may have an underscore itself.
func (s *Service) regionOf(project string) string {
	if project == s.region || strings.HasPrefix(project, s.region+"_") {
		return s.region
	}
	region, _, _ := strings.Cut(project, "_")
	return region
}

func (s *Service) isRegion(p *store.Project) bool {
	return p.Enabled && p.ParentID == p.DomainID && s.regionOf(p.Name) == p.Name
}

// targetProject returns the project of a region that is not home. A project that has
// the name comes before an alias, as when a project is looked up by name.
func (s *Service) targetProject(ctx context.Context, domain, home, region string) (*store.Project, error) {
	p, err := s.store.ProjectByName(ctx, domain, region)
	if errors.Is(err, store.ErrNotFound) && slices.Contains(s.aliases, region) {
		p, err = s.store.ProjectByName(ctx, domain, s.region)
	}
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && !s.isRegion(p):
		return nil, csms.Invalidf("The region %s cannot hold replicas; ListSupportRegions names those that can.", region)
	case err != nil:
		return nil, internalf(err, "reading the project of region %s", region)
	case p.Name == home:
		return nil, csms.Invalidf("The secret is in region %s itself; a replica takes another region.", home)
	}
	return p, nil
}

// regionNamed returns the region of a copy of sec that name stands for.
func (s *Service) regionNamed(sec *csms.Secret, name string) string {
	if sec.Replica(name) == nil && slices.Contains(s.aliases, name) {
		return s.region
	}
	return name
}
