package service

import (
	"context"
	"errors"

	"coffer/internal/backup"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// DownloadSecretBlob returns a backup of a secret with every version (B1). It takes
// an ENABLED secret and a right to each of its keys, as reading the values does; it
// is no use of the secret (TS6).
func (s *Service) DownloadSecretBlob(ctx context.Context, who *iam.Caller, name string) (string, error) {
	now := s.now()
	r := s.request(who, iam.DownloadSecretBlob, name)
	t, err := s.authorize(ctx, who, r, now)
	if err != nil {
		return "", err
	}
	if t.missing != nil {
		return "", t.missing
	}
	sec, sealed, err := s.snapshot(ctx, t.secret, now)
	if err != nil {
		return "", err
	}
	content := &backup.Content{Backup: sec.Backup()}
	defer content.Wipe()
	for i := range sec.Versions {
		data, err := s.openVersion(ctx, who, r, VersionOf{sec, sec.Versions[i]}, sealed[i])
		if err != nil {
			return "", err
		}
		content.Values = append(content.Values, data)
	}
	return s.sealBlob(sec, content)
}

// snapshot returns a usable secret and its sealed values as they were at one moment:
// versions may come and go meanwhile.
func (s *Service) snapshot(ctx context.Context, seen *csms.Secret, now csms.Millis) (sec *csms.Secret, sealed [][]byte, err error) {
	err = s.store.View(ctx, func(v *store.View) error {
		if sec, err = v.Secret(seen.ProjectID, seen.Name); err != nil {
			return err
		}
		if sec.ID != seen.ID || sec.Gone(now) {
			return notFound(seen.Name)
		}
		if err := sec.CheckUsable(); err != nil {
			return err
		}
		if len(sec.Versions) == 0 {
			return csms.Invalidf("The replica %s has no version yet; try again once it is IN_SYNC.", sec.Name)
		}
		for i := range sec.Versions {
			value, err := v.Value(sec.ID, sec.Versions[i].Number)
			if err != nil {
				return internalf(err, "reading the value of version %s of secret %s", sec.Versions[i].ID(), sec.ID)
			}
			sealed = append(sealed, value)
		}
		return nil
	})
	return sec, sealed, err
}

func (s *Service) sealBlob(sec *csms.Secret, content *backup.Content) (string, error) {
	box, err := s.blobs(sec.DomainID)
	if err != nil {
		return "", internalf(err, "keying a backup of secret %s", sec.ID)
	}
	text, err := backup.Seal(box, sec.DomainID, content)
	if errors.Is(err, backup.ErrTooLong) {
		return "", csms.Invalidf("The backup of %s would have more than %d characters.", sec.Name, backup.MaxText)
	}
	return text, err
}

// UploadSecretBlob recreates a secret from a backup that was made in this account
// (B2 to B5), also in another project of it. Nothing is written unless all of it can
// be.
func (s *Service) UploadSecretBlob(ctx context.Context, who *iam.Caller, blob string) (*csms.Secret, error) {
	now := s.now()
	content, err := s.openBlob(ctx, who, blob)
	if err != nil {
		return nil, err
	}
	defer content.Wipe()
	keyID, err := s.keyStillThere(ctx, who.ProjectID, content.KMSKeyID)
	if err != nil {
		return nil, err
	}
	r := s.request(who, iam.UploadSecretBlob, content.Name)
	r.Attributes = creationAttributes(&csms.Creation{Type: content.Type, KMSKeyID: keyID})
	if err := who.Authorize(&r); err != nil {
		return nil, err
	}
	if _, err := s.lookUp(ctx, who.ProjectID, content.Name, now); err == nil {
		return nil, nameTaken(content.Name)
	}
	key, err := s.key(ctx, who, r, keyID)
	if err != nil {
		return nil, err
	}
	sec := content.Recreate(csms.Place{ID: s.newID(), DomainID: who.DomainID, ProjectID: who.ProjectID, KMSKeyID: key.ID}, now)
	sealed, err := s.sealAll(ctx, sec, content.Values)
	if err != nil {
		return nil, err
	}
	return s.insert(ctx, sec, sealed, s.originOf(ctx, who), now)
}

// openBlob opens a backup of the account. What is wrong with it is told only to a
// caller who may upload any secret: of which one it is cannot be known (S7).
func (s *Service) openBlob(ctx context.Context, who *iam.Caller, blob string) (*backup.Content, error) {
	box, err := s.blobs(who.DomainID)
	if err != nil {
		return nil, internalf(err, "keying a backup of domain %s", who.DomainID)
	}
	content, err := backup.Open(box, who.DomainID, blob)
	if err == nil {
		return content, nil
	}
	if denied := s.Authorize(ctx, who, iam.UploadSecretBlob, ""); denied != nil {
		return nil, denied
	}
	if errors.Is(err, backup.ErrTooLong) {
		return nil, csms.Invalidf("secret_blob has more than %d characters.", backup.MaxText)
	}
	return nil, csms.Invalidf("secret_blob is no backup that was made in this account: it is damaged, or of another account or installation.")
}

// keyStillThere returns the id of the key that a secret had, if the project has such
// a key and it is not the default one; else "", which stands for the default key.
func (s *Service) keyStillThere(ctx context.Context, project, keyID string) (string, error) {
	key, err := s.sealer.Describe(ctx, project, keyID)
	if errors.Is(err, seal.ErrKeyNotFound) {
		return "", nil
	}
	if err != nil {
		return "", keyError(err, keyID)
	}
	return named(key), nil
}

// sealAll seals the values of all versions of a secret that is not stored yet.
func (s *Service) sealAll(ctx context.Context, sec *csms.Secret, values []csms.Plaintext) ([][]byte, error) {
	all := make([][]byte, 0, len(values))
	for i := range sec.Versions {
		v := &sec.Versions[i]
		sealed, _, err := s.sealer.Seal(ctx, sec.KMSKeyID, binding(sec, v.Number, v.Kind), values[i])
		if err != nil {
			return nil, keyError(err, sec.KMSKeyID)
		}
		all = append(all, sealed)
	}
	return all, nil
}
