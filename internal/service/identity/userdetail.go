package identity

import (
	"context"
	"errors"
	"slices"
	"strings"

	"coffer/internal/auth/credential"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// UserDetail is a user as the OS-USER operations show him, with what Terraform keeps of
// him. What Coffer has no use for is shown as it was given.
type UserDetail struct {
	ID                string   `json:"id"`
	Name              string   `json:"name"`
	DomainID          string   `json:"domain_id"`
	Enabled           bool     `json:"enabled"`
	Description       string   `json:"description"`
	Email             string   `json:"email"`
	AreaCode          string   `json:"areacode"`
	Phone             string   `json:"phone"`
	AccessMode        string   `json:"access_mode"`
	ChangePassword    bool     `json:"pwd_status"`
	ExternalID        string   `json:"xuser_id"`
	ExternalType      string   `json:"xuser_type"`
	IsDomainOwner     bool     `json:"is_domain_owner"`
	PasswordExpiresAt *string  `json:"password_expires_at"` // always null
	CreateTime        string   `json:"create_time"`
	Links             SelfLink `json:"links"`
}

// UserDetailAnswer is one user on the wire.
type UserDetailAnswer struct {
	User UserDetail `json:"user"`
}

// defaultAccess is the access mode of a user who was given none.
const defaultAccess = "default"

func userDetail(u *store.User, owner bool, baseURL string) UserDetail {
	d := UserDetail{
		ID: u.ID, Name: u.Name, DomainID: u.DomainID, Enabled: u.Enabled, Description: u.Description,
		AccessMode: u.AccessMode, ChangePassword: u.ChangePassword, IsDomainOwner: owner,
		CreateTime: credential.FormatTime(u.CreateTime), Links: SelfLink{baseURL + "/v3.0/OS-USER/users/" + u.ID},
	}
	if d.AccessMode == "" {
		d.AccessMode = defaultAccess
	}
	if k := u.Contact; k != nil {
		d.Email, d.AreaCode, d.Phone, d.ExternalID, d.ExternalType = k.Email, k.AreaCode, k.Phone, k.ExternalID, k.ExternalType
	}
	return d
}

// UserExtras are what the OS-USER operations write of a user beyond the operations of
// Keystone; nil leaves a member as it is.
type UserExtras struct {
	Email          *string `json:"email"`
	AreaCode       *string `json:"areacode"`
	Phone          *string `json:"phone"`
	AccessMode     *string `json:"access_mode"` // default, programmatic or console
	ChangePassword *bool   `json:"pwd_status"`
	ExternalID     *string `json:"xuser_id"`
	ExternalType   *string `json:"xuser_type"`
}

// maxExtra bounds, in bytes, what is only kept to be shown.
const maxExtra = 255

func (e *UserExtras) check() error {
	for name, text := range map[string]*string{
		"email": e.Email, "areacode": e.AreaCode, "phone": e.Phone, "xuser_id": e.ExternalID, "xuser_type": e.ExternalType,
	} {
		if text != nil && (len(*text) > maxExtra || strings.ContainsFunc(*text, func(r rune) bool { return r < ' ' || r == 0xFFFD })) {
			return invalidf("%s takes up to %d bytes and no control characters.", name, maxExtra)
		}
	}
	if e.AccessMode != nil && !slices.Contains([]string{"", defaultAccess, "programmatic", "console"}, *e.AccessMode) {
		return invalidf("access_mode takes default, programmatic or console.")
	}
	return nil
}

func (e *UserExtras) apply(u *store.User) {
	contact := store.Contact{}
	if u.Contact != nil {
		contact = *u.Contact
	}
	set(&contact.Email, e.Email)
	set(&contact.AreaCode, e.AreaCode)
	set(&contact.Phone, e.Phone)
	set(&contact.ExternalID, e.ExternalID)
	set(&contact.ExternalType, e.ExternalType)
	u.Contact = nil
	if contact != (store.Contact{}) {
		u.Contact = &contact
	}
	set(&u.AccessMode, e.AccessMode)
	set(&u.ChangePassword, e.ChangePassword)
}

// set writes a member of a patch, if it is given.
func set[T any](field, given *T) {
	if given != nil {
		*field = *given
	}
}

// CreateUserDetail is CreateUser with the answer of the OS-USER operations. Unless the
// request says otherwise the password is marked to be changed, as in the cloud.
func (s *Service) CreateUserDetail(ctx context.Context, c *iam.Caller, n NewUser, baseURL string) (UserDetailAnswer, error) {
	if n.ChangePassword == nil {
		yes := true
		n.ChangePassword = &yes
	}
	u, err := s.createUser(ctx, c, n)
	if err != nil {
		return UserDetailAnswer{}, err
	}
	return UserDetailAnswer{userDetail(u, false, baseURL)}, nil
}

// ShowUserDetail returns the caller himself or, if he may see users, another one of his
// domain; else IAM.0002 or IAM.0004.
func (s *Service) ShowUserDetail(ctx context.Context, c *iam.Caller, id, baseURL string) (UserDetailAnswer, error) {
	u, err := s.visibleUser(ctx, c, id)
	if err != nil {
		return UserDetailAnswer{}, err
	}
	d, err := s.store.Domain(ctx, u.DomainID)
	if errors.Is(err, store.ErrNotFound) {
		return UserDetailAnswer{}, notFound("user", id)
	}
	if err != nil {
		return UserDetailAnswer{}, err
	}
	return UserDetailAnswer{userDetail(u, d.OwnerID == u.ID, baseURL)}, nil
}

// UpdateUserDetail is UpdateUser with the answer of the OS-USER operations.
func (s *Service) UpdateUserDetail(ctx context.Context, c *iam.Caller, id string, p UserPatch, baseURL string) (UserDetailAnswer, error) {
	u, owner, err := s.patchUser(ctx, c, id, p)
	if err != nil {
		return UserDetailAnswer{}, err
	}
	return UserDetailAnswer{userDetail(u, owner, baseURL)}, nil
}
