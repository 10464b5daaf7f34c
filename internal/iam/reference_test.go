package iam

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The reference reads documents again for every question, with maps and regular
// expressions, straight from the sentences of auth.md section 7. It knows saved
// documents only.

type refDocument struct {
	Statement []struct {
		Effect                                   string
		Action, NotAction, Resource, NotResource refTexts
		Condition                                map[string]map[string]refTexts
	}
}

// refTexts reads an array of texts or a bare text.
type refTexts []string

func (t *refTexts) UnmarshalJSON(text []byte) error {
	if text[0] != '[' {
		*t = refTexts{""}
		return json.Unmarshal(text, &(*t)[0])
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// refAllowed is the reference for Evaluate of an operation that needs a grant.
func refAllowed(c *Caller, r *Request) bool {
	if c.DomainID != r.Domain || r.Project != "" && r.Project != c.ProjectID {
		return false
	}
	granted := r.Granted && r.Op.Operation().Grantable
	if !c.Owner && !refUnion(c, r, c.Policies, granted) {
		return false
	}
	if c.Session != nil && !refUnion(c, r, []*Policy{c.Session}, false) {
		return false
	}
	return len(c.Boundary) == 0 || refUnion(c, r, c.Boundary, false)
}

// refUnion judges by policies; allowed is what holds without any.
func refUnion(c *Caller, r *Request, policies []*Policy, allowed bool) bool {
	for _, p := range policies {
		var d refDocument
		if err := json.Unmarshal(p.Document(), &d); err != nil {
			panic(err)
		}
		for _, s := range d.Statement {
			actions := refAction(r.Op, s.Action)
			if s.Action == nil {
				actions = !refAction(r.Op, s.NotAction)
			}
			resources := s.Resource == nil || refResource(r, s.Resource)
			if s.NotResource != nil {
				resources = !refResource(r, s.NotResource)
			}
			if !actions || !resources || !refConditions(c, r, s.Condition) {
				continue
			}
			if s.Effect == "Deny" {
				return false
			}
			allowed = true
		}
	}
	return allowed
}

func refAction(op Op, patterns []string) bool {
	names := append([]string{op.Operation().Action}, op.Operation().Aliases...)
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			return refGlob(strings.ToLower(pattern), strings.ToLower(name), false)
		})
	})
}

func refResource(r *Request, patterns []string) bool {
	row := r.Op.Operation()
	path := r.SecretName
	if row.ResourceType != "" && path == "" {
		path = "*"
	}
	urn := []string{row.Service(), r.Region, r.Domain, row.ResourceType, path}
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if pattern == "*" {
			return true
		}
		for i, part := range strings.SplitN(pattern, ":", 5) {
			have := urn[i]
			if i == 0 || i == 3 {
				part, have = strings.ToLower(part), strings.ToLower(have)
			}
			if !refGlob(part, have, false) {
				return false
			}
		}
		return true
	})
}

func refGlob(pattern, text string, single bool) bool {
	expression := regexp.QuoteMeta(pattern)
	expression = strings.ReplaceAll(expression, `\*`, `.*`)
	if single {
		expression = strings.ReplaceAll(expression, `\?`, `.`)
	}
	return regexp.MustCompile(`(?s)^` + expression + `$`).MatchString(text)
}

func refConditions(c *Caller, r *Request, block map[string]map[string]refTexts) bool {
	for operator, keys := range block {
		for key, listed := range keys {
			if !refCondition(refValues(c, r, key), operator, listed) {
				return false
			}
		}
	}
	return true
}

// refValues returns the values of a key as texts.
func refValues(c *Caller, r *Request, key string) []string {
	known := func(v Value[string]) []string {
		if s, ok := v.Get(); ok {
			return []string{s}
		}
		return nil
	}
	name, tag, _ := strings.Cut(key, "/")
	switch name {
	case "g:UserName":
		return []string{c.UserName}
	case "g:MFAPresent":
		return []string{map[bool]string{true: "true", false: "false"}[c.MFA]}
	case "g:SourceIp":
		return []string{c.SourceIP.String()}
	case "g:CurrentTime":
		return []string{time.UnixMilli(int64(c.Now)).UTC().Format(time.RFC3339Nano)}
	case "g:EnterpriseProjectId":
		return known(r.EnterpriseProjectID)
	case "csms:Type":
		return known(r.Type)
	case "g:ResourceTag":
		for _, t := range r.ResourceTags {
			if t.Key == tag {
				return []string{t.Value}
			}
		}
		return nil
	case "g:TagKeys":
		return r.TagKeys
	}
	panic(key)
}

func refCondition(values []string, operator string, listed []string) bool {
	set, base, found := strings.Cut(operator, ":")
	if !found {
		set, base = "", operator
	}
	base, ifExists := strings.CutSuffix(base, "IfExists")
	switch base {
	case "Null":
		return slices.Contains(listed, map[bool]string{true: "true", false: "false"}[len(values) == 0])
	case "IsNullOrEmpty":
		return slices.Contains(listed, map[bool]string{true: "true", false: "false"}[strings.Join(values, "") == "" && len(values) < 2])
	}
	if len(values) == 0 {
		return ifExists
	}
	positive := strings.Replace(base, "Not", "", 1)
	satisfied := func(value string) bool { // of one request value
		hit := slices.ContainsFunc(listed, func(l string) bool { return refHit(positive, value, l) })
		return hit == (positive == base)
	}
	if set == "ForAnyValue" || set == "" && positive == base {
		return slices.ContainsFunc(values, satisfied)
	}
	return !slices.ContainsFunc(values, func(v string) bool { return !satisfied(v) })
}

func refHit(operator, value, listed string) bool {
	switch operator {
	case "StringEquals", "Bool":
		return value == listed
	case "StringEqualsIgnoreCase":
		return strings.EqualFold(value, listed)
	case "StringMatch":
		return refGlob(listed, value, true)
	case "StringStartWith":
		return strings.HasPrefix(value, listed)
	case "NumberLessThan":
		v, ok := new(big.Rat).SetString(value)
		l, _ := new(big.Rat).SetString(listed)
		return ok && v.Cmp(l) < 0
	case "DateGreaterThan":
		v, err := time.Parse(time.RFC3339Nano, value)
		l, _ := time.Parse(time.RFC3339Nano, listed)
		return err == nil && v.After(l)
	case "IpAddress":
		v, err := netip.ParseAddr(value)
		return err == nil && netip.MustParsePrefix(listed).Contains(v)
	}
	panic(operator)
}
