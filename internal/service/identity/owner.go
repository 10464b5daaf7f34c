package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"coffer/internal/store"
)

// ResetOwner gives the owner of the account called domainName a new password and a
// new access key, and returns them. His old password, access keys and tokens are
// void. It is for an operator who has the store and its root key and no other way
// in, so there is no caller to authorize.
func (s *Service) ResetOwner(ctx context.Context, domainName string) (Bootstrapped, error) {
	d, err := s.account(ctx, BootstrapInput{DomainName: domainName})
	if err != nil {
		return Bootstrapped{}, err
	}
	if d == nil {
		return Bootstrapped{}, errors.New("identity: the store has no account yet; it is made at the first start of a server")
	}
	owner, err := s.store.User(ctx, d.OwnerID)
	if err != nil {
		return Bootstrapped{}, fmt.Errorf("reading the owner of the domain %s: %w", d.Name, err)
	}
	out := Bootstrapped{DomainID: d.ID, UserID: owner.ID, UserName: owner.Name}
	if err := s.replaceCredentials(ctx, owner, &out); err != nil {
		return Bootstrapped{}, err
	}
	s.log.LogAttrs(ctx, slog.LevelWarn, "account owner reset", slog.String("user_id", owner.ID), slog.String("access_key", out.AccessKey))
	return out, nil
}

// replaceCredentials fills in new credentials of u and stores them in the place of
// all others that he has.
func (s *Service) replaceCredentials(ctx context.Context, u *store.User, out *Bootstrapped) error {
	var err error
	if out.Password, err = s.givenPassword(""); err != nil {
		return err
	}
	if out.AccessKey, out.SecretKey, err = s.givenKey("", ""); err != nil {
		return err
	}
	hash, err := s.passwords.hash(ctx, Credential(out.Password))
	if err != nil {
		return err
	}
	k, err := s.sealedKey(u, out.AccessKey, out.SecretKey)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.keysOf(ctx, u.ID, func(*store.AccessKey) bool { return true })
	if err != nil {
		return err
	}
	now, enabled := s.o.Now(), true
	return s.store.Update(ctx, func(tx *store.Tx) error {
		user, err := tx.User(u.ID)
		if err != nil {
			return err
		}
		(&UserPatch{Enabled: &enabled}).apply(user, hash, now)
		for _, key := range old {
			if err := tx.DeleteAccessKey(key); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		return errors.Join(tx.PutUser(user), tx.PutAccessKey(k))
	})
}
