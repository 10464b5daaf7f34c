package service

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// VersionOf is a version together with the secret it belongs to, of which it needs
// the name and the labels.
type VersionOf struct {
	Secret  *csms.Secret
	Version csms.Version
}

// ValueOf is a version with its value in the clear. Whoever gets it wipes the value
// once it is sent.
type ValueOf struct {
	VersionOf
	Value csms.Value
}

// NewVersion is the input of CreateSecretVersion.
type NewVersion struct {
	Text, Binary csms.Plaintext // exactly one (N5)
	Stages       []string       // empty means the default move (L4, L8)
	ExpireTime   csms.Millis    // zero for none
}

// CreateSecretVersion stores a new value and moves the labels (L4 to L10).
func (s *Service) CreateSecretVersion(ctx context.Context, who *iam.Caller, name string, in NewVersion) (VersionOf, error) {
	now := s.now()
	r := s.request(who, iam.CreateSecretVersion, name)
	t, err := s.authorize(ctx, who, r, now)
	if err != nil {
		return VersionOf{}, err
	}
	value, err := csms.NewValue(in.Text, in.Binary, s.limits.ValueBytes)
	if err != nil {
		return VersionOf{}, err
	}
	n := csms.NewVersion{Kind: value.Kind, Stages: in.Stages, ExpireTime: in.ExpireTime}
	if err := n.Validate(now); err != nil {
		return VersionOf{}, err
	}
	if t.missing != nil {
		return VersionOf{}, t.missing
	}
	if err := t.secret.CheckWritable(); err != nil {
		return VersionOf{}, err
	}
	return s.addVersion(ctx, who, r, t.secret, n, value, now)
}

// addVersion seals value with the key that the secret has now and adds the version
// that n describes.
func (s *Service) addVersion(ctx context.Context, who *iam.Caller, r iam.Request, seen *csms.Secret, n csms.NewVersion, value csms.Value, now csms.Millis) (VersionOf, error) {
	p, err := s.prepare(ctx, who, about(r, seen), binding(seen, 0, value.Kind), seen.KMSKeyID)
	if err != nil {
		return VersionOf{}, err
	}
	defer p.Wipe()
	n.KMSKeyID = p.KeyID()
	var added csms.Version
	from := s.originOf(ctx, who)
	sec, err := s.update(ctx, seen, now, func(tx *store.Tx, sec *csms.Secret, now csms.Millis) error {
		v, pruned, err := sec.AddVersion(n, now)
		if err != nil {
			return err
		}
		if err := checkLabelsFree(tx, sec, n.Stages...); err != nil {
			return err
		}
		added = *v
		if pruned != 0 {
			if err := tx.DeleteValue(sec.ID, pruned); err != nil {
				return err
			}
		}
		sealed, err := p.Seal(uint32(v.Number), value.Data)
		if err != nil {
			return err
		}
		if err := tx.PutValue(sec.ID, v.Number, sealed); err != nil {
			return err
		}
		return s.fire(tx, sec, happening{kind: csms.VersionCreated, versionID: v.ID(), detail: detailAdded, origin: from}, now)
	})
	return VersionOf{sec, added}, err
}

// binding is the place of a value: only there can it be opened.
func binding(sec *csms.Secret, number int, kind csms.Kind) seal.Binding {
	return seal.Binding{
		Domain: sec.DomainID, Project: sec.ProjectID, SecretID: sec.ID,
		Version: uint32(number), Field: string(kind),
	}
}

// ShowSecretVersion reads a value (V6 to V9) and marks the secret as used (TS6).
func (s *Service) ShowSecretVersion(ctx context.Context, who *iam.Caller, name, versionID string) (ValueOf, error) {
	now := s.now()
	r := s.request(who, iam.ShowSecretVersion, name)
	r.VersionID = iam.Known(versionID)
	t, err := s.authorize(ctx, who, r, now)
	if err != nil {
		return ValueOf{}, err
	}
	if err := csms.CheckVersionPath(versionID); err != nil {
		return ValueOf{}, err
	}
	if t.missing != nil {
		return ValueOf{}, t.missing
	}
	return s.readValue(ctx, who, r, t.secret, now)
}

// readValue opens the value of the version that r names and marks its secret as used.
func (s *Service) readValue(ctx context.Context, who *iam.Caller, r iam.Request, sec *csms.Secret, now csms.Millis) (ValueOf, error) {
	versionID, _ := r.VersionID.Get()
	v, sealed, err := s.sealedValue(ctx, sec, versionID)
	if err != nil {
		return ValueOf{}, err
	}
	data, err := s.openVersion(ctx, who, r, v, sealed)
	if err != nil {
		return ValueOf{}, err
	}
	s.used.mark(v.Secret, now)
	return ValueOf{v, csms.Value{Kind: v.Version.Kind, Data: data}}, nil
}

