package service

import (
	"cmp"
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// NewSecret is the input of CreateSecret.
type NewSecret struct {
	Creation     csms.Creation  // without ID, DomainID, ProjectID and Kind
	Text, Binary csms.Plaintext // exactly one (N5); the caller of the service wipes them
}

// CreateSecret creates a secret with v1 under SYSCURRENT.
func (s *Service) CreateSecret(ctx context.Context, who *iam.Caller, in NewSecret) (*csms.Secret, error) {
	now, c := s.now(), in.Creation
	r := s.request(who, iam.CreateSecret, c.Name)
	r.Attributes = creationAttributes(&c)
	if err := who.Authorize(&r); err != nil {
		return nil, err
	}
	value, err := s.validateNew(&c, in)
	if err != nil {
		return nil, err
	}
	if _, err := s.lookUp(ctx, who.ProjectID, c.Name, now); err == nil {
		return nil, nameTaken(c.Name)
	}
	if err := s.checkReferences(ctx, who, &c); err != nil {
		return nil, err
	}
	c.ID, c.DomainID, c.ProjectID, c.Kind = s.newID(), who.DomainID, who.ProjectID, value.Kind
	sealed, keyID, err := s.sealFirst(ctx, who, r, &c, value)
	if err != nil {
		return nil, err
	}
	c.KMSKeyID = keyID
	return s.insert(ctx, csms.New(c, now), [][]byte{sealed}, s.originOf(ctx, who), now)
}

// creationAttributes are what a condition can see of a secret that is to be made.
func creationAttributes(c *csms.Creation) iam.Attributes {
	a := iam.Attributes{
		Type:                iam.Known(cmp.Or(string(c.Type), string(csms.Common))),
		EnterpriseProjectID: iam.Known(cmp.Or(c.EnterpriseProjectID, csms.DefaultEnterpriseProject)),
	}
	if c.KMSKeyID != "" {
		a.KMSKeyID = iam.Known(c.KMSKeyID)
	}
	return a
}

func (s *Service) validateNew(c *csms.Creation, in NewSecret) (csms.Value, error) {
	if err := c.Validate(s.limits); err != nil {
		return csms.Value{}, err
	}
	if c.KMSKeyID != "" && !csms.IsUUID(c.KMSKeyID) {
		return csms.Value{}, csms.Invalidf("kms_key_id must be a UUID.") // N12
	}
	return csms.NewValue(in.Text, in.Binary, s.limits.ValueBytes)
}

// checkReferences reports what a secret would point to and does not exist: an
// enterprise project (N14), or an event (E4). Both are looked at again in the
// transaction.
func (s *Service) checkReferences(ctx context.Context, who *iam.Caller, c *csms.Creation) error {
	if err := checkEnterpriseProject(c.EnterpriseProjectID, s.store.EnterpriseProjectsOf(ctx, who.DomainID)); err != nil {
		return err
	}
	return checkSubscriptions(c.EventSubscriptions, func(name string) (*csms.Event, error) {
		return s.store.Event(ctx, who.ProjectID, name)
	})
}

// sealFirst seals the value of v1 and returns it with the id of the key in use.
func (s *Service) sealFirst(ctx context.Context, who *iam.Caller, r iam.Request, c *csms.Creation, v csms.Value) ([]byte, string, error) {
	p, err := s.prepare(ctx, who, r, seal.Binding{Domain: c.DomainID, Project: c.ProjectID, SecretID: c.ID, Field: string(v.Kind)}, c.KMSKeyID)
	if err != nil {
		return nil, "", err
	}
	defer p.Wipe()
	sealed, err := p.Seal(1, v.Data)
	return sealed, p.KeyID(), err
}

// insert stores a new secret and the values of its versions, in their order. One whose scheduled destruction is due makes way; any
// other of that name, scheduled or not, keeps it (N3, N4).
func (s *Service) insert(ctx context.Context, created *csms.Secret, sealed [][]byte, o origin, now csms.Millis) (*csms.Secret, error) {
	var sec *csms.Secret
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		sec = created.Clone() // for the closure may run again
		if err := s.makeWay(tx, sec, now); err != nil {
			return err
		}
		if err := checkPointers(tx, sec); err != nil {
			return err
		}
		count, err := tx.SecretCount(sec.ProjectID)
		if err != nil {
			return err
		}
		if err := s.limits.CheckSecretQuota(count); err != nil {
			return err
		}
		for i := range sec.Versions {
			if err := tx.PutValue(sec.ID, sec.Versions[i].Number, sealed[i]); err != nil {
				return err
			}
		}
		h := happening{kind: csms.VersionCreated, versionID: csms.VersionID(1), detail: detailCreated, origin: o} // E9
		if err := s.fire(tx, sec, h, now); err != nil {
			return err
		}
		return tx.PutSecret(sec)
	})
	if err != nil {
		return nil, err
	}
	return sec, nil
}

// checkPointers is checkReferences in the transaction that stores sec.
func checkPointers(tx *store.Tx, sec *csms.Secret) error {
	if err := checkEnterpriseProject(sec.EnterpriseProjectID, tx.EnterpriseProjectsOf(sec.DomainID)); err != nil {
		return err
	}
	return checkSubscriptions(sec.EventSubscriptions, inProject(tx, sec.ProjectID))
}

