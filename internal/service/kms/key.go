package kms

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// MaxKeys bounds the keys of a project; default keys and scheduled ones count. It is
// looked at before the transaction, so creations at the same instant can pass it by
// their number.
const MaxKeys = 1000

// Bounds of pending_days of ScheduleKeyDeletion.
const (
	minPendingDays = 7
	maxPendingDays = 1096
	dayMillis      = 24 * 60 * 60 * 1000
)

const maxText = 255 // characters of an alias or a description

// KeyState is the key_state of the wire: 2 enabled, 3 disabled, 4 pending deletion.
type KeyState uint8

// Key is a key as its owner sees it. It holds no key material.
type Key struct {
	ID           string
	DomainID     string
	Alias        string
	Description  string
	Spec         string
	Usage        string
	State        KeyState
	Default      bool        // the key csms/default (N11)
	CreateTime   csms.Millis // when it was created
	DeletionTime csms.Millis // zero unless its deletion is scheduled
	Rotated      bool        // it is rotated by itself

	EnterpriseProjectID string
}

func describe(key *store.Key) Key {
	return Key{
		ID: key.ID, DomainID: key.DomainID, Alias: key.Alias, Description: key.Description,
		Spec: string(seal.SpecAES256), Usage: string(seal.UsageEncryptDecrypt), State: KeyState(key.State),
		Default: key.Default, CreateTime: key.CreateTime, DeletionTime: key.DeletionTime, Rotated: key.NextRotation != 0,
		EnterpriseProjectID: key.InEnterpriseProject(),
	}
}

// NewKey is the input of CreateKey. An empty member is one that was not given.
type NewKey struct {
	Alias               string // required; 1 to 255 of A-Z a-z 0-9 : / _ -, and not ending in /default
	Spec                string // AES_256
	Usage               string // ENCRYPT_DECRYPT
	Description         string // at most 255 characters
	Origin              string // kms
	EnterpriseProjectID string // of an enabled one; "" for the default one
	KeystoreID          string // 0
}

// CreateKey makes an enabled key and returns its id.
func (s *Service) CreateKey(ctx context.Context, who *iam.Caller, in NewKey) (string, error) {
	r := s.request(who, iam.CreateKey, "")
	r.EnterpriseProjectID = iam.Known(cmp.Or(in.EnterpriseProjectID, csms.DefaultEnterpriseProject))
	if err := forbidden(who.Authorize(&r)); err != nil {
		return "", err
	}
	if err := in.validate(); err != nil {
		return "", err
	}
	if err := s.checkEnterpriseProject(ctx, who.DomainID, in.EnterpriseProjectID); err != nil {
		return "", err
	}
	if err := s.checkQuota(ctx, who.ProjectID); err != nil {
		return "", err
	}
	key, err := s.o.Keys.CreateKeyIn(ctx, in.EnterpriseProjectID, who.ProjectID, who.DomainID, in.Alias, in.Description)
	return key.ID, coded(err, "")
}

func (in *NewKey) validate() error {
	if err := checkAlias(in.Alias); err != nil {
		return err
	}
	if err := checkDescription(in.Description); err != nil {
		return err
	}
	if err := in.checkKind(); err != nil {
		return err
	}
	return nil
}

// checkEnterpriseProject reports an enterprise project that a new key cannot be in. It
// is looked at before the transaction, like the quota.
func (s *Service) checkEnterpriseProject(ctx context.Context, domain, id string) error {
	why, err := store.Closed(id, s.o.Store.EnterpriseProjectsOf(ctx, domain))
	if err == nil && why != "" {
		return csms.Errorf(csms.CodeKMSInvalid, "%s", why)
	}
	return err
}

// asymmetric are the specs of keys that sign or that others encrypt for.
var asymmetric = []string{"RSA_", "EC_", "SECP256K1", "SM2"}

// checkKind refuses every kind of key but the one there is: AES_256, made here.
func (in *NewKey) checkKind() error {
	isAsymmetric := func(prefix string) bool { return strings.HasPrefix(in.Spec, prefix) }
	switch {
	case slices.ContainsFunc(asymmetric, isAsymmetric):
		return notOffered("asymmetric keys")
	case in.Spec != "" && in.Spec != string(seal.SpecAES256):
		return csms.Errorf(csms.CodeKMSSpec, "key_spec must be AES_256.")
	case in.Usage != "" && in.Usage != string(seal.UsageEncryptDecrypt):
		return notOffered("keys for another use than ENCRYPT_DECRYPT")
	case in.Origin != "" && in.Origin != "kms":
		return notOffered("imported keys")
	case in.KeystoreID != "" && in.KeystoreID != "0":
		return notOffered("key stores")
	default:
		return nil
	}
}

