package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"coffer/internal/csms"
)

// Versions of the grammar.
const (
	versionRole   = "1.0" // built-in roles
	versionPolicy = "1.1" // auth.md 7.2
	version5      = "5.0" // auth.md 7.3
)

// Limits of a statement (auth.md 7.2).
const (
	maxActions   = 100
	maxResources = 10
	maxOperators = 10
)

// ParsePolicy compiles a document that is about to be saved, or the session policy
// of a temporary key. It refuses, as IAM.0011, whatever it does not know: members,
// operators, condition keys, versions, action forms, numbers above the limits. An
// empty Statement array is legal and grants nothing. The name is for decisions and
// is not checked.
func ParsePolicy(name string, document []byte) (*Policy, error) {
	p, err := compile(name, document)
	if err == nil && len(p.problems) > 0 {
		err = p.problems[0]
	}
	if err == nil && p.version == versionRole {
		err = errors.New("Version 1.0 is kept for built-in roles; write 1.1 or 5.0")
	}
	if err != nil {
		return nil, csms.Errorf(csms.CodeIAMInvalid, "Invalid policy document: %v.", err)
	}
	return p, nil
}

// ParseBoundary is ParsePolicy for the control policies of an organisation: grammar
// 5.0, and an Allow has no Condition (auth.md 7.3).
func ParseBoundary(name string, document []byte) (*Policy, error) {
	p, err := ParsePolicy(name, document)
	if err != nil {
		return nil, err
	}
	if p.version != version5 {
		return nil, csms.Errorf(csms.CodeIAMInvalid, "Invalid policy document: a boundary policy has Version 5.0.")
	}
	for i := range p.statements {
		if s := &p.statements[i]; !s.deny && s.conditions != nil {
			return nil, csms.Errorf(csms.CodeIAMInvalid,
				"Invalid policy document: Statement[%d]: an Allow of a boundary policy has no Condition.", i)
		}
	}
	return p, nil
}

// CompilePolicy compiles a stored document, also one that an older or newer release
// saved. What it cannot read never grants and always denies (auth.md 7.3): an Allow
// with anything unknown in it is void, a Deny loses the restriction that is unknown.
// Problems tells what that was. A document that is not a policy at all is an error,
// and whoever it is attached to must be refused, for it may have held a Deny.
func CompilePolicy(name string, document []byte) (*Policy, error) {
	p, err := compile(name, document)
	if err != nil {
		return nil, fmt.Errorf("compiling policy %q: %w", name, err)
	}
	return p, nil
}

// compile reads a document. The error is about its structure; what is wrong inside
// a statement is settled there and noted as a problem.
func compile(name string, document []byte) (*Policy, error) {
	root, err := readTree(document)
	if err != nil {
		return nil, err
	}
	version, statements, err := openDocument(&root)
	if err != nil {
		return nil, err
	}
	p := &Policy{name: name, version: version}
	for i := range statements {
		s, problems := compileStatement(&statements[i], version)
		for _, problem := range problems {
			p.problems = append(p.problems, fmt.Errorf("Statement[%d]: %w", i, problem))
		}
		p.add(s)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, document); err != nil {
		return nil, fmt.Errorf("the document is not JSON: %w", err)
	}
	p.document = compact.Bytes()
	return p, nil
}

func (p *Policy) add(s statement) {
	p.statements = append(p.statements, s)
	p.ops.addAll(s.ops)
	for i := range s.conditions {
		if s.conditions[i].key == keyEnterpriseProjectID {
			p.mindsEnterpriseProject = true
		}
	}
}

// openDocument checks the outer object and returns version and statements.
func openDocument(root *node) (string, []node, error) {
	if root.kind != objectNode {
		return "", nil, fmt.Errorf("a policy is an object with Version and Statement, not %v", root.kind)
	}
	version, err := root.get("Version")
	if err != nil {
		return "", nil, err
	}
	if version == nil || version.kind != textNode || !slices.Contains([]string{versionRole, versionPolicy, version5}, version.text) {
		return "", nil, errors.New(`Version must be "1.1" or "5.0"`)
	}
	allowed := []string{"Version", "Statement"}
	if version.text == versionRole {
		allowed = append(allowed, "Depends")
	}
	if err := checkMembers(root, allowed); err != nil {
		return "", nil, err
	}
	list, err := root.get("Statement")
	if err != nil {
		return "", nil, err
	}
	if list == nil || list.kind != arrayNode {
		return "", nil, errors.New("Statement must be an array of statements")
	}
	for i := range list.items {
		if kind := list.items[i].kind; kind != objectNode {
			return "", nil, fmt.Errorf("Statement[%d] must be an object, not %v", i, kind)
		}
	}
	return version.text, list.items, nil
}

// checkMembers reports a member that is not allowed.
func checkMembers(n *node, allowed []string) error {
	for i := range n.members {
		if name := n.members[i].name; !slices.Contains(allowed, name) {
			return fmt.Errorf("unknown member %s; allowed are %v", quote(name), allowed)
		}
	}
	return nil
}
