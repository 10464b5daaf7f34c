package kms

import (
	"cmp"
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// all is the word for no filter on a spec or an enterprise project.
const (
	allSpecs    = "ALL"
	allProjects = "all"
)

// Listing asks for a page of keys. An empty text filters nothing.
type Listing struct {
	Limit               int    // 1 to MaxKeys
	Marker              int    // how many keys to pass over
	State               string // key_state: a digit
	Spec                string // key_spec; "" is AES_256, ALL is every one
	EnterpriseProjectID string
}

func (l *Listing) validate() error {
	if l.Limit < 1 || l.Limit > MaxKeys {
		return csms.Errorf(csms.CodeKMSLimit, "limit must be a number from 1 to %d.", MaxKeys)
	}
	if l.Marker < 0 {
		return csms.Errorf(csms.CodeKMSMarker, "marker must be a number from 0.")
	}
	if l.State != "" && (len(l.State) != 1 || l.State[0] < '1' || l.State[0] > '7') {
		return csms.Errorf(csms.CodeKMSInvalid, "key_state must be a digit from 1 to 7.")
	}
	return nil
}

func (l *Listing) matches(key *store.Key) bool {
	if l.State != "" && l.State[0]-'0' != byte(key.State) {
		return false
	}
	if spec := cmp.Or(l.Spec, allSpecs); spec != allSpecs && spec != string(seal.SpecAES256) {
		return false
	}
	project := cmp.Or(l.EnterpriseProjectID, allProjects)
	return project == allProjects || project == key.InEnterpriseProject()
}

// KeyPage is a page of keys.
type KeyPage struct {
	Keys  []Key
	Next  int // the marker of the next page; zero for none
	Total int // of all pages
}

// ListKeys returns a page of the keys of the project, default keys among them,
// ascending by id.
func (s *Service) ListKeys(ctx context.Context, who *iam.Caller, l Listing) (KeyPage, error) {
	var page KeyPage
	now, r := s.o.Now(), s.request(who, iam.ListKeys, "")
	r.EnterpriseProjectID = iam.Value[string]{}
	filter, err := who.AuthorizeList(&r)
	if err != nil {
		return page, forbidden(err)
	}
	if err := l.validate(); err != nil {
		return page, err
	}
	err = s.o.Store.View(ctx, func(v *store.View) error {
		for key, err := range v.Keys(who.ProjectID) {
			if err != nil {
				return err
			}
			if !gone(key, now) && l.matches(key) && filter.Allows(key.InEnterpriseProject()) {
				page.add(key, &l)
			}
		}
		return nil
	})
	return page, err
}

// add counts a key, and takes it if it falls into the page.
func (p *KeyPage) add(key *store.Key, l *Listing) {
	switch {
	case p.Total < l.Marker:
	case len(p.Keys) < l.Limit:
		p.Keys = append(p.Keys, describe(key))
	case p.Next == 0:
		p.Next = p.Total
	}
	p.Total++
}
