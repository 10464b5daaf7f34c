package identity

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/auth/credential"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// MaxAccessKeys is how many permanent access keys a user has at most: one in use
// and one to change to.
const MaxAccessKeys = 2

// Values of the member status of an access key.
const (
	StatusActive   = "active"
	StatusInactive = "inactive"
)

// AccessKeyInfo is a permanent access key on the wire. Secret is there once, in the
// answer of CreateAccessKey.
type AccessKeyInfo struct {
	Access      string `json:"access"`
	Secret      string `json:"secret,omitempty"`
	CreateTime  string `json:"create_time"`
	Status      string `json:"status"`
	UserID      string `json:"user_id"`
	Description string `json:"description"`
}

// String keeps the secret out of whatever prints the answer.
func (a AccessKeyInfo) String() string { return "access key " + a.Access }

// AccessKeyAnswer is one access key on the wire.
type AccessKeyAnswer struct {
	Credential AccessKeyInfo `json:"credential"`
}

// AccessKeyList is a list of access keys on the wire.
type AccessKeyList struct {
	Credentials []AccessKeyInfo `json:"credentials"`
}

func accessKeyInfo(k *store.AccessKey) AccessKeyInfo {
	status := StatusActive
	if !k.Active {
		status = StatusInactive
	}
	return AccessKeyInfo{
		Access: k.AccessKey, CreateTime: credential.FormatTime(k.CreateTime), Status: status,
		UserID: k.UserID, Description: k.Description,
	}
}

func permanent(k *store.AccessKey) bool { return k.Temporary == nil }

// NewAccessKey is the request of CreateAccessKey.
type NewAccessKey struct {
	UserID      string `json:"user_id"`
	Description string `json:"description"`
}

// CreateAccessKey makes an access key of a user, who has at most MaxAccessKeys. The
// secret is in this answer and never told again. Keys of the owner of the account
// are made by himself only: they carry all his rights.
func (s *Service) CreateAccessKey(ctx context.Context, c *iam.Caller, n NewAccessKey) (AccessKeyAnswer, error) {
	if err := s.authorize(c, iam.CreateAccessKeyV5, n.UserID); err != nil {
		return AccessKeyAnswer{}, err
	}
	if err := checkDescription(n.Description); err != nil {
		return AccessKeyAnswer{}, err
	}
	id, secret, err := credential.NewAccessKey(s.o.Rand)
	if err != nil {
		return AccessKeyAnswer{}, err
	}
	defer secret.Wipe()
	k := &store.AccessKey{
		AccessKey: id, UserID: n.UserID, DomainID: c.DomainID, Active: true, Description: n.Description, CreateTime: s.o.Now(),
	}
	if k.SealedSecret, err = credential.SealSecret(s.box, k, secret); err != nil {
		return AccessKeyAnswer{}, err
	}
	if err := s.addAccessKey(ctx, c, k); err != nil {
		return AccessKeyAnswer{}, err
	}
	out := accessKeyInfo(k)
	out.Secret = string(secret)
	return AccessKeyAnswer{out}, nil
}

// addAccessKey stores a new key, if its user has room for it.
func (s *Service) addAccessKey(ctx context.Context, c *iam.Caller, k *store.AccessKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys, err := s.keysOf(ctx, k.UserID, permanent)
	if err != nil {
		return err
	}
	return s.updateUser(ctx, c, k.UserID, func(tx *store.Tx, _ *store.User, _ bool) error {
		if len(keys) >= MaxAccessKeys {
			return conflictf("The user has %d access keys, which is the most; delete one first.", len(keys))
		}
		if _, err := tx.AccessKey(k.AccessKey); !errors.Is(err, store.ErrNotFound) {
			return errors.Join(err, fmt.Errorf("identity: access key %s was drawn twice", k.AccessKey))
		}
		return tx.PutAccessKey(k)
	})
}

// ListAccessKeys lists the permanent access keys of a user: of the caller himself,
// "" included, or of another one if he may see them.
func (s *Service) ListAccessKeys(ctx context.Context, c *iam.Caller, userID string) (AccessKeyList, error) {
	if userID == "" {
		userID = c.UserID
	}
	if userID != c.UserID {
		if err := s.authorize(c, iam.ListAccessKeysV5, userID); err != nil {
			return AccessKeyList{}, err
		}
	}
	if _, err := ownUser(c, userID, func(id string) (*store.User, error) { return s.store.User(ctx, id) }); err != nil {
		return AccessKeyList{}, err
	}
	keys, err := s.keysOf(ctx, userID, permanent)
	out := AccessKeyList{Credentials: make([]AccessKeyInfo, 0, len(keys))}
	for _, k := range keys {
		out.Credentials = append(out.Credentials, accessKeyInfo(k))
	}
	return out, err
}

