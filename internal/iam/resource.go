package iam

import (
	"fmt"
	"strings"
)

// collection stands for the missing name in a request about all resources of a
// type. No resource has this name, and only a pattern that covers every name fits.
const collection = "*"

// resourceTypes holds the resource type of every Op in lower case.
var resourceTypes = indexResourceTypes()

func indexResourceTypes() [opEnd]string {
	var types [opEnd]string
	for o := range types {
		types[o] = strings.ToLower(operations[o].ResourceType)
	}
	return types
}

// resourcePattern is one compiled entry of Resource or NotResource. Service and
// type are matched against the operation table when it is compiled; what depends
// on the request is left.
type resourcePattern struct {
	ops                   opSet // operations whose service and resource type fit
	path, region, account glob
}

// matches reports whether the resource of q fits the pattern.
func (p *resourcePattern) matches(q *query) bool {
	return p.ops.has(q.op) && p.path.match(q.path) &&
		p.region.match(q.region) && p.account.match(q.account)
}

// parseResource compiles `*` or service:region:account:type:path with `*`
// anywhere (auth.md 7.2). Service and type are compared without case, because
// public policies write both OBS:*:*:bucket:x and obs:*:*:bucket:x; region,
// account and path are compared exactly. An operation without resource has an
// empty type and path, so `csms:*:*:*:*` covers it and `csms:*:*:secretName:*`
// does not.
func parseResource(pattern string) (resourcePattern, error) {
	if pattern == "*" {
		pattern = "*:*:*:*:*"
	}
	parts := strings.SplitN(pattern, ":", 5)
	if len(parts) != 5 || parts[0] == "" || parts[3] == "" || parts[4] == "" {
		return resourcePattern{}, fmt.Errorf("%s is not a resource; write service:region:account:type:path or *", quote(pattern))
	}
	p := resourcePattern{
		region:  compileGlob(parts[1], false),
		account: compileGlob(parts[2], false),
		path:    compileGlob(parts[4], false),
	}
	service := compileGlob(strings.ToLower(parts[0]), false)
	kind := compileGlob(strings.ToLower(parts[3]), false)
	for o := Op(1); o < opEnd; o++ {
		if service.match(operations[o].Service()) && kind.match(resourceTypes[o]) {
			p.ops.add(o)
		}
	}
	return p, nil
}
