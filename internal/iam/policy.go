package iam

import (
	"bytes"
	"slices"
)

// Policy is a compiled policy document. It does not change and may be shared.
type Policy struct {
	name     string
	version  string
	document []byte // compact JSON

	statements []statement
	ops        opSet // the union over statements
	problems   []error

	mindsEnterpriseProject bool
	enterpriseProject      string // the only one the policy counts in, "" for all
	project                string // the only one the policy counts in, "" for no such limit
}

// statement is one compiled statement. What could not be read is already settled:
// an Allow has no ops left, a Deny has lost the restriction.
type statement struct {
	sid  string
	deny bool
	ops  opSet // NotAction is already turned into its complement

	resources    []resourcePattern // nil: every resource
	notResources bool              // the patterns name what the statement is not about
	conditions   []condition
}

// Name returns the name the policy was compiled under.
func (p *Policy) Name() string { return p.name }

// Version returns the grammar: 1.0, 1.1 or 5.0.
func (p *Policy) Version() string { return p.version }

// Document returns the JSON text of the policy. It is a copy.
func (p *Policy) Document() []byte { return bytes.Clone(p.document) }

// MarshalJSON returns the document of the policy.
func (p *Policy) MarshalJSON() ([]byte, error) { return p.Document(), nil }

// Problems returns what CompilePolicy could not read; nil for a policy that may be
// saved.
func (p *Policy) Problems() []error { return slices.Clone(p.problems) }

// Sizes in bytes of what a policy is made of, on a 64-bit machine. A test compares
// them with the compiler's.
const (
	policySize    = 192
	statementSize = 104
	patternSize   = 248
	conditionSize = 192
	globSize      = 64
	decimalSize   = 40
	networkSize   = 32
	textSize      = 16
	dateSize      = 8
)

// Size returns about how many bytes of memory the policy holds, for caches that
// are bounded in bytes.
func (p *Policy) Size() int {
	size := policySize + len(p.name) + 2*len(p.document) // the texts in statements are parts of it again
	for i := range p.statements {
		s := &p.statements[i]
		size += statementSize + len(s.resources)*patternSize
		for j := range s.conditions {
			size += conditionSize + s.conditions[j].size()
		}
	}
	return size
}

func (l *listed) size() int {
	size := len(l.texts)*textSize + len(l.globs)*globSize + len(l.numbers)*decimalSize +
		len(l.dates)*dateSize + len(l.networks)*networkSize + len(l.truths)
	for i := range l.globs {
		size += len(l.globs[i].middle) * textSize
	}
	return size
}

// InEnterpriseProject returns p as it counts when it is granted for one enterprise
// project only: on resources of that project (auth.md 7.1).
func (p *Policy) InEnterpriseProject(id string) *Policy {
	scoped := *p
	scoped.enterpriseProject, scoped.mindsEnterpriseProject = id, true
	return &scoped
}

// InProject returns p as it counts when it is assigned in one project only: for
// requests that act in that project (auth.md 7.1).
func (p *Policy) InProject(id string) *Policy {
	scoped := *p
	scoped.project = id
	return &scoped
}

// OutsideProjects returns p as it counts when it is assigned on the domain: for the
// operations of services without regions, the Global ones. What happens in a project
// takes an assignment in the project, or in all of them (auth.md 7.1).
func (p *Policy) OutsideProjects() *Policy {
	scoped := *p
	for o := Op(1); o < opEnd; o++ {
		if !operations[o].Global {
			scoped.ops.remove(o)
		}
	}
	return &scoped
}

// matches reports whether s, a statement of p whose ops hold the operation, is
// about the resource and the circumstances of q.
func (p *Policy) matches(s *statement, q *query) bool {
	if p.enterpriseProject != "" && !p.inScope(s, q) {
		return false
	}
	if s.resources != nil && s.covers(q) == s.notResources {
		return false
	}
	for i := range s.conditions {
		c := &s.conditions[i]
		if q.anyEnterpriseProject && c.key == keyEnterpriseProjectID {
			if s.deny {
				return false
			}
			continue
		}
		if !c.holds(q) {
			return false
		}
	}
	return true
}

// inScope reports whether q is in the enterprise project that p is granted for.
func (p *Policy) inScope(s *statement, q *query) bool {
	if q.anyEnterpriseProject {
		return !s.deny
	}
	id, ok := q.r.EnterpriseProjectID.Get()
	return ok && id == p.enterpriseProject
}

// covers reports whether one of the resource patterns fits.
func (s *statement) covers(q *query) bool {
	for i := range s.resources {
		if s.resources[i].matches(q) {
			return true
		}
	}
	return false
}
