package service

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"coffer/internal/csms"
	"coffer/internal/store"
)

// declaredTargets are the targets of the configuration by project, ascending by instance
// id. They stand beside those of the API, and before one that has the same id.
type declaredTargets map[string][]*csms.DatabaseTarget

func newDeclaredTargets(targets []csms.DatabaseTarget) declaredTargets {
	all := declaredTargets{}
	for _, t := range targets {
		t.Declared = true
		all[t.ProjectID] = append(all[t.ProjectID], &t)
	}
	for _, of := range all {
		slices.SortFunc(of, func(a, b *csms.DatabaseTarget) int { return cmp.Compare(a.InstanceID, b.InstanceID) })
	}
	return all
}

// find returns the target of that id, or nil.
func (d declaredTargets) find(project, instanceID string) *csms.DatabaseTarget {
	of := d[project]
	i, found := slices.BinarySearchFunc(of, instanceID, func(t *csms.DatabaseTarget, id string) int { return cmp.Compare(t.InstanceID, id) })
	if !found {
		return nil
	}
	return of[i]
}

// beside yields the declared targets of a project after the marker and those of stored,
// ascending by instance id.
func (d declaredTargets) beside(stored iter.Seq2[*csms.DatabaseTarget, error], project, marker string) iter.Seq2[*csms.DatabaseTarget, error] {
	return func(yield func(*csms.DatabaseTarget, error) bool) {
		left := d[project]
		for len(left) > 0 && left[0].InstanceID <= marker {
			left = left[1:]
		}
		for t, err := range stored {
			for err == nil && len(left) > 0 && left[0].InstanceID < t.InstanceID {
				if !yield(left[0], nil) {
					return
				}
				left = left[1:]
			}
			if err == nil && d.find(project, t.InstanceID) != nil {
				continue // the declared one counts, and comes in its turn
			}
			if !yield(t, err) {
				return
			}
		}
		for _, t := range left {
			if !yield(t, nil) {
				return
			}
		}
	}
}

// databaseTarget returns the target of that id that counts, or store.ErrNotFound. It is
// shared and must not be changed.
func (s *Service) databaseTarget(ctx context.Context, project, instanceID string) (*csms.DatabaseTarget, error) {
	if t := s.declared.find(project, instanceID); t != nil {
		return t, nil
	}
	return s.store.DatabaseTarget(ctx, project, instanceID)
}

// storedTarget is databaseTarget in a transaction that is to change the target.
func (s *Service) storedTarget(tx *store.Tx, project, instanceID string) (*csms.DatabaseTarget, error) {
	if t := s.declared.find(project, instanceID); t != nil {
		return nil, t.CheckChangeable()
	}
	t, err := tx.DatabaseTarget(project, instanceID)
	return t, targetError(err, instanceID)
}
