package identity

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// PasswordChange is the request of UpdateUserPassword.
type PasswordChange struct {
	Password    Credential `json:"password"`
	OldPassword Credential `json:"old_password"`
}

// UpdateUserPassword gives the caller a new password in exchange for the old one and
// returns his id. Every token of his is void at once, the one he calls with included;
// his access keys go on. It is an operation of CSMS and has its codes: a wrong old
// password is CSMS.0002 and counts as a failed login, too many of them APIGW.0308.
func (s *Service) UpdateUserPassword(ctx context.Context, c *iam.Caller, p PasswordChange) (string, error) {
	if err := s.authorizeOwn(c); err != nil {
		return "", err
	}
	u, err := orNil(s.store.User(ctx, c.UserID))
	if err != nil {
		return "", err
	}
	if u == nil {
		return "", wrongOldPassword()
	}
	if err := checkNewPassword(u.Name, p); err != nil {
		return "", err
	}
	if err := s.proveOld(ctx, u, p.OldPassword); err != nil {
		return "", err
	}
	hash, err := s.passwords.hash(ctx, p.Password)
	if err != nil {
		return "", err
	}
	return u.ID, s.replacePassword(ctx, u, hash)
}

// authorizeOwn reports, as CSMS.0302, that the caller may not change a password of his
// own, because a policy denies it or because he is no user.
func (s *Service) authorizeOwn(c *iam.Caller) error {
	r := iam.Request{Op: iam.UpdateUserPassword, Region: s.o.Region, Domain: c.DomainID}
	if d := iam.Evaluate(c, &r); !d.Allowed {
		return d.Err()
	}
	if c.UserID == "" || c.Foreign {
		return csms.Errorf(csms.CodeForbidden, "The caller is no user of this server and has no password here.")
	}
	return nil
}

func checkNewPassword(name string, p PasswordChange) error {
	if e := (*csms.Error)(nil); errors.As(CheckPassword(name, p.Password), &e) {
		return csms.Invalidf("%s", e.Msg)
	}
	if p.Password == p.OldPassword {
		return csms.Invalidf("password is the same as old_password.")
	}
	return nil
}

// proveOld reports an old password that is not the one of u. Guesses are counted with
// failed logins, so that a stolen token does not open a second way to guess.
func (s *Service) proveOld(ctx context.Context, u *store.User, old Credential) error {
	who := userKey(u, "", "", nil)
	if s.byUser.blocked(who, s.o.Now()) {
		return csms.Errorf(csms.CodeThrottled, "Too many failed attempts; try again later.")
	}
	ok, err := s.passwords.verify(ctx, u.PasswordHash, old)
	if err != nil {
		return err
	}
	if !ok {
		s.byUser.fail(who, s.o.Now())
		return wrongOldPassword()
	}
	s.byUser.forgive(who)
	return nil
}

// replacePassword stores a new hash, unless the password that was proved is another
// one by now.
func (s *Service) replacePassword(ctx context.Context, seen *store.User, hash string) error {
	now := s.o.Now()
	return s.store.Update(ctx, func(tx *store.Tx) error {
		u, err := orNil(tx.User(seen.ID))
		if err != nil {
			return err
		}
		if u == nil || u.PasswordHash != seen.PasswordHash {
			return wrongOldPassword()
		}
		patch := UserPatch{}
		patch.apply(u, hash, now)
		return tx.PutUser(u)
	})
}

func wrongOldPassword() error {
	return csms.Invalidf("old_password is not the password of the user.")
}
