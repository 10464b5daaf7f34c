package iam

import (
	"testing"
)

// TestCompilePolicy_fails_closed protects "an unknown operator or key makes an Allow
// statement not match and a Deny statement match" (7.3), and the same for all else
// that cannot be read in a stored document. %s is the effect; the rest of the
// statement would fit the request if it could be read, but for what it hides.
func TestCompilePolicy_fails_closed(t *testing.T) {
	tests := map[string]string{
		"unknown operator":        `"Action":["csms:*:*"],"Condition":{"StringSounds":{"g:UserName":["x"]}}`,
		"unknown set prefix":      `"Action":["csms:*:*"],"Condition":{"ForEach:StringEquals":{"g:UserName":["x"]}}`,
		"unknown key":             `"Action":["csms:*:*"],"Condition":{"StringEquals":{"g:Mood":["x"]}}`,
		"known and unknown":       `"Action":["csms:*:*"],"Condition":{"StringEquals":{"g:UserName":["nobody"],"g:Mood":["x"]}}`,
		"unreadable value":        `"Action":["csms:*:*"],"Condition":{"IpAddress":{"g:SourceIp":["10.0.0.0-10.0.0.9"]}}`,
		"condition as array":      `"Action":["csms:*:*"],"Condition":[]`,
		"bad action":              `"Action":["csms"]`,
		"bad action of several":   `"Action":["csms:secret:get","get"]`,
		"upper-case service":      `"Action":["CSMS:*:*"]`,
		"no action":               `"Resource":["*"]`,
		"both actions":            `"Action":["csms:*:*"],"NotAction":["csms:*:*"]`,
		"bad NotAction":           `"NotAction":["csms"]`,
		"bad resource":            `"Action":["csms:*:*"],"Resource":["secretName:a"]`,
		"resource object":         `"Action":["csms:*:*"],"Resource":{"uri":["x"]}`,
		"bad NotResource":         `"Action":["csms:*:*"],"NotResource":["x"]`,
		"both resources":          `"Action":["csms:*:*"],"Resource":["*"],"NotResource":["*"]`,
		"unknown member":          `"Action":["csms:*:*"],"Principal":{"IAM":["d9"]}`,
		"repeated action":         `"Action":["csms:secret:list"],"Action":["csms:secret:get"]`,
		"repeated key":            `"Action":["csms:*:*"],"Condition":{"Bool":{"g:MFAPresent":["false"],"g:MFAPresent":["true"]}}`,
		"sid that is no text":     `"Sid":{},"Action":["csms:*:*"]`,
		"more than ten operators": `"Action":["csms:*:*"],"Condition":` + elevenOperators(),
	}
	for name, members := range tests {
		t.Run(name, func(t *testing.T) {
			for effect, want := range map[string]Reason{"Allow": NotAllowed, "Deny": Denied} {
				document := []byte(statement50(`"Effect":"` + effect + `",` + members))
				if _, err := ParsePolicy("p", document); err == nil {
					t.Errorf("%s may be saved", document)
				}
				p, err := CompilePolicy("stored", document)
				if err != nil {
					t.Fatal(err)
				}
				if len(p.Problems()) == 0 {
					t.Error("no problem is told")
				}
				c := callerWith(t)
				c.Policies = []*Policy{p}
				if want == Denied {
					c.Policies = append(c.Policies, mustParse(t, allow("*", "*")))
				}
				if d := Evaluate(c, request(ShowSecret, "a")); d.Reason != want {
					t.Errorf("%s: %v", effect, &d)
				}
			}
		})
	}
}

func TestCompilePolicy_an_unknown_effect_denies(t *testing.T) {
	for _, effect := range []string{`"allow"`, `"Permit"`, `1`, `null`} {
		p, err := CompilePolicy("stored", []byte(statement50(`"Effect":`+effect+`,"Action":["csms:secret:get"]`)))
		if err != nil {
			t.Fatal(err)
		}
		c := callerWith(t, allow("*", "*"))
		c.Policies = append(c.Policies, p)
		if d := Evaluate(c, request(ShowSecret, "a")); !d.ExplicitDeny() {
			t.Errorf("Effect %s: %v", effect, &d)
		}
		if d := Evaluate(c, request(ShowSecretVersion, "a")); !d.Allowed {
			t.Errorf("Effect %s on another action: %v", effect, &d)
		}
	}
}

// TestCompilePolicy_keeps_what_it_can_read: a bad statement does not take the others
// with it, and a Deny keeps the restrictions that are readable.
func TestCompilePolicy_keeps_what_it_can_read(t *testing.T) {
	p, err := CompilePolicy("stored", []byte(`{"Version":"5.0","Statement":[
		{"Effect":"Allow","Action":["csms:secret:get"]},
		{"Effect":"Allow","Action":["csms:secret:delete"],"Condition":{"Unknown":{"x":["y"]}}},
		{"Effect":"Deny","Action":["csms:secret:get"],"Resource":["csms:*:*:secretName:prod_*"],"Condition":{"Unknown":{"x":["y"]}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	c := callerWith(t)
	c.Policies = []*Policy{p}
	for _, tt := range []struct {
		r    *Request
		want Reason
	}{
		{request(ShowSecret, "test"), ByStatement},
		{request(ShowSecret, "prod_x"), Denied},
		{request(DeleteSecret, "test"), NotAllowed},
	} {
		if d := Evaluate(c, tt.r); d.Reason != tt.want {
			t.Errorf("%v %s: %v", tt.r.Op, tt.r.SecretName, &d)
		}
	}
}

// TestCompilePolicy_refuses_what_is_no_policy: it may have held a Deny, so it is not
// silently nothing.
func TestCompilePolicy_refuses_what_is_no_policy(t *testing.T) {
	for _, document := range []string{
		``, `x`, `null`, `{}`, `{"Version":"9.0","Statement":[]}`, `{"Version":"1.1"}`, `{"Version":"1.1","Statement":[1]}`,
		`{"Version":"1.1","Statement":[],"Statement":[]}`, `{"Version":"1.1","Statement":[],"More":1}`,
	} {
		if p, err := CompilePolicy("stored", []byte(document)); err == nil {
			t.Errorf("%q compiles to %v", document, p)
		}
	}
}

// TestCompilePolicy_reads_roles protects "support read-only" of 7.2.
func TestCompilePolicy_reads_roles(t *testing.T) {
	p, err := CompilePolicy("role", []byte(`{"Version":"1.0","Depends":[{"catalog":"BASE","display_name":"Tenant Guest"}],
		"Statement":[{"Effect":"Allow","Action":["csms:secret:get"]}]}`))
	if err != nil || p.Problems() != nil {
		t.Fatal(err, p.Problems())
	}
	c := callerWith(t)
	c.Policies = []*Policy{p}
	if err := c.Authorize(request(ShowSecret, "a")); err != nil {
		t.Error(err)
	}
}
