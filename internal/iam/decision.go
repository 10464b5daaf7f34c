package iam

import (
	"fmt"

	"coffer/internal/csms"
)

// Reason says which rule made a decision.
type Reason uint8

// The rules, refusals first. The zero Reason is a default deny.
const (
	NotAllowed   Reason = iota // no statement allows it
	Denied                     // a statement denies it
	Malformed                  // no such operation, or the resource is not named
	OtherDomain                // the resource belongs to another domain
	OtherProject               // the request acts in another project than the caller
	ByStatement                // a statement allows it
	ByOwnership                // the caller owns the domain
	ByOpenness                 // the operation needs no grant
	ByGrant                    // a grant on the secret (G4) or on the key gives it
)

// Layer says which set of policies made a decision (auth.md 7.1).
type Layer uint8

// The layers, in the order they are asked.
const (
	Identity Layer = iota // the caller's own policies
	Session               // the policy of a temporary key
	Boundary              // the organisation's control policies
)

// Decision is the answer to a Request and what it rests on.
type Decision struct {
	Allowed bool
	Op      Op // the operation whose right decided; Administer for AdminOnly ones
	Reason  Reason
	Layer   Layer

	Policy    *Policy // the policy that decided, nil if none did
	Statement int     // index of the statement in Policy, -1 if none decided
}

// ExplicitDeny reports whether a statement denied the request.
func (d *Decision) ExplicitDeny() bool { return d.Reason == Denied }

// Denial returns the text of a refusal (IE2, auth.md 7.5).
func (d *Decision) Denial() string {
	return "Policy doesn't allow " + d.Op.Action() + " to be performed."
}

// Err returns nil if the request is allowed, else CSMS.0302.
func (d *Decision) Err() error {
	if d.Allowed {
		return nil
	}
	return csms.Errorf(csms.CodeForbidden, "%s", d.Denial())
}

// String explains the decision in one line, for an administrator. It names
// policies, so it is not for the caller who was refused.
func (d *Decision) String() string {
	verdict := "refused"
	if d.Allowed {
		verdict = "allowed"
	}
	return fmt.Sprintf("%s %s: %s", d.Op.Action(), verdict, d.because())
}

func (d *Decision) because() string {
	layer := [...]string{Identity: "", Session: " of the session", Boundary: " of the boundary"}[d.Layer]
	switch d.Reason {
	case Denied:
		return "denied by " + d.where() + layer
	case ByStatement:
		return "allowed by " + d.where() + layer
	case ByOwnership:
		return "the caller owns the domain"
	case ByOpenness:
		return "the operation needs no grant"
	case ByGrant:
		return "a grant gives it"
	case Malformed:
		return "no such operation or no name of a resource"
	case OtherDomain:
		return "the resource belongs to another domain"
	case OtherProject:
		return "the request acts in another project"
	case NotAllowed:
	}
	return "no statement" + layer + " allows it"
}

func (d *Decision) where() string {
	s := fmt.Sprintf("statement %d of policy %q", d.Statement, d.Policy.Name())
	if sid := d.Policy.statements[d.Statement].sid; sid != "" {
		s += fmt.Sprintf(" (%s)", sid)
	}
	return s
}
