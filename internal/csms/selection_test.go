package csms_test

import (
	"fmt"
	"strings"
	"testing"

	"coffer/internal/csms"
)

func filters(n, values int) []csms.TagFilter {
	out := make([]csms.TagFilter, n)
	for i := range out {
		out[i].Key = fmt.Sprint("k", i)
		for v := range values {
			out[i].Values = append(out[i].Values, fmt.Sprint("v", v))
		}
	}
	return out
}

// T11, T12: bounds of a selection.
func TestSelectionValidate(t *testing.T) {
	one := func(key string, values ...string) csms.Selection {
		return csms.Selection{Tags: []csms.TagFilter{{Key: key, Values: values}}}
	}
	name := func(values ...string) (c csms.Selection) {
		for _, v := range values {
			c.Matches = append(c.Matches, csms.Match{Key: csms.MatchName, Value: v})
		}
		return c
	}
	for title, c := range map[string]csms.Selection{
		"zero":                   {},
		"10 keys of 10 values":   {Tags: filters(10, 10)},
		"key of 128":             one(strings.Repeat("中", 128)),
		"value of 255":           one("k", strings.Repeat("中", 255)),
		"empty value":            one("k", ""),
		"key that no tag has":    one("_sys_a/b"),
		"keys of different case": {Tags: []csms.TagFilter{{Key: "a"}, {Key: "A"}}},
		"name of 255":            name(strings.Repeat("中", 255)),
		"empty name":             name(""),
	} {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", title, err)
		}
	}
	for title, c := range map[string]csms.Selection{
		"11 keys":      {Tags: filters(11, 1)},
		"11 values":    {Tags: filters(1, 11)},
		"empty key":    one(""),
		"key of 129":   one(strings.Repeat("k", 129)),
		"value of 256": one("k", strings.Repeat("v", 256)),
		"key twice":    {Tags: []csms.TagFilter{{Key: "a"}, {Key: "b"}, {Key: "a", Values: []string{"x"}}}},
		"value twice":  one("k", "x", "y", "x"),
		"name of 256":  name(strings.Repeat("n", 256)),
		"name twice":   name("a", "b"),
		"other field":  {Matches: []csms.Match{{Key: "resource_id", Value: "a"}}},
		"no field":     {Matches: []csms.Match{{Value: "a"}}},
	} {
		t.Run(title, func(t *testing.T) { wantCode(t, c.Validate(), csms.CodeInvalid) })
	}
}

// T12: a case-sensitive part of the name; an empty one is in no name.
func TestSelectionHasName(t *testing.T) {
	for value, want := range map[string]bool{"": false, "db": true, "-d": true, "prod-db-1": true, "DB": false, "prod-db-12": false} {
		c := csms.Selection{Matches: []csms.Match{{Key: csms.MatchName, Value: value}}}
		if got := c.HasName("prod-db-1"); got != want {
			t.Errorf("%q in prod-db-1: %v, want %v", value, got, want)
		}
	}
	if c := (csms.Selection{}); !c.HasName("x") {
		t.Error("no match at all must let every name through")
	}
}

// T11: keys are joined by AND, the values of a key by OR, no values mean any.
func TestSelectionHasTags(t *testing.T) {
	s := tagged(t, csms.Tag{Key: "env", Value: "prod"}, csms.Tag{Key: "team"})
	cases := map[string]struct {
		filters []csms.TagFilter
		want    bool
	}{
		"none":            {nil, true},
		"value":           {[]csms.TagFilter{{Key: "env", Values: []string{"prod"}}}, true},
		"other value":     {[]csms.TagFilter{{Key: "env", Values: []string{"test"}}}, false},
		"value in a case": {[]csms.TagFilter{{Key: "env", Values: []string{"Prod"}}}, false},
		"one of two":      {[]csms.TagFilter{{Key: "env", Values: []string{"test", "prod"}}}, true},
		"any value":       {[]csms.TagFilter{{Key: "env"}}, true},
		"empty value":     {[]csms.TagFilter{{Key: "team", Values: []string{""}}}, true},
		"not empty":       {[]csms.TagFilter{{Key: "env", Values: []string{""}}}, false},
		"other key":       {[]csms.TagFilter{{Key: "cost"}}, false},
		"both":            {[]csms.TagFilter{{Key: "team"}, {Key: "env", Values: []string{"prod"}}}, true},
		"one of both":     {[]csms.TagFilter{{Key: "env", Values: []string{"prod"}}, {Key: "team", Values: []string{"a"}}}, false},
	}
	for title, c := range cases {
		sel := csms.Selection{Tags: c.filters}
		if got := sel.HasTags(s); got != c.want {
			t.Errorf("%s: %v, want %v", title, got, c.want)
		}
	}
}
