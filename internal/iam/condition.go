package iam

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// condition is one compiled "operator: {key: values}" of a statement.
type condition struct {
	op       operator
	each     quantifier
	ifExists bool
	key      key
	kind     family // of the request value
	tag      string // the tag key in a key such as g:ResourceTag/<k>
	listed
}

// newCondition compiles one key under an operator.
func newCondition(operatorName, keyName string, values []string) (condition, error) {
	op, each, ifExists, err := splitOperator(operatorName)
	if err != nil {
		return condition{}, err
	}
	row, tag, err := parseKey(keyName)
	if err != nil {
		return condition{}, err
	}
	if op.family != nullFamily && row.kind != textFamily && row.kind != op.family {
		return condition{}, fmt.Errorf("%s does not fit %s; use %s", operatorName, quote(keyName), fitting(row.kind))
	}
	if len(values) == 0 {
		return condition{}, fmt.Errorf("%s lists no value for %s", operatorName, quote(keyName))
	}
	c := condition{op: op, each: each, ifExists: ifExists, key: row.key, kind: row.kind, tag: tag}
	for _, value := range values {
		if err := c.add(op, value); err != nil {
			return condition{}, err
		}
	}
	return c, nil
}

// fitting names the operators for request values of a family.
func fitting(kind family) string {
	return map[family]string{
		numberFamily:  "a Number operator",
		dateFamily:    "a Date operator",
		boolFamily:    "Bool",
		addressFamily: "IpAddress or NotIpAddress",
	}[kind]
}

// holds reports whether the request fulfils c. An absent value fulfils only
// IfExists and the null family (auth.md 7.3).
func (c *condition) holds(q *query) bool {
	v := q.operand(c.key, c.tag)
	if c.op.family == nullFamily {
		return c.nullHolds(&v)
	}
	if v.count == 0 {
		return c.ifExists
	}
	if c.each == allValues {
		return c.all(&v)
	}
	return c.some(&v)
}

// some reports whether a request value fits. Without a set prefix a negative
// operator wants that no request value is listed; with ForAnyValue it wants one
// that is not.
func (c *condition) some(v *operand) bool {
	want := c.each == plain || !c.op.negated
	for i := range v.count {
		if c.hit(v, i) == want {
			return c.each == anyValue || !c.op.negated
		}
	}
	return c.each == plain && c.op.negated
}

// all reports whether every request value fits.
func (c *condition) all(v *operand) bool {
	for i := range v.count {
		if c.hit(v, i) == c.op.negated {
			return false
		}
	}
	return true
}

// nullHolds decides Null, IsNullOrEmpty and IsNotNullOrEmpty.
func (c *condition) nullHolds(v *operand) bool {
	absent := v.count == 0
	if c.op.compare == missingText {
		absent = v.empty(c.kind)
	}
	return slices.Contains(c.truths, absent != c.op.negated)
}

// hit reports whether request value i is one of the listed values, in the sense of
// the operator. A text that is not of the operator's family is none of them.
func (c *condition) hit(v *operand, i int) bool {
	switch c.op.family {
	case textFamily:
		return c.hitText(v.at(i))
	case numberFamily:
		return c.hitNumber(v, i)
	case dateFamily:
		return c.hitDate(v, i)
	case boolFamily:
		return c.hitBool(v, i)
	}
	return c.hitAddress(v, i)
}

func (c *condition) hitText(s string) bool {
	for _, text := range c.texts {
		if fits(c.op.compare, s, text) {
			return true
		}
	}
	for i := range c.globs {
		if c.globs[i].match(s) {
			return true
		}
	}
	return false
}

func fits(how comparison, s, text string) bool {
	switch how {
	case equalFold:
		return strings.EqualFold(s, text)
	case contains:
		return strings.Contains(s, text)
	case startsWith:
		return strings.HasPrefix(s, text)
	case endsWith:
		return strings.HasSuffix(s, text)
	}
	return s == text
}

func (c *condition) hitNumber(v *operand, i int) bool {
	if c.kind == numberFamily {
		return slices.ContainsFunc(c.numbers, func(d decimal) bool {
			return inOrder(c.op.compare, d.compareInt(v.number))
		})
	}
	n, ok := parseDecimal(v.at(i))
	return ok && slices.ContainsFunc(c.numbers, func(d decimal) bool {
		return inOrder(c.op.compare, n.compare(d))
	})
}

func (c *condition) hitDate(v *operand, i int) bool {
	at := v.number
	if c.kind == textFamily {
		var ok bool
		if at, ok = parseDate(v.at(i)); !ok {
			return false
		}
	}
	return slices.ContainsFunc(c.dates, func(date int64) bool {
		return inOrder(c.op.compare, cmp.Compare(at, date))
	})
}

func (c *condition) hitBool(v *operand, i int) bool {
	truth := v.truth
	if c.kind == textFamily {
		switch v.at(i) {
		case "true":
			truth = true
		case "false":
			truth = false
		default:
			return false
		}
	}
	return slices.Contains(c.truths, truth)
}

func (c *condition) hitAddress(v *operand, i int) bool {
	addr := v.addr
	if c.kind == textFamily {
		a, err := netip.ParseAddr(v.at(i))
		if err != nil {
			return false
		}
		addr = a.Unmap().WithZone("")
	}
	return slices.ContainsFunc(c.networks, func(network netip.Prefix) bool {
		return network.Contains(addr)
	})
}

// inOrder reports whether an order of -1, 0 or +1 is what the comparison asks for.
func inOrder(how comparison, order int) bool {
	switch how {
	case less:
		return order < 0
	case lessEqual:
		return order <= 0
	case greater:
		return order > 0
	case greaterEqual:
		return order >= 0
	}
	return order == 0
}
