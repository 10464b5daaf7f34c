package service

import (
	"context"
	"errors"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// Bounds of a page of ListUsers (P10).
const (
	minUserPage = 10
	maxUserPage = 100
	maxUserInfo = 64 // characters of user_info
)

// UserDetail is what CSMS shows of a user of the embedded IAM.
type UserDetail struct {
	ID           string
	DomainID     string
	Name         string
	Enabled      bool
	PasswordTime csms.Millis // when his password was set; zero without one
	CreateTime   csms.Millis
}

func userDetail(u *store.User) UserDetail {
	return UserDetail{u.ID, u.DomainID, u.Name, u.Enabled, u.PasswordTime, u.CreateTime}
}

// UserListing asks for a page of the users of the caller's domain.
type UserListing struct {
	OrgID    string // the domain; another one has no users; "" for the caller's
	Page     int    // number of the page, from 0 (P10)
	Limit    int    // 10 to 100 (P10)
	UserInfo string // part of the name; "" for all
}

func (l UserListing) validate() error {
	switch {
	case l.Page < 0:
		return csms.Invalidf("offset is %d; it is the number of a page, from 0.", l.Page)
	case l.Limit < minUserPage || l.Limit > maxUserPage:
		return csms.Invalidf("limit is %d; it takes %d to %d.", l.Limit, minUserPage, maxUserPage)
	case len(l.UserInfo) > maxUserInfo:
		return csms.Invalidf("user_info has %d characters; it takes up to %d.", len(l.UserInfo), maxUserInfo)
	}
	return nil
}

func (l UserListing) matches(u *store.User) bool {
	return (l.OrgID == "" || l.OrgID == u.DomainID) && strings.Contains(u.Name, l.UserInfo)
}

// ListUsers returns a page of the users of the caller's domain, by name, and how many
// match in all (P10).
func (s *Service) ListUsers(ctx context.Context, who *iam.Caller, l UserListing) (users []UserDetail, total int, err error) {
	if err := s.Authorize(ctx, who, iam.ListUsers, ""); err != nil {
		return nil, 0, err
	}
	if err := l.validate(); err != nil {
		return nil, 0, err
	}
	err = s.store.View(ctx, func(v *store.View) error {
		for u, err := range v.Users(who.DomainID) {
			if err != nil {
				return err
			}
			if !l.matches(u) {
				continue
			}
			if total/l.Limit == l.Page {
				users = append(users, userDetail(u))
			}
			total++
		}
		return nil
	})
	return users, total, err
}

// ShowUserDetail returns a user of the caller's domain, or CSMS.0005.
func (s *Service) ShowUserDetail(ctx context.Context, who *iam.Caller, id string) (UserDetail, error) {
	if err := s.Authorize(ctx, who, iam.ShowUserDetail, ""); err != nil {
		return UserDetail{}, err
	}
	u, err := s.store.User(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.DomainID != who.DomainID {
		return UserDetail{}, csms.Errorf(csms.CodeNotFound, "The user %.64s does not exist.", id)
	}
	if err != nil {
		return UserDetail{}, err
	}
	return userDetail(u), nil
}
