package iam

import (
	"fmt"
	"strings"
)

// actionNames holds, for every Op, its action and aliases in lower case: only the
// service part of an action is case-sensitive, and that part is lower case anyway.
var actionNames = indexActionNames()

func indexActionNames() [opEnd][]string {
	var names [opEnd][]string
	for o := Op(1); o < opEnd; o++ {
		row := &operations[o]
		names[o] = append(names[o], strings.ToLower(row.Action))
		for _, alias := range row.Aliases {
			names[o] = append(names[o], strings.ToLower(alias))
		}
	}
	return names
}

// opsOfAction returns the Ops that pattern names by their action or by an alias.
// Patterns about services that are not ours are legal and name none.
func opsOfAction(pattern string) (opSet, error) {
	var set opSet
	if err := checkAction(pattern); err != nil {
		return set, err
	}
	g := compileGlob(strings.ToLower(pattern), false)
	for o := Op(1); o < opEnd; o++ {
		for _, name := range actionNames[o] {
			if g.match(name) {
				set.add(o)
				break
			}
		}
	}
	return set, nil
}

// checkAction accepts `*`, service:resource:operation and service::operation, with
// `*` anywhere (auth.md 7.2, 7.3). Because a full form has exactly two colons, as
// every action has, a star cannot reach across a part.
func checkAction(pattern string) error {
	if pattern == "*" {
		return nil
	}
	parts := strings.Split(pattern, ":")
	if len(parts) != 3 || parts[0] == "" || parts[2] == "" {
		return fmt.Errorf("%s is not an action; write service:resource:operation, service::operation or *", quote(pattern))
	}
	if parts[0] != strings.ToLower(parts[0]) {
		return fmt.Errorf("the service in %s must be in lower case", quote(pattern))
	}
	for _, part := range parts {
		if strings.ContainsFunc(part, notActionChar) {
			return fmt.Errorf("%s is not an action; its parts hold letters, digits, - _ and *", quote(pattern))
		}
	}
	return nil
}

func notActionChar(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return r != '-' && r != '_' && r != '*'
}
