package iam

// ListFilter says which enterprise projects a list may show (auth.md 7.4). It is
// for one goroutine.
type ListFilter struct {
	c   *Caller
	r   Request
	all bool
}

// AuthorizeList asks for a list operation without knowing the enterprise projects
// of its items. It refuses only a caller who may list in none; whoever may list in
// some gets the filter for the items.
func (c *Caller) AuthorizeList(r *Request) (ListFilter, error) {
	f := ListFilter{c: c, r: *r, all: !c.mindsEnterpriseProject()}
	if f.all {
		return f, c.Authorize(r)
	}
	if d := evaluate(c, r, true); !d.Allowed {
		return ListFilter{}, d.Err()
	}
	return f, nil
}

// All reports whether every item may be shown, so that none need be asked for.
func (f *ListFilter) All() bool { return f.all }

// Allows reports whether an item of the enterprise project may be shown. The zero
// ListFilter shows nothing.
func (f *ListFilter) Allows(enterpriseProjectID string) bool {
	if f.all || f.c == nil {
		return f.all
	}
	f.r.EnterpriseProjectID = Known(enterpriseProjectID)
	d := Evaluate(f.c, &f.r)
	return d.Allowed
}

// mindsEnterpriseProject reports whether any policy of c looks at the enterprise
// project of a resource.
func (c *Caller) mindsEnterpriseProject() bool {
	if c.Session != nil && c.Session.mindsEnterpriseProject {
		return true
	}
	for _, set := range [2][]*Policy{c.Policies, c.Boundary} {
		for _, p := range set {
			if p != nil && p.mindsEnterpriseProject {
				return true
			}
		}
	}
	return false
}
