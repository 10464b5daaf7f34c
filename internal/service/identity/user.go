package identity

import (
	"context"
	"errors"
	"iter"

	"coffer/internal/auth/credential"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// UserInfo is a user on the wire.
type UserInfo struct {
	ID                string   `json:"id"`
	Name              string   `json:"name"`
	DomainID          string   `json:"domain_id"`
	Enabled           bool     `json:"enabled"`
	PasswordExpiresAt *string  `json:"password_expires_at"` // always null
	Description       string   `json:"description"`
	Links             SelfLink `json:"links"`
}

// UserList is a list of users on the wire.
type UserList struct {
	Users []UserInfo `json:"users"`
	Links Links      `json:"links"`
}

// UserAnswer is one user on the wire.
type UserAnswer struct {
	User UserInfo `json:"user"`
}

func userInfo(u *store.User, baseURL string) UserInfo {
	return UserInfo{
		ID: u.ID, Name: u.Name, DomainID: u.DomainID, Enabled: u.Enabled, Description: u.Description,
		Links: SelfLink{baseURL + "/v3/users/" + u.ID},
	}
}

// ListUsers lists the users of the caller's domain, or the one called name. A caller
// who may not see users sees himself.
func (s *Service) ListUsers(ctx context.Context, c *iam.Caller, name, baseURL string) (UserList, error) {
	all := s.authorize(c, iam.ListUsersV5, "") == nil
	records, err := collect(ctx, s.store, func(v *store.View) iter.Seq2[*store.User, error] { return v.Users(c.DomainID) },
		func(u *store.User) bool { return (all || u.ID == c.UserID) && (name == "" || u.Name == name) })
	return userList(records, "/v3/users", baseURL), err
}

func userList(records []*store.User, self, baseURL string) UserList {
	out := UserList{Users: make([]UserInfo, 0, len(records)), Links: Links{Self: baseURL + self}}
	for _, u := range records {
		out.Users = append(out.Users, userInfo(u, baseURL))
	}
	return out
}

// ShowUser returns the caller himself or, if he may see users, another one of his
// domain; else IAM.0002 or IAM.0004.
func (s *Service) ShowUser(ctx context.Context, c *iam.Caller, id, baseURL string) (UserAnswer, error) {
	u, err := s.visibleUser(ctx, c, id)
	if err != nil {
		return UserAnswer{}, err
	}
	return UserAnswer{userInfo(u, baseURL)}, nil
}

func (s *Service) visibleUser(ctx context.Context, c *iam.Caller, id string) (*store.User, error) {
	if id != c.UserID {
		if err := s.authorize(c, iam.ShowUserV5, id); err != nil {
			return nil, err
		}
	}
	return ownUser(c, id, func(id string) (*store.User, error) { return s.store.User(ctx, id) })
}

// NewUser is the request of CreateUser.
type NewUser struct {
	Name        string     `json:"name"`
	Password    Credential `json:"password"` // "" for a user who only signs
	Description string     `json:"description"`
	DomainID    string     `json:"domain_id"` // that of the caller if empty
	Enabled     *bool      `json:"enabled"`   // nil for true
	UserExtras
}

// CreateUser makes a user without rights in the caller's domain.
func (s *Service) CreateUser(ctx context.Context, c *iam.Caller, n NewUser, baseURL string) (UserAnswer, error) {
	u, err := s.createUser(ctx, c, n)
	if err != nil {
		return UserAnswer{}, err
	}
	return UserAnswer{userInfo(u, baseURL)}, nil
}

func (s *Service) createUser(ctx context.Context, c *iam.Caller, n NewUser) (*store.User, error) {
	if err := s.authorize(c, iam.CreateUserV5, ""); err != nil {
		return nil, err
	}
	if err := checkDomain(c, n.DomainID); err != nil {
		return nil, err
	}
	u, err := s.newUser(ctx, c.DomainID, n)
	if err != nil {
		return nil, err
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error { return tx.PutUser(u) })
	return u, userTaken(err, n.Name)
}

// userTaken turns ErrTaken into IAM.0009 for a user of that name.
func userTaken(err error, name string) error {
	if errors.Is(err, store.ErrTaken) {
		return conflictf("A user called %s exists.", name)
	}
	return err
}

// newUser checks a request and returns the record, which is not stored yet.
func (s *Service) newUser(ctx context.Context, domainID string, n NewUser) (*store.User, error) {
	if err := checkName("name", n.Name); err != nil {
		return nil, err
	}
	if err := checkDescription(n.Description); err != nil {
		return nil, err
	}
	if err := n.check(); err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	now := s.o.Now()
	u := &store.User{ID: id, DomainID: domainID, Name: n.Name, Description: n.Description, Enabled: true, CreateTime: now}
	set(&u.Enabled, n.Enabled)
	n.apply(u)
	if n.Password == "" {
		return u, nil
	}
	if err := CheckPassword(n.Name, n.Password); err != nil {
		return nil, err
	}
	u.PasswordTime = now
	u.PasswordHash, err = s.passwords.hash(ctx, n.Password)
	return u, err
}

// UserPatch is the request of UpdateUser; nil leaves a member as it is.
type UserPatch struct {
	Name        *string     `json:"name"`
	Enabled     *bool       `json:"enabled"`
	Password    *Credential `json:"password"`
	Description *string     `json:"description"`
	UserExtras
}

// UpdateUser changes a user of the caller's domain. A new password and enabled:
// false make every token of the user void at once; his access keys work again when
// he is enabled again. The owner of the account is changed by himself only, and
// stays enabled.
func (s *Service) UpdateUser(ctx context.Context, c *iam.Caller, id string, p UserPatch, baseURL string) (UserAnswer, error) {
	u, _, err := s.patchUser(ctx, c, id, p)
	if err != nil {
		return UserAnswer{}, err
	}
	return UserAnswer{userInfo(u, baseURL)}, nil
}

// patchUser authorizes and applies p. It returns the user as he is then, and whether he
// owns the account.
func (s *Service) patchUser(ctx context.Context, c *iam.Caller, id string, p UserPatch) (u *store.User, owner bool, err error) {
	if err := s.authorize(c, iam.UpdateUserV5, id); err != nil {
		return nil, false, err
	}
	seen, err := ownUser(c, id, func(id string) (*store.User, error) { return s.store.User(ctx, id) })
	if err != nil {
		return nil, false, err
	}
	hash, err := s.checkPatch(ctx, seen, p)
	if err != nil {
		return nil, false, err
	}
	now := s.o.Now()
	err = s.updateUser(ctx, c, id, func(tx *store.Tx, user *store.User, isOwner bool) error {
		if isOwner && p.Enabled != nil && !*p.Enabled {
			return forbiddenf("The owner of the account cannot be disabled.")
		}
		u, owner = user, isOwner
		p.apply(u, hash, now)
		return tx.PutUser(u)
	})
	if p.Name != nil {
		err = userTaken(err, *p.Name)
	}
	return u, owner, err
}

// checkPatch validates p and returns the hash of its password, if it has one.
func (s *Service) checkPatch(ctx context.Context, u *store.User, p UserPatch) (string, error) {
	if p.Description != nil {
		if err := checkDescription(*p.Description); err != nil {
			return "", err
		}
	}
	if err := p.check(); err != nil {
		return "", err
	}
	name := u.Name
	if p.Name != nil {
		name = *p.Name
		if err := checkName("name", name); err != nil {
			return "", err
		}
	}
	if p.Password == nil {
		return "", nil
	}
	if err := CheckPassword(name, *p.Password); err != nil {
		return "", err
	}
	return s.passwords.hash(ctx, *p.Password)
}

func (p *UserPatch) apply(u *store.User, hash string, now csms.Millis) {
	set(&u.Name, p.Name)
	set(&u.Description, p.Description)
	p.UserExtras.apply(u)
	if hash != "" {
		u.PasswordHash, u.PasswordTime = hash, now
		credential.VoidTokens(u, now)
	}
	if p.Enabled != nil && *p.Enabled != u.Enabled {
		u.Enabled = *p.Enabled
		credential.VoidTokens(u, now)
	}
}

// updateUser runs change on a user of the caller's domain in one transaction. It
// keeps everybody but the owner away from the owner.
func (s *Service) updateUser(ctx context.Context, c *iam.Caller, id string, change func(tx *store.Tx, u *store.User, owner bool) error) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		u, err := ownUser(c, id, tx.User)
		if err != nil {
			return err
		}
		d, err := tx.Domain(u.DomainID)
		if err != nil {
			return err
		}
		owner := d.OwnerID == u.ID
		if owner && c.UserID != u.ID {
			return forbiddenf("The owner of the account is changed by himself only.")
		}
		return change(tx, u, owner)
	})
}

// DeleteUser removes a user of the caller's domain with his access keys; his tokens
// are void at once. The owner of the account cannot be deleted.
func (s *Service) DeleteUser(ctx context.Context, c *iam.Caller, id string) error {
	if err := s.authorize(c, iam.DeleteUserV5, id); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	keys, err := s.keysOf(ctx, id, func(*store.AccessKey) bool { return true })
	if err != nil {
		return err
	}
	return s.updateUser(ctx, c, id, func(tx *store.Tx, u *store.User, owner bool) error {
		if owner {
			return forbiddenf("The owner of the account cannot be deleted.")
		}
		for _, k := range keys {
			if err := tx.DeleteAccessKey(k); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		return tx.DeleteUser(u)
	})
}

// keysOf lists the access keys of a user that keep chooses.
func (s *Service) keysOf(ctx context.Context, userID string, keep func(*store.AccessKey) bool) ([]*store.AccessKey, error) {
	return collect(ctx, s.store, func(v *store.View) iter.Seq2[*store.AccessKey, error] { return v.AccessKeysOf(userID) }, keep)
}
