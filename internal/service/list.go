package service

import (
	"context"
	"iter"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// Page bounds of the list operations (P1, V12).
const (
	DefaultPage = 50
	MaxPage     = 1000
)

// CheckLimit reports a page size outside 1 to 1000 as CSMS.0002 (P1).
func CheckLimit(limit int) error {
	if limit < 1 || limit > MaxPage {
		return csms.Invalidf("limit must be a number from 1 to %d.", MaxPage)
	}
	return nil
}

// Listing asks for a page of secrets.
type Listing struct {
	Limit     int
	Marker    string // exclusive: the last name of the previous page; "" for the first (P3)
	EventName string // only secrets that subscribe to it; "" for all (P6)
}

func (l Listing) validate() error {
	if err := CheckLimit(l.Limit); err != nil {
		return err
	}
	if l.Marker != "" {
		if err := csms.CheckName("marker", l.Marker); err != nil {
			return err
		}
	}
	if l.EventName != "" {
		return csms.CheckEventName("event_name", l.EventName)
	}
	return nil
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	More  bool // items follow after the last one
}

// take fills the page from the front of a scan, and looks whether one more follows.
func (p *Page[T]) take(scan iter.Seq2[T, error], limit int) error {
	for item, err := range scan {
		if err != nil {
			return err
		}
		if len(p.Items) == limit {
			p.More = true
			break
		}
		p.Items = append(p.Items, item)
	}
	return nil
}

// ListSecrets returns a page of the project's secrets in every state, ascending by
// name (P2, P7).
func (s *Service) ListSecrets(ctx context.Context, who *iam.Caller, l Listing) (Page[*csms.Secret], error) {
	var page Page[*csms.Secret]
	now := s.now()
	r := s.request(who, iam.ListSecrets, "")
	filter, err := who.AuthorizeList(&r)
	if err != nil {
		return page, err
	}
	if err := l.validate(); err != nil {
		return page, err
	}
	err = s.store.View(ctx, func(v *store.View) error {
		var err error
		page, err = s.page(l.scan(v, who.ProjectID), l.Limit, now, &filter)
		return err
	})
	return page, err
}

func (l Listing) scan(v *store.View, project string) iter.Seq2[*csms.Secret, error] {
	if l.EventName != "" {
		return v.SecretsByEvent(project, l.EventName, l.Marker)
	}
	return v.Secrets(project, l.Marker)
}

// page takes the first secrets of a scan that are not due to be gone and that the
// caller may see.
func (s *Service) page(scan iter.Seq2[*csms.Secret, error], limit int, now csms.Millis, filter *iam.ListFilter) (Page[*csms.Secret], error) {
	page := Page[*csms.Secret]{Items: make([]*csms.Secret, 0, min(limit, DefaultPage))}
	for sec, err := range scan {
		if err != nil {
			return page, err
		}
		if sec.Gone(now) || !filter.Allows(sec.EnterpriseProjectID) {
			continue
		}
		if len(page.Items) == limit {
			page.More = true
			break
		}
		page.Items = append(page.Items, s.used.overlay(sec))
	}
	return page, nil
}

// VersionListing asks for a page of versions.
type VersionListing struct {
	Limit  int
	Marker string // exclusive: the last version of the previous page; "" for the first
}

// ListSecretVersions returns a page of version metadata, ascending by number (V12).
func (s *Service) ListSecretVersions(ctx context.Context, who *iam.Caller, name string, l VersionListing) (*csms.Secret, Page[csms.Version], error) {
	var page Page[csms.Version]
	t, err := s.authorize(ctx, who, s.request(who, iam.ListSecretVersions, name), s.now())
	if err != nil {
		return nil, page, err
	}
	if err := l.validate(); err != nil {
		return nil, page, err
	}
	if t.missing != nil {
		return nil, page, t.missing
	}
	after := l.after(t.secret)
	for _, v := range t.secret.Versions {
		if v.Number <= after {
			continue
		}
		if len(page.Items) == l.Limit {
			page.More = true
			break
		}
		page.Items = append(page.Items, v)
	}
	return t.secret, page, nil
}

func (l VersionListing) validate() error {
	if err := CheckLimit(l.Limit); err != nil {
		return err
	}
	if l.Marker == "" || l.Marker == csms.Latest || csms.IsVersionID(l.Marker) {
		return nil
	}
	return csms.Invalidf("marker must be vN or latest.")
}

// after returns the version number the page starts after. A marker that names no
// kept version still works as a position (P3).
func (l VersionListing) after(sec *csms.Secret) int {
	if l.Marker == csms.Latest {
		if v, err := sec.Version(csms.Latest); err == nil {
			return v.Number
		}
	}
	return csms.VersionPosition(l.Marker)
}
