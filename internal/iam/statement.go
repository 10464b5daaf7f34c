package iam

import (
	"errors"
	"fmt"
)

// compileStatement compiles one statement and returns everything in it that it
// could not read. Each part that cannot be read is taken at its widest (any action,
// any resource, no condition), which is right for a Deny; an Allow with a problem
// is then made void.
func compileStatement(n *node, version string) (statement, []error) {
	var s statement
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	var err error
	note(checkStatementMembers(n, version))
	s.sid, err = compileSid(n)
	note(err)
	s.deny, err = compileEffect(n)
	note(err)
	s.ops, err = compileActions(n)
	note(err)
	s.resources, s.notResources, err = compileResources(n)
	note(err)
	s.conditions, err = compileConditions(n)
	note(err)
	if problems != nil && !s.deny {
		s.ops = opSet{}
	}
	return s, problems
}

func checkStatementMembers(n *node, version string) error {
	if principal, _ := n.get("Principal"); principal != nil {
		return errors.New("Principal belongs to the trust policy of an agency")
	}
	allowed := []string{"Effect", "Action", "Resource", "Condition"}
	if version == version5 {
		allowed = append(allowed, "Sid", "NotAction", "NotResource")
	}
	if err := checkMembers(n, allowed); err != nil {
		return fmt.Errorf("%w in Version %s", err, version)
	}
	return nil
}

func compileSid(n *node) (string, error) {
	sid, err := n.get("Sid")
	if err != nil || sid == nil {
		return "", err
	}
	if sid.kind != textNode {
		return "", fmt.Errorf("Sid must be text, not %v", sid.kind)
	}
	return sid.text, nil
}

// compileEffect reads an unknown effect as Deny.
func compileEffect(n *node) (deny bool, err error) {
	effect, err := n.get("Effect")
	if err != nil {
		return true, err
	}
	if effect != nil && effect.kind == textNode {
		switch effect.text {
		case "Allow":
			return false, nil
		case "Deny":
			return true, nil
		}
	}
	return true, errors.New("Effect must be Allow or Deny")
}

// either returns the values of name or of notName, which exclude each other; none
// if the statement has neither.
func either(n *node, name, notName string) (values []string, negated bool, err error) {
	list, err := n.get(name)
	if err != nil {
		return nil, false, err
	}
	notList, err := n.get(notName)
	switch {
	case err != nil || list == nil && notList == nil:
		return nil, false, err
	case list != nil && notList != nil:
		return nil, false, fmt.Errorf("%s and %s exclude each other", name, notName)
	case list == nil:
		list, name, negated = notList, notName, true
	}
	values, err = texts(list, name)
	return values, negated, err
}

// texts reads an array of texts, or one bare text (auth.md 7.2).
func texts(n *node, name string) ([]string, error) {
	if n.kind == textNode {
		return []string{n.text}, nil
	}
	if n.kind != arrayNode || len(n.items) == 0 {
		return nil, fmt.Errorf("%s must be an array with at least one text", name)
	}
	values := make([]string, len(n.items))
	for i := range n.items {
		if n.items[i].kind != textNode {
			return nil, fmt.Errorf("%s[%d] must be text, not %v", name, i, n.items[i].kind)
		}
		values[i] = n.items[i].text
	}
	return values, nil
}

// compileActions returns the Ops that Action or NotAction covers; all of them if
// that cannot be read.
func compileActions(n *node) (opSet, error) {
	patterns, negated, err := either(n, "Action", "NotAction")
	if err == nil && len(patterns) == 0 {
		err = errors.New("Action is missing")
	}
	if err == nil && len(patterns) > maxActions {
		err = fmt.Errorf("%d actions are listed; at most %d are allowed", len(patterns), maxActions)
	}
	var set opSet
	for _, pattern := range patterns {
		ops, problem := opsOfAction(pattern)
		if err == nil {
			err = problem
		}
		set.addAll(ops)
	}
	if err != nil {
		return allOps(), err
	}
	if negated {
		set = set.complement()
	}
	return set, nil
}

// compileResources returns the patterns of Resource or NotResource; none, which is
// every resource, if that cannot be read.
func compileResources(n *node) (patterns []resourcePattern, negated bool, err error) {
	values, negated, err := either(n, "Resource", "NotResource")
	if err != nil {
		return nil, false, err
	}
	if len(values) > maxResources {
		return nil, false, fmt.Errorf("%d resources are listed; at most %d are allowed", len(values), maxResources)
	}
	for _, value := range values {
		pattern, err := parseResource(value)
		if err != nil {
			return nil, false, err
		}
		patterns = append(patterns, pattern)
	}
	return patterns, negated, nil
}

// compileConditions returns the conditions, which are all ANDed; none if they
// cannot be read.
func compileConditions(n *node) ([]condition, error) {
	block, err := n.get("Condition")
	if err != nil || block == nil {
		return nil, err
	}
	if block.kind != objectNode {
		return nil, fmt.Errorf("Condition must be an object of operators, not %v", block.kind)
	}
	if len(block.members) > maxOperators {
		return nil, fmt.Errorf("%d operators are listed; at most %d are allowed", len(block.members), maxOperators)
	}
	if err := block.checkRepeated(); err != nil {
		return nil, err
	}
	var all []condition
	for i := range block.members {
		conditions, err := compileOperator(&block.members[i])
		if err != nil {
			return nil, err
		}
		all = append(all, conditions...)
	}
	return all, nil
}

// compileOperator compiles the keys under one operator.
func compileOperator(operator *member) ([]condition, error) {
	keys := &operator.value
	if keys.kind != objectNode || len(keys.members) == 0 {
		return nil, fmt.Errorf("%s must be an object of condition keys", quote(operator.name))
	}
	conditions := make([]condition, len(keys.members))
	for i := range keys.members {
		key := &keys.members[i]
		values, err := conditionValues(&key.value, key.name)
		if err != nil {
			return nil, err
		}
		if conditions[i], err = newCondition(operator.name, key.name, values); err != nil {
			return nil, err
		}
	}
	return conditions, nil
}

// conditionValues reads an array of values or one bare value. Numbers and truth
// values may stand without quotation marks.
func conditionValues(n *node, key string) ([]string, error) {
	items := []node{*n}
	if n.kind == arrayNode {
		items = n.items
	}
	values := make([]string, len(items))
	for i := range items {
		if kind := items[i].kind; kind != textNode && kind != literalNode {
			return nil, fmt.Errorf("the values of %s must be text, not %v", quote(key), kind)
		}
		values[i] = items[i].text
	}
	return values, nil
}
