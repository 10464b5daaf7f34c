package httpapi

import (
	"context"
	"net/url"
	"strconv"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/service/identity"
	"coffer/internal/wire"
)

// The users of the embedded IAM as CSMS shows them (section 13). What the IAM itself
// does with users is in users.go.

type listUsersRequest struct{ listing service.UserListing }

func (q *listUsersRequest) bind(x *exchange) error {
	query, err := x.query()
	if err != nil {
		return err
	}
	if q.listing.Page, err = wholeNumber(query, "offset"); err != nil {
		return err
	}
	if q.listing.Limit, err = wholeNumber(query, "limit"); err != nil {
		return err
	}
	q.listing.OrgID, q.listing.UserInfo = query.Get("org_id"), query.Get("user_info")
	return nil
}

// wholeNumber reads a parameter that must be there (P10).
func wholeNumber(q url.Values, name string) (int, error) {
	n, err := strconv.ParseInt(q.Get(name), 10, 32)
	if err != nil {
		return 0, csms.Invalidf("%s must be given, as a whole number.", name)
	}
	return int(n), nil
}

func (a *API) listCSMSUsers(ctx context.Context, who *iam.Caller, q *listUsersRequest) (wire.UserList, error) {
	users, total, err := a.Service.ListUsers(ctx, who, q.listing)
	if err != nil {
		return wire.UserList{}, err
	}
	list := wire.UserList{Total: total, Users: make([]wire.UserListItem, 0, len(users))}
	for _, u := range users {
		list.Users = append(list.Users, wire.NewUserListItem(userCommon(u), u.Enabled))
	}
	return list, nil
}

func userCommon(u service.UserDetail) wire.UserCommon {
	return wire.NewUserCommon(u.ID, u.DomainID, u.Name, u.PasswordTime, u.CreateTime)
}

type userRef struct{ id string }

func (q *userRef) bind(x *exchange) error {
	q.id = x.r.PathValue("user_id")
	return nil
}

func (a *API) showUserDetail(ctx context.Context, who *iam.Caller, q *userRef) (wire.UserDetail, error) {
	u, err := a.Service.ShowUserDetail(ctx, who, q.id)
	if err != nil {
		return wire.UserDetail{}, err
	}
	return wire.NewUserDetail(userCommon(u), u.Enabled), nil
}

type updateUserPasswordRequest struct{ change identity.PasswordChange }

func (q *updateUserPasswordRequest) bind(x *exchange) error {
	if err := x.decode(&q.change); err != nil {
		return err
	}
	if q.change.Password == "" || q.change.OldPassword == "" {
		return csms.Invalidf("password and old_password must be given.")
	}
	return nil
}

func (a *API) updateUserPassword(ctx context.Context, who *iam.Caller, q *updateUserPasswordRequest) (wire.ChangePasswordAnswer, error) {
	id, err := a.Identity.UpdateUserPassword(ctx, who, q.change)
	if err != nil {
		return wire.ChangePasswordAnswer{}, err
	}
	return wire.ChangePasswordAnswer{UserID: id}, nil
}
