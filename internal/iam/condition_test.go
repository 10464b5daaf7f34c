package iam

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"coffer/internal/csms"
)

// noon is the instant of every request in these tests.
const noon = csms.Millis(1_795_262_400_000) // 2026-11-21T12:00:00Z

func TestNoon(t *testing.T) {
	if got := time.UnixMilli(int64(noon)).UTC().Format(time.RFC3339); got != "2026-11-21T12:00:00Z" {
		t.Fatalf("noon is %s", got)
	}
}

// fullCaller has every attribute of a caller.
func fullCaller() *Caller {
	return &Caller{
		DomainID: "d1", DomainName: "acme", UserID: "u1", UserName: "alice-ci", PrincipalID: "u1",
		ProjectID: "p1", ProjectName: "cn-north-4",
		SourceIP: netip.MustParseAddr("10.1.2.3"), Secure: true, MFA: true, MFATime: noon - 90_000, Now: noon,
	}
}

// fullRequest has every attribute of a request.
func fullRequest() *Request {
	return &Request{
		Op: ShowSecretVersion, Region: "cn-north-4", Domain: "d1", Project: "p1", SecretName: "prod_db",
		Attributes: Attributes{
			Type: Known("COMMON"), EnterpriseProjectID: Known("ep1"), KMSKeyID: Known("k1"),
			VersionID: Known("v12"), VersionStage: Known("SYSCURRENT"), RecoveryWindowInDays: Known[int64](7),
			ResourceTags: []Tag{{"env", "prod"}, {"Level", "3"}, {"since", "2026-01-01T00:00:00Z"}, {"net", "10.0.0.1"}, {"on", "true"}, {"off", "false"}, {"blank", ""}},
			RequestTags:  []Tag{{"owner", "Alice"}},
			TagKeys:      []string{"owner", "team"},
		},
	}
}

// bareCaller and bareRequest lack every attribute that can be absent.
func bareCaller() *Caller { return &Caller{DomainID: "d1", ProjectID: "p1"} }

func bareRequest() *Request {
	return &Request{Op: ShowSecretVersion, Region: "cn-north-4", Domain: "d1", Project: "p1", SecretName: "prod_db"}
}

// holdsIn decides one condition, given as JSON, by what an Allow with it grants.
func holdsIn(t *testing.T, c *Caller, r *Request, condition string) bool {
	t.Helper()
	p, err := ParsePolicy("p", []byte(statement50(`"Effect":"Allow","Action":["*"],"Condition":`+condition)))
	if err != nil {
		t.Fatal(err)
	}
	with := *c
	with.Policies = []*Policy{p}
	allowed := Evaluate(&with, r).Allowed

	// The same condition on a Deny must deny in the same cases.
	deny, err := ParsePolicy("p", []byte(statement50(`"Effect":"Deny","Action":["*"],"Condition":`+condition)))
	if err != nil {
		t.Fatal(err)
	}
	with.Policies = []*Policy{mustParse(t, statement50(`"Effect":"Allow","Action":["*"]`)), deny}
	if d := Evaluate(&with, r); d.Allowed == allowed || d.ExplicitDeny() != allowed {
		t.Errorf("Allow with %s gives %v, Deny with it %v", condition, allowed, d)
	}
	return allowed
}

