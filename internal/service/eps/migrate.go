package eps

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// Migration names a resource that is to move.
type Migration struct {
	ResourceID   string
	ResourceType string
	ProjectID    string // that holds it
}

func (m *Migration) validate() error {
	if err := checkResourceType(m.ResourceType); err != nil {
		return err
	}
	switch "" {
	case m.ResourceID:
		return invalidf("resource_id must be given.")
	case m.ProjectID:
		return invalidf("project_id must be given.")
	}
	return nil
}

// MigrateResource moves a resource in whatever state into an enabled enterprise project.
// It takes the right for both ends; a resource that does not exist is told only to whom
// could move one from anywhere. One that is there already stays.
func (s *Service) MigrateResource(ctx context.Context, who *iam.Caller, target string, m Migration) error {
	if err := s.Authorize(ctx, who, iam.MigrateResource, target); err != nil {
		return err
	}
	if err := m.validate(); err != nil {
		return err
	}
	if _, err := s.find(ctx, who.DomainID, target); err != nil {
		return err
	}
	if _, err := s.project(ctx, who, m.ProjectID); err != nil {
		return err
	}
	now := s.o.Now()
	return s.o.Store.Update(ctx, func(tx *store.Tx) error {
		from, move, err := look(tx, m, now)
		if denied := s.Authorize(ctx, who, iam.MigrateResource, from); denied != nil {
			return denied
		}
		if err != nil {
			return err
		}
		if err := checkTarget(tx, who.DomainID, target); err != nil || from == target {
			return err
		}
		return move(target)
	})
}

// look returns where the resource is and what moves it; where is "" beside an error.
func look(tx *store.Tx, m Migration, now csms.Millis) (from string, move func(to string) error, err error) {
	if m.ResourceType == ResourceKey {
		return lookKey(tx, m, now)
	}
	sec, err := tx.SecretByID(m.ResourceID)
	if csms.CodeOf(err) == csms.CodeNotFound {
		return "", nil, noResource(m)
	}
	if err != nil {
		return "", nil, err
	}
	if sec.ProjectID != m.ProjectID || sec.Gone(now) {
		return "", nil, noResource(m)
	}
	return sec.EnterpriseProjectID, func(to string) error {
		sec.EnterpriseProjectID = to
		return tx.PutSecret(sec)
	}, nil
}

func lookKey(tx *store.Tx, m Migration, now csms.Millis) (from string, move func(to string) error, err error) {
	key, err := tx.Key(m.ProjectID, m.ResourceID)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil, noResource(m)
	}
	if err != nil {
		return "", nil, err
	}
	if gone(key, now) {
		return "", nil, noResource(m)
	}
	return key.InEnterpriseProject(), func(to string) error {
		if key.Default {
			return csms.Errorf(csms.CodeEPSConflict, "A default key stays in the default enterprise project.")
		}
		key.EnterpriseProjectID = to
		return tx.PutKey(key)
	}, nil
}

func noResource(m Migration) error {
	return csms.Errorf(csms.CodeEPSNotFound, "The resource %.64s of type %s does not exist in the project.", m.ResourceID, m.ResourceType)
}

// checkTarget reports an enterprise project that nothing can move into. MigrateResource
// has found that it exists.
func checkTarget(tx *store.Tx, domain, id string) error {
	why, err := store.Closed(id, tx.EnterpriseProjectsOf(domain))
	if err == nil && why != "" {
		return csms.Errorf(csms.CodeEPSConflict, "%s", why)
	}
	return err
}
