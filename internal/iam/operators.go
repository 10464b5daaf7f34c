package iam

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// family is the type of values an operator compares (auth.md 7.3).
type family uint8

const (
	textFamily family = iota
	numberFamily
	dateFamily
	boolFamily
	addressFamily
	nullFamily
)

// comparison is what an operator asks of one request value and one listed value.
type comparison uint8

const (
	equal comparison = iota
	equalFold
	matches  // pattern with * and ?
	contains // StringLike without a wildcard
	startsWith
	endsWith
	less
	lessEqual
	greater
	greaterEqual
	within      // an address in a network
	missing     // Null
	missingText // IsNullOrEmpty
)

// operator is a row of the operator table.
type operator struct {
	family  family
	compare comparison
	negated bool // none of the listed values may fit
}

// operators holds the operators of both grammars by name. Public documents of
// grammar 5.0 use StringEndWith and its like, so no operator is bound to one.
var operators = map[string]operator{
	"StringEquals":              {textFamily, equal, false},
	"StringNotEquals":           {textFamily, equal, true},
	"StringEqualsIgnoreCase":    {textFamily, equalFold, false},
	"StringNotEqualsIgnoreCase": {textFamily, equalFold, true},
	"StringMatch":               {textFamily, matches, false},
	"StringNotMatch":            {textFamily, matches, true},
	"StringLike":                {textFamily, contains, false},
	"StringNotLike":             {textFamily, contains, true},
	"StringStartWith":           {textFamily, startsWith, false},
	"StringNotStartWith":        {textFamily, startsWith, true},
	"StringEndWith":             {textFamily, endsWith, false},
	"StringNotEndWith":          {textFamily, endsWith, true},
	"NumberEquals":              {numberFamily, equal, false},
	"NumberNotEquals":           {numberFamily, equal, true},
	"NumberLessThan":            {numberFamily, less, false},
	"NumberLessThanEquals":      {numberFamily, lessEqual, false},
	"NumberGreaterThan":         {numberFamily, greater, false},
	"NumberGreaterThanEquals":   {numberFamily, greaterEqual, false},
	"DateLessThan":              {dateFamily, less, false},
	"DateLessThanEquals":        {dateFamily, lessEqual, false},
	"DateGreaterThan":           {dateFamily, greater, false},
	"DateGreaterThanEquals":     {dateFamily, greaterEqual, false},
	"Bool":                      {boolFamily, equal, false},
	"IpAddress":                 {addressFamily, within, false},
	"NotIpAddress":              {addressFamily, within, true},
	"Null":                      {nullFamily, missing, false},
	"IsNullOrEmpty":             {nullFamily, missingText, false},
	"IsNotNullOrEmpty":          {nullFamily, missingText, true},
}

const operatorHint = "String{Equals,EqualsIgnoreCase,Match,Like,StartWith,EndWith} and StringNot{...}, " +
	"Number{Equals,NotEquals,LessThan,LessThanEquals,GreaterThan,GreaterThanEquals}, " +
	"Date{LessThan,LessThanEquals,GreaterThan,GreaterThanEquals}, Bool, IpAddress, NotIpAddress, " +
	"Null, IsNullOrEmpty, IsNotNullOrEmpty"

// quantifier says how an operator treats a key with several request values.
type quantifier uint8

const (
	plain quantifier = iota // positive: one must fit; negative: none may
	anyValue
	allValues
)

// splitOperator takes the set prefix and the IfExists suffix off an operator name.
func splitOperator(name string) (op operator, q quantifier, ifExists bool, err error) {
	base := name
	if rest, ok := strings.CutPrefix(base, "ForAnyValue:"); ok {
		base, q = rest, anyValue
	} else if rest, ok := strings.CutPrefix(base, "ForAllValues:"); ok {
		base, q = rest, allValues
	}
	base, ifExists = strings.CutSuffix(base, "IfExists")
	op, ok := operators[base]
	if !ok {
		return op, q, ifExists, fmt.Errorf("unknown operator %s; allowed are %s", quote(name), operatorHint)
	}
	if op.family == nullFamily && (ifExists || q != plain) {
		return op, q, ifExists, fmt.Errorf("%s takes neither IfExists nor a set prefix", base)
	}
	return op, q, ifExists, nil
}

// listed holds the values a condition lists, in the form its family compares.
type listed struct {
	texts    []string
	globs    []glob
	numbers  []decimal
	dates    []int64 // milliseconds
	networks []netip.Prefix
	truths   []bool
}

// add reads one listed value for op.
func (l *listed) add(op operator, value string) error {
	switch op.family {
	case textFamily:
		l.addText(op, value)
		return nil
	case numberFamily:
		d, ok := parseDecimal(value)
		l.numbers = append(l.numbers, d)
		return unless(ok, "%s is not a decimal number", value)
	case dateFamily:
		t, ok := parseDate(value)
		l.dates = append(l.dates, t)
		return unless(ok, "%s is not a time such as 2026-01-31T23:59:59Z", value)
	case addressFamily:
		p, ok := parseNetwork(value)
		l.networks = append(l.networks, p)
		return unless(ok, "%s is not an address or a network such as 10.0.0.0/8", value)
	}
	l.truths = append(l.truths, value == "true")
	return unless(value == "true" || value == "false", "%s is neither true nor false", value)
}

// addText keeps a text value. StringLike without a wildcard asks for a part of the
// value, as the public policy syntax explains it; with one it is StringMatch.
func (l *listed) addText(op operator, value string) {
	switch {
	case op.compare == matches, op.compare == contains && strings.ContainsAny(value, "*?"):
		l.globs = append(l.globs, compileGlob(value, true))
	default:
		l.texts = append(l.texts, value)
	}
}

// unless returns nil if ok, else an error about the listed value.
func unless(ok bool, format, value string) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, quote(value))
}

// parseDate reads RFC 3339 and returns milliseconds.
func parseDate(s string) (int64, bool) {
	t, err := time.Parse(time.RFC3339, s)
	return t.UnixMilli(), err == nil
}

// parseNetwork reads an address or a network of either version. Host bits do not
// count, and an IPv4 network written in IPv6 form is the IPv4 network, because
// request addresses are compared in their shortest form too.
func parseNetwork(s string) (netip.Prefix, bool) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), err == nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p, true
}
