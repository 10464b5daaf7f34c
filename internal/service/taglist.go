package service

import (
	"context"
	"slices"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// TagValues is a key with the values that it has on the secrets of a project.
type TagValues struct {
	Key    string
	Values []string // distinct, ascending
}

// ListProjectSecretsTags returns every key of the project once, ascending, with its
// distinct values (T8).
func (s *Service) ListProjectSecretsTags(ctx context.Context, who *iam.Caller) ([]TagValues, error) {
	now := s.now()
	r := s.request(who, iam.ListProjectSecretsTags, "")
	if err := who.Authorize(&r); err != nil {
		return nil, err
	}
	var list []TagValues
	err := s.store.View(ctx, func(v *store.View) error {
		gone, err := goneSecrets(v, who.ProjectID, now)
		if err != nil {
			return err
		}
		list, err = collectTags(v, who.ProjectID, gone)
		return err
	})
	return list, err
}

func collectTags(v *store.View, project string, gone map[string]bool) ([]TagValues, error) {
	var list []TagValues
	for tag, err := range v.Tags(project, func(name string) bool { return gone[name] }) {
		if err != nil {
			return nil, err
		}
		if n := len(list); n == 0 || list[n-1].Key != tag.Key {
			list = append(list, TagValues{Key: tag.Key})
		}
		last := &list[len(list)-1]
		last.Values = append(last.Values, tag.Value)
	}
	for _, t := range list {
		slices.Sort(t.Values)
	}
	return list, nil
}

// goneSecrets returns the names of the secrets whose destruction is due and not done
// yet. They count as destroyed (DEL7). The purge job keeps them few.
func goneSecrets(v *store.View, project string, now csms.Millis) (map[string]bool, error) {
	gone := map[string]bool{}
	for row, err := range v.Due(now) {
		if err != nil {
			return nil, err
		}
		if row.Kind == store.DuePurge && row.Project == project {
			gone[row.Name] = true
		}
	}
	return gone, nil
}

// InstanceListing asks for a page of the secrets that a selection means.
type InstanceListing struct {
	Selection csms.Selection
	CountOnly bool // then Limit and Offset say nothing
	Limit     int  // 1 to 1000
	Offset    int  // number of secrets before the page, not negative (T10)
}

// DefaultInstances is the page size of ListResourceInstances (T10).
const DefaultInstances = 10

func (l *InstanceListing) validate() error {
	if err := l.Selection.Validate(); err != nil || l.CountOnly {
		return err
	}
	if l.Offset < 0 {
		return csms.Invalidf("offset must not be negative.")
	}
	return CheckLimit(l.Limit)
}

// page returns the page of names; nothing past the end (T10).
func (l *InstanceListing) page(names []string) store.NamePage {
	page := store.NamePage{Total: len(names)}
	if !l.CountOnly {
		names = names[min(l.Offset, len(names)):]
		page.Names = names[:min(l.Limit, len(names))]
	}
	return page
}

// visible returns the page of l among the secrets that are not gone and that the caller
// may see. Unless some have to be left out, a selection that an index has counted is not
// read to its end.
func (l *InstanceListing) visible(v *store.View, project string, now csms.Millis, filter *iam.ListFilter) (store.NamePage, error) {
	gone, err := goneSecrets(v, project, now)
	if err != nil {
		return store.NamePage{}, err
	}
	if filter.All() && len(gone) == 0 && l.Selection.Single() {
		limit := l.Limit
		if l.CountOnly {
			limit = 0
		}
		return v.SecretPage(project, &l.Selection, l.Offset, limit)
	}
	names, err := selectVisible(v, project, &l.Selection, gone, filter)
	return l.page(names), err
}

// Instances is the answer of ListResourceInstances.
type Instances struct {
	Secrets []*csms.Secret // of the page, ascending by name (T14)
	Total   int            // number of all secrets that the selection means (T9)
}

// ListResourceInstances returns a page of the secrets that a selection means, or
// just their number. It takes the right to list secrets (Q19).
func (s *Service) ListResourceInstances(ctx context.Context, who *iam.Caller, l InstanceListing) (Instances, error) {
	var out Instances
	now := s.now()
	r := s.request(who, iam.ListResourceInstances, "")
	filter, err := who.AuthorizeList(&r)
	if err != nil {
		return out, err
	}
	if err := l.validate(); err != nil {
		return out, err
	}
	err = s.store.View(ctx, func(v *store.View) error {
		page, err := l.visible(v, who.ProjectID, now, &filter)
		if err != nil {
			return err
		}
		out.Total = page.Total
		for sec, err := range v.SecretsByName(who.ProjectID, page.Names) {
			if err != nil {
				return err
			}
			out.Secrets = append(out.Secrets, s.used.overlay(sec))
		}
		return nil
	})
	return out, err
}

// selectVisible returns the names of the secrets that c means, that are not among gone,
// and that the caller may see. Secrets are read only for a caller who may not see
// all of them.
func selectVisible(v *store.View, project string, c *csms.Selection, gone map[string]bool, filter *iam.ListFilter) ([]string, error) {
	names, err := v.SelectSecrets(project, c)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return gone[name] })
	if filter.All() {
		return names, nil
	}
	var seen []string
	for sec, err := range v.SecretsByName(project, names) {
		if err != nil {
			return nil, err
		}
		if filter.Allows(sec.EnterpriseProjectID) {
			seen = append(seen, sec.Name)
		}
	}
	return seen, nil
}