// openVersion opens a sealed value for a caller who has the right to its key.
func (s *Service) openVersion(ctx context.Context, who *iam.Caller, r iam.Request, v VersionOf, sealed []byte) (csms.Plaintext, error) {
	if err := s.authorizeRead(ctx, who, about(r, v.Secret), v.Version.KMSKeyID); err != nil {
		return nil, err
	}
	data, err := s.openSealed(ctx, v, sealed)
	if err != nil {
		return nil, keyError(internalf(err, "opening %s of secret %s", v.Version.ID(), v.Secret.ID), v.Version.KMSKeyID)
	}
	return data, nil
}

// openSealed opens a value with the key that its version names, to which the caller
// has the right. A value that names another key was changed.
func (s *Service) openSealed(ctx context.Context, v VersionOf, sealed []byte) (csms.Plaintext, error) {
	keyID, err := seal.KeyID(sealed)
	if err != nil {
		return nil, err
	}
	if keyID != v.Version.KMSKeyID {
		return nil, seal.ErrTampered
	}
	return s.sealer.Open(ctx, binding(v.Secret, v.Version.Number, v.Version.Kind), sealed)
}

// sealedValue returns a version of sec and its sealed value. A value that is gone
// although sec names its version was pruned or destroyed since sec was read, so the
// secret is read again, once: then a missing value is damage.
func (s *Service) sealedValue(ctx context.Context, sec *csms.Secret, versionID string) (VersionOf, []byte, error) {
	for attempt := 0; ; attempt++ {
		v, err := sec.Version(versionID)
		if err != nil {
			return VersionOf{}, nil, err
		}
		if err := sec.CheckUsable(); err != nil {
			return VersionOf{}, nil, err
		}
		sealed, err := s.store.Value(ctx, sec.ID, v.Number)
		if err == nil {
			return VersionOf{sec, *v}, sealed, nil
		}
		if !errors.Is(err, store.ErrNotFound) || attempt > 0 {
			return VersionOf{}, nil, internalf(err, "reading the value of version %s of secret %s", v.ID(), sec.ID)
		}
		if sec, err = s.store.Secret(ctx, sec.ProjectID, sec.Name); err != nil {
			return VersionOf{}, nil, err
		}
	}
}

// UpdateVersion changes the expiry of a version (V9 to V11).
func (s *Service) UpdateVersion(ctx context.Context, who *iam.Caller, name, versionID string, expire csms.Millis) (VersionOf, error) {
	r := s.request(who, iam.UpdateVersion, name)
	r.VersionID = iam.Known(versionID)
	var changed csms.Version
	sec, err := s.change(ctx, who, change{
		request: r,
		validate: func(now csms.Millis) error {
			if err := csms.CheckVersionPath(versionID); err != nil {
				return err
			}
			return csms.CheckExpiry(expire, now)
		},
		apply: func(_ *store.Tx, sec *csms.Secret, now csms.Millis) error {
			v, err := sec.SetExpiry(versionID, expire, now)
			if err == nil {
				changed = *v
			}
			return err
		},
	})
	return VersionOf{sec, changed}, err
}

// BatchShowSecretVersion reads the SYSCURRENT version of each named secret, all or
// none, each name once, in the order asked for (V13).
func (s *Service) BatchShowSecretVersion(ctx context.Context, who *iam.Caller, names []string) ([]ValueOf, error) {
	now := s.now()
	secrets, err := s.authorizeBatch(ctx, who, unique(names), now)
	if err != nil {
		return nil, err
	}
	values := make([]ValueOf, 0, len(secrets))
	for _, sec := range secrets {
		r := s.request(who, iam.BatchShowSecretVersion, sec.Name)
		r.VersionID = iam.Known(csms.Latest)
		v, err := s.readValue(ctx, who, r, sec, now)
		if err != nil {
			wipe(values)
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// authorizeBatch asks for the right to each name before it tells whether any of
// them exists.
func (s *Service) authorizeBatch(ctx context.Context, who *iam.Caller, names []string, now csms.Millis) ([]*csms.Secret, error) {
	if n := len(names); n == 0 || n > maxBatch {
		if err := s.Authorize(ctx, who, iam.BatchShowSecretVersion, ""); err != nil {
			return nil, err
		}
		return nil, csms.Invalidf("secret_name_list has %d names; it takes 1 to %d.", n, maxBatch)
	}
	targets := make([]target, 0, len(names))
	for _, name := range names {
		t, err := s.authorize(ctx, who, s.request(who, iam.BatchShowSecretVersion, name), now)
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	secrets := make([]*csms.Secret, 0, len(targets))
	for _, t := range targets {
		if t.missing != nil {
			return nil, t.missing
		}
		secrets = append(secrets, t.secret)
	}
	return secrets, nil
}

// maxBatch bounds the names of one BatchShowSecretVersion (V13, Q12).
const maxBatch = 100

func unique(names []string) []string {
	seen := make(map[string]bool, len(names))
	var out []string
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}

func wipe(values []ValueOf) {
	for _, v := range values {
		v.Value.Data.Wipe()
	}
}