func mustParse(t testing.TB, document string) *Policy {
	t.Helper()
	p, err := ParsePolicy("p", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOperators has, for each operator of 7.3, values that fit the full request and
// values that do not. Each row is also run with IfExists, which changes nothing
// while the value is there.
func TestOperators(t *testing.T) {
	tests := []struct{ operator, key, fits, not string }{
		{"StringEquals", "g:UserName", `["bob","alice-ci"]`, `["Alice-CI","alice"]`},
		{"StringNotEquals", "g:UserName", `["Alice-CI","bob"]`, `["bob","alice-ci"]`},
		{"StringEqualsIgnoreCase", "g:UserName", `["ALICE-ci"]`, `["alice"]`},
		{"StringNotEqualsIgnoreCase", "g:UserName", `["alice"]`, `["bob","ALICE-ci"]`},
		{"StringMatch", "g:UserName", `["bob","al?ce-*"]`, `["AL?CE*","alice"]`},
		{"StringNotMatch", "g:UserName", `["AL?CE*"]`, `["bob","*-ci"]`},
		{"StringLike", "g:UserName", `["lice"]`, `["LICE"]`},
		{"StringLike", "g:UserName", `["al*"]`, `["lic*"]`}, // with a wildcard the whole value counts
		{"StringNotLike", "g:UserName", `["LICE"]`, `["x","lice"]`},
		{"StringStartWith", "g:UserName", `["x","alice"]`, `["-ci"]`},
		{"StringNotStartWith", "g:UserName", `["-ci"]`, `["x","alice"]`},
		{"StringEndWith", "g:UserName", `["-ci"]`, `["alice"]`},
		{"StringNotEndWith", "g:UserName", `["alice"]`, `["x","-ci"]`},

		{"NumberEquals", "csms:RecoveryWindowInDays", `["1","7.0"]`, `["7.1","8"]`},
		{"NumberNotEquals", "csms:RecoveryWindowInDays", `["7.1","8"]`, `["1","07"]`},
		{"NumberLessThan", "csms:RecoveryWindowInDays", `["1","8"]`, `["7","-8"]`},
		{"NumberLessThanEquals", "csms:RecoveryWindowInDays", `["7"]`, `["6.9"]`},
		{"NumberGreaterThan", "csms:RecoveryWindowInDays", `["6.9"]`, `["7"]`},
		{"NumberGreaterThanEquals", "csms:RecoveryWindowInDays", `["7"]`, `["7.1"]`},
		{"NumberLessThan", "g:MFAAge", `["91"]`, `["90"]`}, // seconds
		{"NumberGreaterThan", "g:ResourceTag/Level", `["2"]`, `["3"]`},

		{"DateLessThan", "g:CurrentTime", `["2026-11-21T12:00:00.001Z"]`, `["2026-11-21T12:00:00Z"]`},
		{"DateLessThanEquals", "g:CurrentTime", `["2026-11-21T20:00:00+08:00"]`, `["2026-11-21T11:59:59Z"]`},
		{"DateGreaterThan", "g:CurrentTime", `["2026-11-21T11:59:59Z"]`, `["2026-11-21T12:00:00Z"]`},
		{"DateGreaterThanEquals", "g:CurrentTime", `["2026-11-21T12:00:00Z"]`, `["2026-11-21T12:00:01Z"]`},
		{"DateLessThan", "g:ResourceTag/since", `["2026-02-01T00:00:00Z"]`, `["2025-02-01T00:00:00Z"]`},

		{"Bool", "g:MFAPresent", `["true"]`, `["false"]`},
		{"Bool", "g:SecureTransport", `["true","false"]`, `["false"]`},
		{"Bool", "g:ResourceTag/on", `["true"]`, `["false"]`},

		{"IpAddress", "g:SourceIp", `["192.168.0.0/16","10.1.0.0/16"]`, `["10.2.0.0/16","::/0"]`},
		{"IpAddress", "g:SourceIp", `["10.1.2.3"]`, `["10.1.2.4"]`},
		{"IpAddress", "g:SourceIp", `["::ffff:10.1.0.0/112"]`, `["::ffff:10.2.0.0/112"]`},
		{"IpAddress", "g:SourceIp", `["10.1.99.99/16"]`, `["10.1.99.99/24"]`}, // host bits do not count
		{"NotIpAddress", "g:SourceIp", `["10.2.0.0/16"]`, `["10.2.0.0/16","10.1.0.0/16"]`},
		{"IpAddress", "g:ResourceTag/net", `["10.0.0.0/8"]`, `["11.0.0.0/8"]`},
	}
	for _, tt := range tests {
		for _, suffix := range []string{"", "IfExists"} {
			name := tt.operator + suffix
			t.Run(name+" "+tt.key, func(t *testing.T) {
				if !holdsIn(t, fullCaller(), fullRequest(), fmt.Sprintf(`{%q:{%q:%s}}`, name, tt.key, tt.fits)) {
					t.Errorf("%s does not fit", tt.fits)
				}
				if holdsIn(t, fullCaller(), fullRequest(), fmt.Sprintf(`{%q:{%q:%s}}`, name, tt.key, tt.not)) {
					t.Errorf("%s fits", tt.not)
				}
			})
		}
	}
}

// TestOperators_on_absent_values protects "missing request value: condition false,
// except with IfExists (true) and the null family", for negative operators too.
func TestOperators_on_absent_values(t *testing.T) {
	listed := map[family]string{
		textFamily: `["x"]`, numberFamily: `["1"]`, dateFamily: `["2026-01-01T00:00:00Z"]`,
		boolFamily: `["false"]`, addressFamily: `["0.0.0.0/0"]`,
	}
	for name, op := range operators {
		if op.family == nullFamily {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for _, prefix := range []string{"", "ForAnyValue:", "ForAllValues:"} {
				condition := fmt.Sprintf(`{"%s%s%%s":{"g:ResourceTag/none":%s}}`, prefix, name, listed[op.family])
				if holdsIn(t, fullCaller(), fullRequest(), fmt.Sprintf(condition, "")) {
					t.Errorf("%s holds", condition)
				}
				if !holdsIn(t, fullCaller(), fullRequest(), fmt.Sprintf(condition, "IfExists")) {
					t.Errorf("%s does not hold", condition)
				}
			}
		})
	}
}

// TestNullFamily has all three spellings on an absent, an empty and a full value.
func TestNullFamily(t *testing.T) {
	tests := []struct {
		operator            string
		absent, empty, full bool // what a listed "true" gives
	}{
		{"Null", true, false, false},
		{"IsNullOrEmpty", true, true, false},
		{"IsNotNullOrEmpty", false, false, true},
	}
	for _, tt := range tests {
		for key, want := range map[string]bool{
			"g:ResourceTag/none": tt.absent, "g:ResourceTag/blank": tt.empty, "g:ResourceTag/env": tt.full,
		} {
			t.Run(tt.operator+" "+key, func(t *testing.T) {
				if got := holdsIn(t, fullCaller(), fullRequest(), fmt.Sprintf(`{%q:{%q:["true"]}}`, tt.operator, key)); got != want {
					t.Errorf("true: %v, want %v", got, want)
				}
				if got := holdsIn(t, fullCaller(), fullRequest(), fmt.Sprintf(`{%q:{%q:["false"]}}`, tt.operator, key)); got == want {
					t.Errorf("false: %v, want %v", got, !want)
				}
			})
		}
	}
}

// TestSetPrefixes has a request with the tag keys owner and team.
func TestSetPrefixes(t *testing.T) {
	tests := []struct {
		condition string
		want      bool
	}{
		{`{"ForAnyValue:StringEquals":{"g:TagKeys":["team","x"]}}`, true},
		{`{"ForAnyValue:StringEquals":{"g:TagKeys":["x"]}}`, false},
		{`{"ForAllValues:StringEquals":{"g:TagKeys":["owner","team","x"]}}`, true},
		{`{"ForAllValues:StringEquals":{"g:TagKeys":["owner"]}}`, false},
		{`{"ForAnyValue:StringNotEquals":{"g:TagKeys":["owner"]}}`, true}, // team is not listed
		{`{"ForAnyValue:StringNotEquals":{"g:TagKeys":["owner","team"]}}`, false},
		{`{"ForAllValues:StringNotEquals":{"g:TagKeys":["x"]}}`, true},
		{`{"ForAllValues:StringNotEquals":{"g:TagKeys":["owner"]}}`, false},
		{`{"ForAllValues:StringMatch":{"g:TagKeys":["o*","t???"]}}`, true},
		// Without a prefix: a positive operator wants one of them, a negative none.
		{`{"StringEquals":{"g:TagKeys":["team"]}}`, true},
		{`{"StringNotEquals":{"g:TagKeys":["team"]}}`, false},
		{`{"StringNotEquals":{"g:TagKeys":["x"]}}`, true},
		// A key with one value is a set of one.
		{`{"ForAnyValue:StringNotEquals":{"g:RequestTag/owner":["Alice","Jack"]}}`, false},
		{`{"ForAnyValue:StringNotEquals":{"g:RequestTag/owner":["Jack"]}}`, true},
		{`{"ForAllValues:NumberLessThan":{"csms:RecoveryWindowInDays":["8"]}}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.condition, func(t *testing.T) {
			if got := holdsIn(t, fullCaller(), fullRequest(), tt.condition); got != tt.want {
				t.Errorf("holds = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestTagKeys_are_those_of_the_request_tags_unless_given(t *testing.T) {
	r := bareRequest()
	r.RequestTags = []Tag{{"env", "x"}, {"team", "y"}}
	if !holdsIn(t, bareCaller(), r, `{"ForAllValues:StringEquals":{"g:TagKeys":["env","team"]}}`) {
		t.Error("the keys of the request tags do not count")
	}
	if !holdsIn(t, bareCaller(), bareRequest(), `{"Null":{"g:TagKeys":["true"]}}`) {
		t.Error("a request without tags has tag keys")
	}
}

// TestKeys has every key of 7.3: with its value in the full request, absent in the
// bare one, and in another letter case.
func TestKeys(t *testing.T) {
	tests := []struct {
		key, holds string
		always     bool // cannot be absent
	}{
		{"g:CurrentTime", `"DateGreaterThanEquals":{%q:["2026-11-21T12:00:00Z"]}`, false},
		{"g:DomainId", `"StringEquals":{%q:["d1"]}`, true},
		{"g:DomainName", `"StringEquals":{%q:["acme"]}`, false},
		{"g:UserId", `"StringEquals":{%q:["u1"]}`, false},
		{"g:UserName", `"StringEquals":{%q:["alice-ci"]}`, false},
		{"g:PrincipalId", `"StringEquals":{%q:["u1"]}`, false},
		{"g:MFAPresent", `"Bool":{%q:["true"]}`, true},
		{"g:MFAAge", `"NumberEquals":{%q:["90"]}`, false},
		{"g:ProjectName", `"StringEquals":{%q:["cn-north-4"]}`, false},
		{"g:ServiceName", `"StringEquals":{%q:["csms"]}`, true},
		{"g:SourceIp", `"IpAddress":{%q:["10.1.2.3/32"]}`, false},
		{"g:SecureTransport", `"Bool":{%q:["true"]}`, true},
		{"g:EnterpriseProjectId", `"StringEquals":{%q:["ep1"]}`, false},
		{"g:RequestTag/owner", `"StringEquals":{%q:["Alice"]}`, false},
		{"g:ResourceTag/env", `"StringEquals":{%q:["prod"]}`, false},
		{"g:TagKeys", `"ForAllValues:StringEquals":{%q:["owner","team"]}`, false},
		{"csms:Type", `"StringEquals":{%q:["COMMON"]}`, false},
		{"csms:KmsKeyId", `"StringEquals":{%q:["k1"]}`, false},
		{"csms:VersionId", `"StringEquals":{%q:["v12"]}`, false},
		{"csms:VersionStage", `"StringEquals":{%q:["SYSCURRENT"]}`, false},
		{"csms:RecoveryWindowInDays", `"NumberEquals":{%q:["7"]}`, false},
	}
	if len(tests) != len(conditionKeys) {
		t.Errorf("%d keys are tested, the table has %d", len(tests), len(conditionKeys))
	}
	for _, tt := range tests {
		t.Run(tt.key, func(t *testing.T) {
			condition := "{" + fmt.Sprintf(tt.holds, tt.key) + "}"
			if !holdsIn(t, fullCaller(), fullRequest(), condition) {
				t.Errorf("%s does not hold", condition)
			}
			if got := holdsIn(t, bareCaller(), bareRequest(), fmt.Sprintf(`{"Null":{%q:["false"]}}`, tt.key)); got != tt.always {
				t.Errorf("present without a value: %v, want %v", got, tt.always)
			}
		})
	}
}

func TestKeys_fold_case_but_tag_keys_do_not(t *testing.T) {
	if !holdsIn(t, fullCaller(), fullRequest(), `{"StringEquals":{"G:USERNAME":["alice-ci"],"g:resourcetag/env":["prod"]}}`) {
		t.Error("condition keys are case-sensitive")
	}
	if holdsIn(t, fullCaller(), fullRequest(), `{"StringEquals":{"g:ResourceTag/ENV":["prod"]}}`) {
		t.Error("tag keys fold case")
	}
}

// TestConditions_are_anded protects 7.2: values ORed, keys and operators ANDed.
func TestConditions_are_anded(t *testing.T) {
	tests := []struct {
		condition string
		want      bool
	}{
		{`{"StringEquals":{"g:UserName":["x","alice-ci"],"g:DomainName":["acme"]},"Bool":{"g:MFAPresent":["true"]}}`, true},
		{`{"StringEquals":{"g:UserName":["x","alice-ci"],"g:DomainName":["other"]},"Bool":{"g:MFAPresent":["true"]}}`, false},
		{`{"StringEquals":{"g:UserName":["x","alice-ci"],"g:DomainName":["acme"]},"Bool":{"g:MFAPresent":["false"]}}`, false},
	}
	for _, tt := range tests {
		if got := holdsIn(t, fullCaller(), fullRequest(), tt.condition); got != tt.want {
			t.Errorf("%s = %v, want %v", tt.condition, got, tt.want)
		}
	}
}

// TestConditions_on_text_of_another_family: such a text is none of the listed
// values.
func TestConditions_on_text_of_another_family(t *testing.T) {
	for condition, want := range map[string]bool{
		`{"NumberLessThan":{"g:ResourceTag/env":["9"]}}`:                       false,
		`{"NumberNotEquals":{"g:ResourceTag/env":["9"]}}`:                      true,
		`{"DateLessThan":{"g:ResourceTag/env":["2030-01-01T00:00:00Z"]}}`:      false,
		`{"Bool":{"g:ResourceTag/env":["true","false"]}}`:                      false,
		`{"IpAddress":{"g:ResourceTag/env":["0.0.0.0/0","::/0"]}}`:             false,
		`{"NotIpAddress":{"g:ResourceTag/env":["0.0.0.0/0","::/0"]}}`:          true,
		`{"NumberEquals":{"g:ResourceTag/Level":["3"]}}`:                       true,
		`{"Bool":{"g:ResourceTag/on":["false"]}}`:                              false,
		`{"Bool":{"g:ResourceTag/off":["false"]}}`:                             true,
		`{"DateGreaterThan":{"g:ResourceTag/since":["2025-01-01T00:00:00Z"]}}`: true,
	} {
		if got := holdsIn(t, fullCaller(), fullRequest(), condition); got != want {
			t.Errorf("%s = %v, want %v", condition, got, want)
		}
	}
}

func TestSourceIP_forms(t *testing.T) {
	tests := []struct {
		source, network string
		want            bool
	}{
		{"::ffff:10.1.2.3", "10.0.0.0/8", true},
		{"10.1.2.3", "::ffff:0:0/96", true},
		{"fe80::1%eth0", "fe80::/10", true},
		{"2001:db8::1", "2001:db8::/32", true},
		{"2001:db8::1", "0.0.0.0/0", false},
		{"10.1.2.3", "::ffff:10.1.2.3", true},
	}
	for _, tt := range tests {
		c := fullCaller()
		c.SourceIP = netip.MustParseAddr(tt.source)
		if got := holdsIn(t, c, fullRequest(), fmt.Sprintf(`{"IpAddress":{"g:SourceIp":[%q]}}`, tt.network)); got != tt.want {
			t.Errorf("%s in %s = %v, want %v", tt.source, tt.network, got, tt.want)
		}
	}
}
