// Package eps holds the operations on enterprise projects, and on what is in them:
// authorize, apply the rule, commit (neighbours.md 5).
//
// The rules that keep it honest are those of package service. One is its own: whoever
// moves a resource needs the right for the enterprise project it comes from as well as
// for the one it goes to, or he could pull what he may not read into what he may.
package eps

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// Options are the parts of a Service. All are required.
type Options struct {
	Store  *store.Store
	Now    func() csms.Millis // business time
	NewID  func() string      // a fresh UUID
	Region string             // region part of resource names
}

// Service performs operations. It is safe for concurrent use.
type Service struct {
	o Options
}

// New returns a Service over o.
func New(o Options) *Service { return &Service{o} }

// defaultName is the name of the enterprise project that every domain has.
const defaultName = "default"

// Kinds of enterprise projects.
const (
	TypeProd = "prod"
	TypePoC  = "poc"
)

// Project is an enterprise project.
type Project struct {
	ID          string
	Name        string
	Description string
	Type        string
	Enabled     bool
	CreateTime  csms.Millis
	UpdateTime  csms.Millis
}

func describe(p *store.EnterpriseProject) Project {
	return Project{
		ID: p.ID, Name: p.Name, Description: p.Description, Type: p.Type, Enabled: p.Enabled,
		CreateTime: p.CreateTime, UpdateTime: p.UpdateTime,
	}
}

// Authorize reports whether who may perform op on the enterprise project of that id, or
// on no particular one for "". The edge asks it before it reports a syntax error (S7).
func (s *Service) Authorize(_ context.Context, who *iam.Caller, op iam.Op, id string) error {
	r := s.request(who, op, id)
	return who.Authorize(&r)
}

// request describes op; a condition on g:EnterpriseProjectId sees id, if there is one.
func (s *Service) request(who *iam.Caller, op iam.Op, id string) iam.Request {
	r := iam.Request{Op: op, Region: s.o.Region, Domain: who.DomainID}
	if id != "" {
		r.EnterpriseProjectID = iam.Known(id)
	}
	return r
}

// find returns the enterprise project of that id, whatever its state.
func (s *Service) find(ctx context.Context, domain, id string) (Project, error) {
	if id == csms.DefaultEnterpriseProject {
		return s.standard(ctx, domain)
	}
	p, err := s.o.Store.EnterpriseProject(ctx, domain, id)
	if err != nil {
		return Project{}, missing(err, id)
	}
	return describe(p), nil
}

// standard returns the default enterprise project, which is as old as its domain. A
// domain of an external Keystone has no record, and so no age.
func (s *Service) standard(ctx context.Context, domain string) (Project, error) {
	p := Project{ID: csms.DefaultEnterpriseProject, Name: defaultName, Type: TypeProd, Enabled: true}
	d, err := s.o.Store.Domain(ctx, domain)
	if errors.Is(err, store.ErrNotFound) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("reading domain: %w", err)
	}
	p.CreateTime, p.UpdateTime = d.CreateTime, d.CreateTime
	return p, nil
}

// missing puts the failed look-up of an enterprise project into its code.
func missing(err error, id string) error {
	if errors.Is(err, store.ErrNotFound) {
		return csms.Errorf(csms.CodeEPSNotFound, "The enterprise project %.64s does not exist.", id)
	}
	return fmt.Errorf("reading enterprise project: %w", err)
}

func invalidf(format string, args ...any) error {
	return csms.Errorf(csms.CodeEPSInvalid, format, args...)
}
