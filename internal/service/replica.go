package service

import (
	"context"
	"slices"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// NewReplica is the input of CreateSecretReplica.
type NewReplica struct {
	Region   string
	KMSKeyID string // of the project of the region; "" for its default key
}

// maxRegion bounds the name of a region, which is one of a project (schema of IAM).
const maxRegion = 64

func (n *NewReplica) validate() error {
	if len(n.Region) == 0 || len(n.Region) > maxRegion {
		return csms.Invalidf("region has %d characters; it takes 1 to %d.", len(n.Region), maxRegion)
	}
	if n.KMSKeyID != "" && !csms.IsUUID(n.KMSKeyID) {
		return csms.Invalidf("kms_key_id must be a UUID.") // N12
	}
	return nil
}

// CreateSecretReplica gives a secret a copy in another region and returns the secret,
// which is PRIMARY then (M1, Q14). The copy is there at once, so that its name is
// taken, and has no version until the job has made it (RunDue).
//
// It takes the action on the secret, the right to read the keys that its values are
// under, for they are read, and the right to write with the key of the copy. A user of
// an external Keystone has rights in his own project only and makes no copies.
func (s *Service) CreateSecretReplica(ctx context.Context, who *iam.Caller, name string, in NewReplica) (*csms.Secret, error) {
	now := s.now()
	r := s.request(who, iam.CreateSecretReplica, name)
	t, err := s.authorize(ctx, who, r, now)
	if err != nil {
		return nil, err
	}
	if who.Foreign {
		return nil, csms.Errorf(csms.CodeForbidden, "A user of an external Keystone has no rights in another project than that of the token.")
	}
	if err := in.validate(); err != nil {
		return nil, err
	}
	if t.missing != nil {
		return nil, t.missing
	}
	if err := t.secret.CheckReplicable(in.Region); err != nil {
		return nil, err
	}
	at, err := s.placeOfReplica(ctx, who, about(r, t.secret), t.secret, in)
	if err != nil {
		return nil, err
	}
	return s.update(ctx, t.secret, now, func(tx *store.Tx, sec *csms.Secret, now csms.Millis) error {
		if err := sec.CheckReplicable(at.region); err != nil {
			return err
		}
		return s.reserve(tx, sec.AddReplica(at.Place, at.home, at.region, now), at.region, now)
	})
}

// replicaPlace is where a copy goes.
type replicaPlace struct {
	csms.Place
	home, region string // of the secret and of the copy
}

// placeOfReplica finds the project of the region and the key there, and asks for the
// rights to the keys of both sides.
func (s *Service) placeOfReplica(ctx context.Context, who *iam.Caller, r iam.Request, sec *csms.Secret, in NewReplica) (replicaPlace, error) {
	home, err := s.homeRegion(ctx, sec.ProjectID)
	if err != nil {
		return replicaPlace{}, err
	}
	p, err := s.targetProject(ctx, who.DomainID, home, in.Region)
	if err != nil {
		return replicaPlace{}, err
	}
	if err := s.authorizeCopying(ctx, who, r, sec); err != nil {
		return replicaPlace{}, err
	}
	key, err := s.sealer.Key(ctx, p.ID, in.KMSKeyID)
	if err != nil {
		return replicaPlace{}, keyError(err, in.KMSKeyID)
	}
	r.Project = p.ID
	if err := s.authorizeKey(ctx, who.InProject(p.ID, p.Name), iam.CreateDataKey, r, key); err != nil {
		return replicaPlace{}, err
	}
	at := csms.Place{ID: s.newID(), DomainID: sec.DomainID, ProjectID: p.ID, KMSKeyID: key.ID}
	return replicaPlace{at, home, p.Name}, nil
}

// authorizeCopying asks for the right to read with every key that the values of sec
// are under, and that its next value would be. Without it a copy would open to the
// caller what the secret does not.
func (s *Service) authorizeCopying(ctx context.Context, who *iam.Caller, r iam.Request, sec *csms.Secret) error {
	keys := []string{sec.KMSKeyID}
	for i := range sec.Versions {
		keys = append(keys, sec.Versions[i].KMSKeyID)
	}
	slices.Sort(keys)
	for _, id := range slices.Compact(keys) {
		key, err := s.sealer.Key(ctx, sec.ProjectID, id)
		if err != nil {
			return keyError(err, id)
		}
		if err := s.authorizeKey(ctx, who, iam.DecryptDataKey, r, key); err != nil {
			return err
		}
	}
	return nil
}

// reserve puts the copy of a secret, without versions, into its project. A secret
// whose scheduled destruction is due makes way; any other keeps the name.
func (s *Service) reserve(tx *store.Tx, replica *csms.Secret, region string, now csms.Millis) error {
	err := s.makeWay(tx, replica, now)
	if csms.CodeOf(err) == csms.CodeInvalid {
		return csms.Invalidf("The name %s is already in use in the project of region %s.", replica.Name, region)
	}
	if err != nil {
		return err
	}
	if err := checkPointers(tx, replica); err != nil {
		return err
	}
	count, err := tx.SecretCount(replica.ProjectID)
	if err != nil {
		return err
	}
	if err := s.limits.CheckSecretQuota(count); err != nil {
		return err
	}
	return tx.PutSecret(replica)
}

// DeleteSecretReplica destroys the copy of a secret in a region, at once and for good
// (M2). A region without one is CSMS.0005. It takes the action on the secret; the copy
// is a part of it and takes no right of its own.
func (s *Service) DeleteSecretReplica(ctx context.Context, who *iam.Caller, name, region string) error {
	from := s.originOf(ctx, who)
	_, err := s.change(ctx, who, change{
		request: s.request(who, iam.DeleteSecretReplica, name),
		apply: func(tx *store.Tx, sec *csms.Secret, now csms.Millis) error {
			gone, err := sec.RemoveReplica(s.regionNamed(sec, region))
			if err != nil {
				return err
			}
			replica, err := tx.Secret(gone.ProjectID, sec.Name)
			if csms.CodeOf(err) == csms.CodeSecretNotFound || err == nil && replica.ID != gone.ID {
				return nil
			}
			if err != nil {
				return err
			}
			return s.erase(tx, replica, from, detailDeleted, now)
		},
	})
	return err
}
