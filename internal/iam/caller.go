package iam

import (
	"net/netip"

	"coffer/internal/csms"
)

// Caller is who calls, with everything a decision may know of him. It is an
// argument everywhere, never a context value, and is not changed once built.
type Caller struct {
	DomainID    string // the account he acts in; the owner of an assumed agency
	DomainName  string
	UserID      string // "" for an agency, and for the function of a rotation
	UserName    string
	PrincipalID string // the user's id, agency id and session name, or "rotation:" and TaskID
	TaskID      string // of the rotation task whose function calls; "" for everybody else

	// Assumed says who acts as the agency; nil for a user, who acts as himself.
	Assumed *Assumed

	// Foreign marks a user of another identity service: UserID was given there, with a
	// prefix, and no user of the embedded IAM has it.
	Foreign bool

	// Owner marks the account owner: everything in the domain, whatever Policies say
	// (auth.md 7.1). Session and Boundary limit him like anybody.
	Owner bool

	// GroupIDs are the groups the user is in; shared, and for grants only: what is
	// assigned to a group stands in Policies.
	GroupIDs []string

	ProjectID   string // the project the request acts in, "" for none
	ProjectName string
	AccessKey   string // id of the access key that signed, "" for a token

	// Policies is the union of what is attached to the user, his groups and an
	// assumed agency. What counts in one project only knows that by itself (InProject).
	Policies []*Policy
	// Session is the policy a temporary key was limited by; nil sets no limit.
	Session *Policy
	// Boundary is the set of control policies of the organisation: one of them must
	// allow and none may deny. Empty sets no limit.
	Boundary []*Policy

	SourceIP netip.Addr // after trusted proxies (auth.md section 9)
	Secure   bool       // the request came over TLS
	MFA      bool       // the token was got with a second factor
	MFATime  csms.Millis
	Now      csms.Millis // the instant of the request; the decision has no clock
}

// Assumed is an agency that a user has assumed. The rights of the user do not count
// while he acts as the agency; who he is goes into logs.
type Assumed struct {
	AgencyID, AgencyName string
	Session              string
	UserID, UserName     string // of who assumed it
}

// ActorID returns the id of the user behind a request: the caller, or who assumed the
// agency that calls.
func (c *Caller) ActorID() string {
	if c.Assumed != nil {
		return c.Assumed.UserID
	}
	return c.UserID
}

// GrantUser returns the id by which a grant can name the caller as a user, "" for
// whom no grant names: an agency, or a user of another identity service.
func (c *Caller) GrantUser() string {
	if c.Foreign {
		return ""
	}
	return c.UserID
}

// GrantDomain returns the id of the domain whose grants are the caller's, "" for a
// user of another identity service, for an agency, which has what is assigned to it, and
// for the function of a rotation.
func (c *Caller) GrantDomain() string {
	if c.Foreign || c.Assumed != nil || c.TaskID != "" {
		return ""
	}
	return c.DomainID
}

// InProject returns the caller as he is in another project of his domain, for the part
// of an operation that happens there. The policies of users of the embedded IAM count
// in every project of the domain; a Foreign caller has no rights there.
func (c *Caller) InProject(id, name string) *Caller {
	there := *c
	there.ProjectID, there.ProjectName = id, name
	if c.Foreign {
		there.Owner, there.Policies = false, nil
	}
	return &there
}

// Authorize returns nil if the caller may do what r asks, else CSMS.0302 naming the
// action that is missing (IE2, auth.md 7.5). Ask before existence is looked at.
func (c *Caller) Authorize(r *Request) error {
	d := Evaluate(c, r)
	return d.Err()
}

// AuthorizeKey asks whether the caller may use a KMS key for what r asks: op is
// DecryptDataKey to read a value and CreateDataKey to write one. The attributes of
// r count, so one statement can grant both rights under one condition. An empty
// keyID is the default key csms/default, which needs no right of its own (auth.md
// 7.4). A refusal is CSMS.0401, as in the cloud.
func (c *Caller) AuthorizeKey(op Op, r *Request, keyID string) error {
	if keyID == "" {
		return nil
	}
	key := *r
	key.Op, key.Resource = op, keyID
	if d := Evaluate(c, &key); !d.Allowed {
		return csms.Errorf(csms.CodeKey, "%s", d.Denial())
	}
	return nil
}