// ShowAccessKey returns one permanent access key, without its secret.
func (s *Service) ShowAccessKey(ctx context.Context, c *iam.Caller, accessKey string) (AccessKeyAnswer, error) {
	k, err := s.addressed(ctx, c, iam.ShowPermanentAccessKey, accessKey)
	if err != nil {
		return AccessKeyAnswer{}, err
	}
	return AccessKeyAnswer{accessKeyInfo(k)}, nil
}

// AccessKeyPatch is the request of UpdateAccessKey; nil leaves a member as it is.
type AccessKeyPatch struct {
	Status      *string `json:"status"` // active or inactive
	Description *string `json:"description"`
}

// UpdateAccessKey changes a permanent access key. An inactive one signs nothing. The
// last way in of the owner of the account stays open.
func (s *Service) UpdateAccessKey(ctx context.Context, c *iam.Caller, accessKey string, p AccessKeyPatch) (AccessKeyAnswer, error) {
	if _, err := s.addressed(ctx, c, iam.UpdateAccessKeyV5, accessKey); err != nil {
		return AccessKeyAnswer{}, err
	}
	if p.Status != nil && *p.Status != StatusActive && *p.Status != StatusInactive {
		return AccessKeyAnswer{}, invalidf("status takes active or inactive.")
	}
	if p.Description != nil {
		if err := checkDescription(*p.Description); err != nil {
			return AccessKeyAnswer{}, err
		}
	}
	var out AccessKeyAnswer
	closing := p.Status != nil && *p.Status == StatusInactive
	err := s.changeAccessKey(ctx, c, accessKey, closing, func(tx *store.Tx, k *store.AccessKey) error {
		if p.Status != nil {
			k.Active = *p.Status == StatusActive
		}
		if p.Description != nil {
			k.Description = *p.Description
		}
		out = AccessKeyAnswer{accessKeyInfo(k)}
		return tx.PutAccessKey(k)
	})
	return out, err
}

// DeleteAccessKey removes a permanent access key; requests signed with it fail at
// once. The last way in of the owner of the account stays open.
func (s *Service) DeleteAccessKey(ctx context.Context, c *iam.Caller, accessKey string) error {
	if _, err := s.addressed(ctx, c, iam.DeleteAccessKeyV5, accessKey); err != nil {
		return err
	}
	return s.changeAccessKey(ctx, c, accessKey, true, func(tx *store.Tx, k *store.AccessKey) error { return tx.DeleteAccessKey(k) })
}

// addressed authorizes op on a key that is named by itself: one needs the right over
// its user. For a key that does not exist it is the right over all users, so that
// others cannot probe keys.
func (s *Service) addressed(ctx context.Context, c *iam.Caller, op iam.Op, accessKey string) (*store.AccessKey, error) {
	k, err := orNil(s.store.AccessKey(ctx, accessKey))
	if err != nil {
		return nil, err
	}
	if k != nil && (k.DomainID != c.DomainID || !permanent(k)) {
		k = nil
	}
	userID := ""
	if k != nil {
		userID = k.UserID
	}
	if err := s.authorize(c, op, userID); err != nil {
		return nil, err
	}
	if k == nil {
		return nil, notFound("access key", accessKey)
	}
	return k, nil
}

// changeAccessKey runs change on a key in one transaction. Closing means that the
// key will not work afterwards.
func (s *Service) changeAccessKey(ctx context.Context, c *iam.Caller, accessKey string, closing bool, change func(*store.Tx, *store.AccessKey) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, err := orNil(s.store.AccessKey(ctx, accessKey))
	if err != nil {
		return err
	}
	if seen == nil {
		return notFound("access key", accessKey)
	}
	others, err := s.keysOf(ctx, seen.UserID, func(k *store.AccessKey) bool {
		return k.Active && permanent(k) && k.AccessKey != accessKey
	})
	if err != nil {
		return err
	}
	return s.updateUser(ctx, c, seen.UserID, func(tx *store.Tx, u *store.User, owner bool) error {
		k, err := own(c, "access key", accessKey, tx.AccessKey, func(k *store.AccessKey) string { return k.DomainID })
		if err != nil {
			return err
		}
		if owner && closing && k.Active && len(others) == 0 && u.PasswordHash == "" {
			return csms.Errorf(csms.CodeIAMForbidden, "It is the last way in of the owner of the account, who has no password: make another access key first.")
		}
		return change(tx, k)
	})
}