func checkAlias(alias string) error {
	if alias == "" {
		return missing("key_alias")
	}
	if len(alias) > maxText || strings.ContainsFunc(alias, notInAlias) {
		return csms.Errorf(csms.CodeKMSAlias, "key_alias must match ^[a-zA-Z0-9:/_-]{1,255}$.")
	}
	if strings.HasSuffix(alias, "/default") {
		return csms.Errorf(csms.CodeKMSAlias, "key_alias must not end in /default, as those of default keys do.")
	}
	return nil
}

func notInAlias(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune(":/_-", r)
}

func checkDescription(text string) error {
	if n := utf8.RuneCountInString(text); n > maxText {
		return csms.Errorf(csms.CodeKMSDescription, "key_description has %d characters; it takes at most %d.", n, maxText)
	}
	return nil
}

func (s *Service) checkQuota(ctx context.Context, project string) error {
	count := 0
	err := s.o.Store.View(ctx, func(v *store.View) error {
		for _, err := range v.Keys(project) {
			if err != nil {
				return err
			}
			count++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if count >= MaxKeys {
		return csms.Errorf(csms.CodeKMSKeyQuota, "The project holds %d keys; its quota is %d.", count, MaxKeys)
	}
	return nil
}

// DescribeKey returns a key in whatever state it is.
func (s *Service) DescribeKey(ctx context.Context, who *iam.Caller, keyID string) (Key, error) {
	key, err := s.find(ctx, who, iam.DescribeKey, keyID, nil)
	if err != nil {
		return Key{}, err
	}
	return describe(key), nil
}

// EnableKey makes a disabled key usable again.
func (s *Service) EnableKey(ctx context.Context, who *iam.Caller, keyID string) (KeyState, error) {
	return s.change(ctx, who, iam.EnableKey, keyID, nil, s.o.Keys.EnableKey)
}

// DisableKey makes an enabled key unusable: what it protects cannot be read from the
// moment it returns.
func (s *Service) DisableKey(ctx context.Context, who *iam.Caller, keyID string) (KeyState, error) {
	return s.change(ctx, who, iam.DisableKey, keyID, nil, s.o.Keys.DisableKey)
}

// ScheduleKeyDeletion plans the destruction of a key in 7 to 1096 days. What it
// protects cannot be read from now on, and is lost when the time has come.
func (s *Service) ScheduleKeyDeletion(ctx context.Context, who *iam.Caller, keyID string, days int) (KeyState, error) {
	at := s.o.Now() + csms.Millis(days)*dayMillis
	return s.change(ctx, who, iam.ScheduleKeyDeletion, keyID,
		func() error {
			if days < minPendingDays || days > maxPendingDays {
				return csms.Errorf(csms.CodeKMSPendingDays, "pending_days must be a number from %d to %d.", minPendingDays, maxPendingDays)
			}
			return nil
		},
		func(ctx context.Context, project, keyID string) (seal.Key, error) {
			return s.o.Keys.ScheduleKeyDeletion(ctx, project, keyID, at)
		})
}

// CancelKeyDeletion leaves a key disabled whose deletion was scheduled.
func (s *Service) CancelKeyDeletion(ctx context.Context, who *iam.Caller, keyID string) (KeyState, error) {
	return s.change(ctx, who, iam.CancelKeyDeletion, keyID, nil, s.o.Keys.CancelKeyDeletion)
}

// UpdateKeyAlias renames a key.
func (s *Service) UpdateKeyAlias(ctx context.Context, who *iam.Caller, keyID, alias string) error {
	_, err := s.change(ctx, who, iam.UpdateKeyAlias, keyID,
		func() error { return checkAlias(alias) },
		func(ctx context.Context, project, keyID string) (seal.Key, error) {
			return s.o.Keys.UpdateKeyAlias(ctx, project, keyID, alias)
		})
	return err
}

// UpdateKeyDescription changes the description of a key; "" takes it away.
func (s *Service) UpdateKeyDescription(ctx context.Context, who *iam.Caller, keyID, description string) error {
	_, err := s.change(ctx, who, iam.UpdateKeyDescription, keyID,
		func() error { return checkDescription(description) },
		func(ctx context.Context, project, keyID string) (seal.Key, error) {
			return s.o.Keys.UpdateKeyDescription(ctx, project, keyID, description)
		})
	return err
}
