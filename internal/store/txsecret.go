package store

import (
	"errors"
	"fmt"

	"coffer/internal/csms"
)

// Secret returns a secret of a project, or CSMS.0106.
func (t *Tx) Secret(project, name string) (*csms.Secret, error) {
	s, err := load(t, &secretKind, secretKey(nil, project, name))
	if errors.Is(err, ErrNotFound) {
		return nil, secretNotFound(name)
	}
	return s, err
}

// SecretByID returns the secret of that id, or CSMS.0005.
func (t *Tx) SecretByID(id string) (*csms.Secret, error) {
	s, err := loadByRow(t, &secretKind, secretIDKey(nil, id))
	if errors.Is(err, ErrNotFound) {
		return nil, secretIDNotFound(id)
	}
	return s, err
}

// PutSecret writes a secret, new or changed, and counts it if it is new, and its
// subscriptions if they changed. The sealed values of versions that it has lost go with it. A name that belongs to a secret of
// another id, or an id that belongs to another name, is refused with ErrTaken.
func (t *Tx) PutSecret(s *csms.Secret) error {
	k := secretKey(nil, s.ProjectID, s.Name)
	if k != nil {
		old, err := before(t, &secretKind, k)
		if err != nil {
			return err
		}
		if old.exists && !old.has(secretIDKey(nil, s.ID)) {
			return fmt.Errorf("putting secret over one of another id: %w", ErrTaken)
		}
	}
	old, err := save(t, &secretKind, s)
	if err != nil {
		return err
	}
	if err := t.countRows(old.rows, t.standing[string(k)].rows); err != nil || old.exists {
		return err
	}
	return t.add(countKey(s.ProjectID), 1)
}

// DeleteSecret removes a secret with all that belongs to it, sealed values and grants included,
// or returns CSMS.0106 if the project has no secret of that name and id.
func (t *Tx) DeleteSecret(s *csms.Secret) error {
	k := secretKey(nil, s.ProjectID, s.Name)
	if k == nil {
		return secretNotFound(s.Name)
	}
	old, err := before(t, &secretKind, k)
	if err != nil {
		return err
	}
	if !old.exists || !old.has(secretIDKey(nil, s.ID)) {
		return secretNotFound(s.Name)
	}
	if err := erase(t, &secretKind, k); err != nil {
		return err
	}
	if err := t.dropGrants(s.ID); err != nil {
		return err
	}
	if err := t.countRows(old.rows, nil); err != nil {
		return err
	}
	return t.add(countKey(s.ProjectID), -1)
}

// SecretCount returns the number of secrets in a project, whatever their state.
func (t *Tx) SecretCount(project string) (int, error) { return t.count(countKey(project)) }

// PutValue writes the sealed value of a version, which must be a version of the
// secret when the transaction ends. The bytes are copied.
func (t *Tx) PutValue(secretID string, number int, sealed []byte) error {
	k := valueKey(nil, secretID, number)
	if k == nil {
		return errors.New("store: value of an impossible secret id or version number")
	}
	return t.put(k, sealed)
}

// DeleteValue removes the sealed value of a version; it is no error if there is none.
func (t *Tx) DeleteValue(secretID string, number int) error {
	k := valueKey(nil, secretID, number)
	if k == nil {
		return nil
	}
	return t.remove(k)
}
