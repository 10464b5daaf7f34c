package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"coffer/internal/csms"
	"coffer/internal/store"
)

// replicaRounds bounds how often one run starts anew because the primary got versions
// while their values were sealed. What is left stays due.
const replicaRounds = 3

// errOvertaken says that the primary has a version now whose value was not sealed.
var errOvertaken = errors.New("the primary has a new version")

// replicate makes one copy what its primary is, and reports whether the attempt was
// written down. Keys are used before the transaction; in it, both secrets are read
// again, so a copy is never older than it was, and the status is that of the commit. A
// crash before it leaves the row due. What fails because of a key or a value is FAILED
// and tried again after a pause; a failure of the store is an error.
func (s *Service) replicate(ctx context.Context, row store.Due, now csms.Millis) (did bool, err error) {
	for range replicaRounds {
		c, err := s.copying(ctx, row, now)
		if err != nil || c == nil {
			return false, err
		}
		failure := c.damage
		if failure == nil {
			failure = s.sealCopies(ctx, c)
		}
		if err := ctx.Err(); err != nil {
			return false, err // the server stops: that says nothing about the keys
		}
		did, err = s.commitCopy(ctx, row, c, failure, now)
		if !errors.Is(err, errOvertaken) {
			return did, err
		}
	}
	return false, nil
}

// copying is one attempt to make a copy.
type copying struct {
	primary, replica *csms.Secret
	values           map[int][]byte // sealed, by version: first as the primary has them, then for the copy
	damage           error          // what is missing in the store
}

// copying reads, in one snapshot, what is to be copied; nil for nothing.
func (s *Service) copying(ctx context.Context, row store.Due, now csms.Millis) (c *copying, err error) {
	err = s.store.View(ctx, func(v *store.View) error {
		p, err := v.Secret(row.Project, row.Name)
		if csms.CodeOf(err) == csms.CodeSecretNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		r := p.ReplicaByID(row.ReplicaID)
		if r == nil || !r.Waits() || r.NextTry > now {
			return nil
		}
		c = &copying{primary: p, values: map[int][]byte{}}
		err = c.read(v, r)
		if csms.CodeOf(err) == csms.CodeSecretNotFound || errors.Is(err, store.ErrNotFound) {
			c.damage, err = err, nil
		}
		return err
	})
	return c, err
}

// read reads the copy, and the values that it does not have.
func (c *copying) read(v *store.View, r *csms.Replica) (err error) {
	if c.replica, err = v.Secret(r.ProjectID, c.primary.Name); err != nil {
		return internalf(err, "reading the replica in project %s", r.ProjectID)
	}
	if c.replica.ID != r.ID {
		return internalf(store.ErrNotFound, "reading the replica in project %s, where another secret has the name", r.ProjectID)
	}
	for _, n := range c.replica.Uncopied(c.primary) {
		if c.values[n], err = v.Value(c.primary.ID, n); err != nil {
			return internalf(err, "reading the value of %s", csms.VersionID(n))
		}
	}
	return nil
}

// sealCopies opens the values of c with the keys of the primary and seals them with
// the key of the copy, for its place.
func (s *Service) sealCopies(ctx context.Context, c *copying) error {
	for n, sealed := range c.values {
		v, err := c.primary.Version(csms.VersionID(n))
		if err != nil {
			return err
		}
		data, err := s.openSealed(ctx, VersionOf{c.primary, *v}, sealed)
		if err != nil {
			return fmt.Errorf("opening %s: %w", v.ID(), err)
		}
		c.values[n], _, err = s.sealer.Seal(ctx, c.replica.KMSKeyID, binding(c.replica, n, v.Kind), data)
		data.Wipe()
		if err != nil {
			return fmt.Errorf("sealing %s: %w", v.ID(), err)
		}
	}
	return nil
}

// commitCopy writes the copy and how the attempt ended in one transaction.
func (s *Service) commitCopy(ctx context.Context, row store.Due, c *copying, failure error, now csms.Millis) (did bool, err error) {
	var r csms.Replica
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		did = false
		sec, err := tx.Secret(row.Project, row.Name)
		if csms.CodeOf(err) == csms.CodeSecretNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		known := sec.ReplicaByID(row.ReplicaID)
		if known == nil || !known.Waits() {
			return nil
		}
		if failure == nil {
			if err := follow(tx, sec, c, now); err != nil {
				return err
			}
		}
		known.Settle(failure == nil, now)
		did, r = true, *known
		return tx.PutSecret(sec)
	})
	if did && err == nil && failure != nil {
		s.log.WarnContext(ctx, "replica not made; it is tried again",
			slog.String("project_id", row.Project), slog.String("secret", row.Name), slog.String("region", r.Region),
			slog.Int("attempt", r.Attempts), slog.Int64("next_try", int64(r.NextTry)), slog.Any("error", failure))
	}
	return did && err == nil, err
}

// follow makes the copy what the primary is now, with the values of c.
func follow(tx *store.Tx, primary *csms.Secret, c *copying, now csms.Millis) error {
	replica, err := tx.Secret(c.replica.ProjectID, c.replica.Name)
	if err != nil {
		return internalf(err, "reading the replica of secret %s in project %s", primary.ID, c.replica.ProjectID)
	}
	for _, n := range replica.Uncopied(primary) {
		sealed := c.values[n]
		if sealed == nil || replica.ID != c.replica.ID {
			return errOvertaken
		}
		if err := tx.PutValue(replica.ID, n, sealed); err != nil {
			return err
		}
	}
	replica.Follow(primary, now)
	return tx.PutSecret(replica)
}
