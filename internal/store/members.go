package store

import (
	"errors"
	"slices"

	"coffer/internal/csms"
)

// members checks that every other member of the multi-region group of s is there and
// knows s. Reindex does not mend that: which side is right only an operator can say.
func (c *checker) members(k key, s *csms.Secret) error {
	for i := range s.Replicas {
		m := &s.Replicas[i]
		at := secretKey(nil, m.ProjectID, s.Name)
		o, err := openAt(c.r, c.codec, at)
		switch {
		case errors.Is(err, errUnreadable):
			continue // reported with the record
		case err != nil && !errors.Is(err, ErrNotFound):
			return err
		}
		other, found := o.record.(*csms.Secret)
		knows := func(r csms.Replica) bool { return r.ID == s.ID && r.ProjectID == s.ProjectID && r.Type != m.Type }
		if !found || other.ID != m.ID || !slices.ContainsFunc(other.Replicas, knows) {
			c.report(k, "%s is no %s of this secret", show(at), m.Type)
		}
	}
	return nil
}
