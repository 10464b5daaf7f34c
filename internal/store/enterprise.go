package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"coffer/internal/csms"
)

// EnterpriseProject is an enterprise project of a domain. The default one, which every
// domain has, is no record.
type EnterpriseProject struct {
	ID          string      `cbor:"1,keyasint"`
	DomainID    string      `cbor:"2,keyasint"`
	Name        string      `cbor:"3,keyasint"` // unique in the domain
	Description string      `cbor:"4,keyasint,omitempty"`
	Type        string      `cbor:"5,keyasint"` // prod or poc
	Enabled     bool        `cbor:"6,keyasint"`
	CreateTime  csms.Millis `cbor:"7,keyasint"`
	UpdateTime  csms.Millis `cbor:"8,keyasint"`
}

// Closed returns why nothing new can be in the enterprise project of that id, "" if
// something can, with what the look-up of it returned. "" and the default id stand for
// the default one, which is always open and not looked up.
func Closed(id string, get func(id string) (*EnterpriseProject, error)) (why string, err error) {
	if cmp.Or(id, csms.DefaultEnterpriseProject) == csms.DefaultEnterpriseProject {
		return "", nil
	}
	p, err := get(id)
	switch {
	case errors.Is(err, ErrNotFound):
		return fmt.Sprintf("The enterprise project %.64s does not exist.", id), nil
	case err != nil:
		return "", fmt.Errorf("reading enterprise project: %w", err)
	case !p.Enabled:
		return fmt.Sprintf("The enterprise project %s is disabled.", id), nil
	default:
		return "", nil
	}
}

// EnterpriseProjectsOf returns the look-up of enterprise projects of a domain.
func (s *Store) EnterpriseProjectsOf(ctx context.Context, domain string) func(id string) (*EnterpriseProject, error) {
	return func(id string) (*EnterpriseProject, error) { return s.EnterpriseProject(ctx, domain, id) }
}

// EnterpriseProjectsOf returns the look-up of enterprise projects of a domain.
func (t *Tx) EnterpriseProjectsOf(domain string) func(id string) (*EnterpriseProject, error) {
	return func(id string) (*EnterpriseProject, error) { return t.EnterpriseProject(domain, id) }
}

// InEnterpriseProject returns the id of the enterprise project that the key is in.
func (k *Key) InEnterpriseProject() string {
	return cmp.Or(k.EnterpriseProjectID, csms.DefaultEnterpriseProject)
}

// EnterpriseProject returns the enterprise project of a domain that has that id, or
// ErrNotFound. It is shared and must not be changed.
func (s *Store) EnterpriseProject(ctx context.Context, domain, id string) (*EnterpriseProject, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, nameKey(buf[:0], tableEnterprise, domain, id), enterpriseKind.decode)
}

// EnterpriseProject returns the enterprise project of a domain that has that id.
func (t *Tx) EnterpriseProject(domain, id string) (*EnterpriseProject, error) {
	return load(t, &enterpriseKind, nameKey(nil, tableEnterprise, domain, id))
}

// PutEnterpriseProject writes an enterprise project.
func (t *Tx) PutEnterpriseProject(p *EnterpriseProject) error { return write(t, &enterpriseKind, p) }

// DeleteEnterpriseProject removes an enterprise project, and not the mention of it in
// secrets and keys.
func (t *Tx) DeleteEnterpriseProject(p *EnterpriseProject) error {
	return erase(t, &enterpriseKind, enterpriseKind.key(p))
}

// EnterpriseProjects yields the enterprise projects of a domain by name.
func (v *View) EnterpriseProjects(domain string) iter.Seq2[*EnterpriseProject, error] {
	return owners(v, &enterpriseKind, start(nil, tableEnterpriseName).text(domain).under())
}
