package eps

import (
	"context"
	"strings"

	"coffer/internal/iam"
	"coffer/internal/store"
)

// MaxPage bounds a page; it is also the size of a page that names none.
const MaxPage = 1000

// Window is a part of a list.
type Window struct {
	Limit  int // 1 to MaxPage
	Offset int // how many items to pass over
}

func (w Window) validate() error {
	if w.Limit < 1 || w.Limit > MaxPage {
		return invalidf("limit must be a number from 1 to %d.", MaxPage)
	}
	if w.Offset < 0 {
		return invalidf("offset must be a number from 0.")
	}
	return nil
}

// Page is the part of a list that falls into a window.
type Page[T any] struct {
	Items []T
	Total int // of the list
}

// add counts an item, and takes it if it falls into the window.
func (p *Page[T]) add(w Window, item T) {
	if p.Total >= w.Offset && len(p.Items) < w.Limit {
		p.Items = append(p.Items, item)
	}
	p.Total++
}

// Listing asks for a part of the enterprise projects. An empty text filters nothing.
type Listing struct {
	Window
	ID      string
	Name    string // a part of the name; case counts
	Type    string
	Enabled *bool // nil for both
}

func (l *Listing) matches(p *Project) bool {
	switch {
	case l.ID != "" && l.ID != p.ID, l.Type != "" && l.Type != p.Type:
		return false
	case l.Enabled != nil && *l.Enabled != p.Enabled:
		return false
	default:
		return strings.Contains(p.Name, l.Name)
	}
}

// ListEnterpriseProject returns the enterprise projects of the caller's domain that he
// may see: the default one, then the others by name.
func (s *Service) ListEnterpriseProject(ctx context.Context, who *iam.Caller, l Listing) (Page[Project], error) {
	var page Page[Project]
	r := s.request(who, iam.ListEnterpriseProject, "")
	filter, err := who.AuthorizeList(&r)
	if err != nil {
		return page, err
	}
	if err := l.validate(); err != nil {
		return page, err
	}
	take := func(p Project) {
		if l.matches(&p) && filter.Allows(p.ID) {
			page.add(l.Window, p)
		}
	}
	first, err := s.standard(ctx, who.DomainID)
	if err != nil {
		return page, err
	}
	take(first)
	err = s.o.Store.View(ctx, func(v *store.View) error {
		for p, err := range v.EnterpriseProjects(who.DomainID) {
			if err != nil {
				return err
			}
			take(describe(p))
		}
		return nil
	})
	return page, err
}