// checkEnterpriseProject reports an enterprise project that a new secret cannot be in,
// as CSMS.0002; "" stands for the default one.
func checkEnterpriseProject(id string, get func(string) (*store.EnterpriseProject, error)) error {
	why, err := store.Closed(id, get)
	if err == nil && why != "" {
		return csms.Invalidf("%s", why)
	}
	return err
}

// inProject returns the look-up of events in a transaction.
func inProject(tx *store.Tx, project string) func(string) (*csms.Event, error) {
	return func(name string) (*csms.Event, error) { return tx.Event(project, name) }
}

func (s *Service) makeWay(tx *store.Tx, sec *csms.Secret, now csms.Millis) error {
	old, err := tx.Secret(sec.ProjectID, sec.Name)
	switch {
	case csms.CodeOf(err) == csms.CodeSecretNotFound:
		return nil
	case err != nil:
		return err
	case old.Gone(now):
		return s.erase(tx, old, origin{}, detailScheduled, now)
	default:
		return nameTaken(sec.Name)
	}
}

func nameTaken(name string) error {
	return csms.Invalidf("The name %s is already in use in this project. A secret that is scheduled for deletion keeps its name: cancel the deletion, or delete it at once.", name)
}

// ShowSecret returns the metadata of a secret, whatever its state.
func (s *Service) ShowSecret(ctx context.Context, who *iam.Caller, name string) (*csms.Secret, error) {
	sec, err := s.find(ctx, who, iam.ShowSecret, name)
	if err != nil {
		return nil, err
	}
	return s.used.overlay(sec), nil
}

// UpdateSecret changes metadata (N15). A new key protects later versions only (N13).
func (s *Service) UpdateSecret(ctx context.Context, who *iam.Caller, name string, p csms.Patch) (*csms.Secret, error) {
	r := s.request(who, iam.UpdateSecret, name)
	return s.change(ctx, who, change{
		request:  r,
		validate: func(now csms.Millis) error { return s.validatePatch(ctx, who, r, p, now) },
		apply: func(tx *store.Tx, sec *csms.Secret, now csms.Millis) error {
			if err := sec.Update(p, now); err != nil || p.EventSubscriptions == nil {
				return err
			}
			return checkSubscriptions(*p.EventSubscriptions, inProject(tx, sec.ProjectID))
		},
	})
}

// validatePatch checks p by itself and against what it names. A key is looked at
// only for a secret that exists, so that existence is told first (S7).
func (s *Service) validatePatch(ctx context.Context, who *iam.Caller, r iam.Request, p csms.Patch, now csms.Millis) error {
	if err := p.Validate(); err != nil {
		return err
	}
	sec, err := s.lookUp(ctx, who.ProjectID, r.SecretName, now)
	if err != nil {
		return err
	}
	if p.KMSKeyID == nil {
		return nil
	}
	_, err = s.key(ctx, who, about(r, sec), *p.KMSKeyID)
	return err
}

// DeleteSecret destroys a secret with every version, label and tag, at once and for
// good (DEL1).
func (s *Service) DeleteSecret(ctx context.Context, who *iam.Caller, name string) error {
	now := s.now()
	t, err := s.authorize(ctx, who, s.request(who, iam.DeleteSecret, name), now)
	if err != nil {
		return err
	}
	if t.missing != nil {
		return t.missing
	}
	return s.destroy(ctx, t.secret, s.originOf(ctx, who), now)
}

func (s *Service) destroy(ctx context.Context, seen *csms.Secret, o origin, now csms.Millis) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		sec, err := tx.Secret(seen.ProjectID, seen.Name)
		if err != nil {
			return err
		}
		if sec.ID != seen.ID || sec.Gone(now) {
			return notFound(seen.Name)
		}
		if err := sec.CheckDestroyable(); err != nil {
			return err
		}
		return s.erase(tx, sec, o, detailDeleted, now)
	})
}

// DeleteSecretForSchedule plans the destruction of a secret after days (DEL3, DEL4).
func (s *Service) DeleteSecretForSchedule(ctx context.Context, who *iam.Caller, name string, days int) (*csms.Secret, error) {
	r := s.request(who, iam.DeleteSecretForSchedule, name)
	r.RecoveryWindowInDays = iam.Known(int64(days))
	return s.change(ctx, who, change{
		request:  r,
		validate: func(csms.Millis) error { return csms.CheckRecoveryDays(days) },
		apply:    func(_ *store.Tx, sec *csms.Secret, now csms.Millis) error { return sec.Schedule(days, now) },
	})
}

// RestoreSecret cancels the scheduled deletion of a secret (DEL5).
func (s *Service) RestoreSecret(ctx context.Context, who *iam.Caller, name string) (*csms.Secret, error) {
	return s.change(ctx, who, change{
		request: s.request(who, iam.RestoreSecret, name),
		apply:   func(_ *store.Tx, sec *csms.Secret, now csms.Millis) error { return sec.Restore(now) },
	})
}

// SetSecretState is the administrative switch outside the API (S6). It knows no
// caller: whoever can reach it is the operator.
func (s *Service) SetSecretState(ctx context.Context, project, name string, to csms.State) (*csms.Secret, error) {
	now := s.now()
	sec, err := s.lookUp(ctx, project, name, now)
	if err != nil {
		return nil, err
	}
	return s.update(ctx, sec, now, func(_ *store.Tx, sec *csms.Secret, now csms.Millis) error {
		return sec.SetState(to, now)
	})
}
