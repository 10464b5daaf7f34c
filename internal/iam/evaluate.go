package iam

// Evaluate decides r for c. It is pure: the same arguments give the same decision,
// and nothing is parsed or allocated. The order is explicit deny, then allow, then
// default deny; session and boundary intersect (auth.md 7.1).
func Evaluate(c *Caller, r *Request) Decision { return evaluate(c, r, false) }

// evaluate is Evaluate; anyEnterpriseProject is explained at query.
func evaluate(c *Caller, r *Request, anyEnterpriseProject bool) Decision {
	q, ok := newQuery(c, r)
	if !ok {
		return refusal(r.Op, Malformed)
	}
	if reason := c.outside(r); reason != NotAllowed {
		return refusal(r.Op, reason)
	}
	q.anyEnterpriseProject = anyEnterpriseProject
	d := q.decide()
	if !d.Allowed || !r.Op.Operation().AdminOnly {
		return d
	}
	q.op, q.path = Administer, ""
	if admin := q.decide(); !admin.Allowed {
		return admin
	}
	return d
}

func refusal(op Op, reason Reason) Decision {
	return Decision{Op: op, Reason: reason, Statement: -1}
}

// outside returns why r is none of the caller's business, or NotAllowed. His
// policies were collected for one domain and one project, so they say nothing
// about any other (auth.md section 6).
func (c *Caller) outside(r *Request) Reason {
	if c.DomainID == "" || c.DomainID != r.Domain {
		return OtherDomain
	}
	if r.Project != "" && r.Project != c.ProjectID {
		return OtherProject
	}
	return NotAllowed
}

// decide asks the layers in turn. Each must allow; the first refusal is the
// decision, else what the caller's own policies said.
func (q *query) decide() Decision {
	c := q.c
	d := Decision{Allowed: true, Op: q.op, Reason: ByOwnership, Statement: -1}
	if !c.Owner {
		d = q.judge(Identity, c.Policies)
	}
	if d.Allowed && c.Session != nil {
		session := [1]*Policy{c.Session}
		if s := q.judge(Session, session[:]); !s.Allowed {
			return s
		}
	}
	if d.Allowed && len(c.Boundary) > 0 {
		if b := q.judge(Boundary, c.Boundary); !b.Allowed {
			return b
		}
	}
	return d
}

// judge decides by the union of some policies. A deny ends it; of the allows only
// the first counts, so later ones are not looked at.
func (q *query) judge(layer Layer, policies []*Policy) Decision {
	d := refusal(q.op, NotAllowed)
	d.Layer = layer
	switch row := q.op.Operation(); {
	case row.Open:
		d.Allowed, d.Reason = true, ByOpenness
	case layer == Identity && (row.Grantable && q.r.Granted || row.KeyGrant != "" && q.r.KeyGranted):
		d.Allowed, d.Reason = true, ByGrant
	}
	for _, p := range policies {
		if p == nil || !p.ops.has(q.op) || p.project != "" && p.project != q.r.Project {
			continue
		}
		for i := range p.statements {
			s := &p.statements[i]
			if d.Allowed && !s.deny || !s.ops.has(q.op) || !p.matches(s, q) {
				continue
			}
			d.Policy, d.Statement = p, i
			if s.deny {
				d.Allowed, d.Reason = false, Denied
				return d
			}
			d.Allowed, d.Reason = true, ByStatement
		}
	}
	return d
}
