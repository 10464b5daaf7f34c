package iam

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"coffer/internal/csms"
)

// TestParsePolicy_accepts has the documents of auth.md and forms that public
// examples use.
func TestParsePolicy_accepts(t *testing.T) {
	tests := map[string]string{
		"7.2 example": `{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:secret:get","csms:secretVersion:*"],
			"Resource":["csms:*:*:secretName:prod_*"],
			"Condition":{"StringEndWithIfExists":{"g:UserName":["-ci"]},"Bool":{"g:MFAPresent":["true"]}}}]}`,
		"7.4 both generations in 1.1": `{"Version":"1.1","Statement":[{"Effect":"Allow",
			"Action":["csms:secret:getVersion","kms:cmk:decryptDataKey","csms::createEvent"]}]}`,
		"3.5 empty session policy": `{"Version":"1.1","Statement":[]}`,
		"bare texts":               `{"Version":"1.1","Statement":[{"Effect":"Deny","Action":"csms:*:*","Resource":"*"}]}`,
		"5.0 in full": `{"Version":"5.0","Statement":[{"Sid":"s1","Effect":"Deny","NotAction":["iam:*:*"],
			"NotResource":["csms:cn-north-4:*:secretName:open_*"],
			"Condition":{"ForAnyValue:StringNotEquals":{"g:RequestTag/owner":["Alice","Jack"]}}}]}`,
		"text operator of 1.1 in 5.0": `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["obs:bucket:listBucket"],
			"Condition":{"StringEndWithIfExists":{"g:UserName":["x"]}}}]}`,
		"other service, upper-case resource": `{"Version":"1.1","Statement":[{"Effect":"Allow",
			"Action":["obs:object:GetObject"],"Resource":["OBS:*:*:object:*"]}]}`,
		"bare condition values": `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:*:*"],
			"Condition":{"Bool":{"g:MFAPresent":true},"NumberLessThan":{"csms:RecoveryWindowInDays":8}}}]}`,
		"empty condition": `{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:*:*"],"Condition":{}}]}`,
	}
	for name, document := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := ParsePolicy(name, []byte(document))
			if err != nil {
				t.Fatal(err)
			}
			if p.Name() != name || p.Problems() != nil {
				t.Errorf("name %q, problems %v", p.Name(), p.Problems())
			}
			if again, err := ParsePolicy(name, p.Document()); err != nil || string(again.Document()) != string(p.Document()) {
				t.Errorf("its own document reads as %v", err)
			}
		})
	}
}

// statement50 wraps the members of one statement of grammar 5.0.
func statement50(members string) string {
	return `{"Version":"5.0","Statement":[{` + members + `}]}`
}

// TestParsePolicy_refuses has what must not be saved (7.2, 7.3) and a part of the
// message, which says what is wrong and what is allowed.
func TestParsePolicy_refuses(t *testing.T) {
	condition := func(c string) string {
		return statement50(`"Effect":"Allow","Action":["csms:*:*"],"Condition":` + c)
	}
	tests := map[string]struct{ document, message string }{
		"no JSON":            {`{`, "not JSON"},
		"trailing text":      {`{"Version":"1.1","Statement":[]} x`, "after its JSON value"},
		"not UTF-8":          {"{\"Version\":\"1.1\",\"Statement\":[],\"\xff\":1}", "not UTF-8"},
		"array":              {`[]`, "a policy is an object"},
		"null":               {`null`, "a policy is an object"},
		"too large":          {`{"Version":"1.1","Statement":[]}` + strings.Repeat(" ", MaxDocument), "at most 32768"},
		"too deep":           {strings.Repeat("[", 100) + strings.Repeat("]", 100), "nested deeper"},
		"no version":         {`{"Statement":[]}`, "Version must be"},
		"number as version":  {`{"Version":1.1,"Statement":[]}`, "Version must be"},
		"unknown version":    {`{"Version":"2012-10-17","Statement":[]}`, "Version must be"},
		"role":               {`{"Version":"1.0","Statement":[]}`, "kept for built-in roles"},
		"unknown member":     {`{"Version":"1.1","Statement":[],"Id":"x"}`, `unknown member "Id"; allowed are [Version Statement]`},
		"member case":        {`{"Version":"1.1","statement":[]}`, `unknown member "statement"`},
		"statement twice":    {`{"Version":"1.1","Statement":[],"Statement":[]}`, "\"Statement\" stands twice"},
		"no statement":       {`{"Version":"1.1"}`, "Statement must be an array"},
		"statement object":   {`{"Version":"1.1","Statement":{}}`, "Statement must be an array"},
		"statement text":     {`{"Version":"1.1","Statement":["x"]}`, "Statement[0] must be an object"},
		"depends in 1.1":     {`{"Version":"1.1","Statement":[],"Depends":[]}`, `unknown member "Depends"`},
		"sid in 1.1":         {`{"Version":"1.1","Statement":[{"Sid":"a","Effect":"Allow","Action":["csms:*:*"]}]}`, `unknown member "Sid"`},
		"not action in 1.1":  {`{"Version":"1.1","Statement":[{"Effect":"Deny","NotAction":["csms:*:*"]}]}`, `unknown member "NotAction"`},
		"principal":          {statement50(`"Effect":"Allow","Action":["csms:*:*"],"Principal":"*"`), "trust policy"},
		"sid number":         {statement50(`"Sid":1,"Effect":"Allow","Action":["csms:*:*"]`), "Sid must be text"},
		"no effect":          {statement50(`"Action":["csms:*:*"]`), "Effect must be Allow or Deny"},
		"effect case":        {statement50(`"Effect":"allow","Action":["csms:*:*"]`), "Effect must be Allow or Deny"},
		"no action":          {statement50(`"Effect":"Allow"`), "Action is missing"},
		"empty action":       {statement50(`"Effect":"Allow","Action":[]`), "at least one text"},
		"action number":      {statement50(`"Effect":"Allow","Action":[1]`), "Action[0] must be text"},
		"action object":      {statement50(`"Effect":"Allow","Action":{}`), "Action must be an array"},
		"both actions":       {statement50(`"Effect":"Allow","Action":"*","NotAction":"*"`), "exclude each other"},
		"action form":        {statement50(`"Effect":"Allow","Action":["csms:secret"]`), "service:resource:operation"},
		"action case":        {statement50(`"Effect":"Allow","Action":["CSMS:secret:get"]`), "lower case"},
		"too many actions":   {statement50(`"Effect":"Allow","Action":[` + repeatText("csms:secret:get", 101) + `]`), "at most 100"},
		"both resources":     {statement50(`"Effect":"Allow","Action":"*","Resource":"*","NotResource":"*"`), "exclude each other"},
		"resource form":      {statement50(`"Effect":"Allow","Action":"*","Resource":["csms:*:secretName:a"]`), "service:region:account:type:path"},
		"resource object":    {statement50(`"Effect":"Allow","Action":"*","Resource":{"uri":["/iam/agencies/1"]}`), "Resource must be an array"},
		"too many resources": {statement50(`"Effect":"Allow","Action":"*","Resource":[` + repeatText("*", 11) + `]`), "at most 10"},
		"condition array":    {condition(`[]`), "Condition must be an object"},
		"operator array":     {condition(`{"StringEquals":[]}`), "object of condition keys"},
		"operator empty":     {condition(`{"StringEquals":{}}`), "object of condition keys"},
		"unknown operator":   {condition(`{"StringEqual":{"g:UserName":["a"]}}`), `unknown operator "StringEqual"; allowed are String{`},
		"operator case":      {condition(`{"stringEquals":{"g:UserName":["a"]}}`), "unknown operator"},
		"date equals":        {condition(`{"DateEquals":{"g:CurrentTime":["2026-01-01T00:00:00Z"]}}`), "unknown operator"},
		"unknown set prefix": {condition(`{"ForEachValue:StringEquals":{"g:TagKeys":["a"]}}`), "unknown operator"},
		"null if exists":     {condition(`{"NullIfExists":{"g:UserName":["true"]}}`), "neither IfExists nor a set prefix"},
		"unknown key":        {condition(`{"StringEquals":{"g:User":["a"]}}`), `unknown condition key "g:User"; allowed are g:{`},
		"foreign key":        {condition(`{"StringEquals":{"obs:prefix":["a"]}}`), "unknown condition key"},
		"tag without key":    {condition(`{"StringEquals":{"g:ResourceTag/":["a"]}}`), "unknown condition key"},
		"tag without slash":  {condition(`{"StringEquals":{"g:ResourceTag":["a"]}}`), "unknown condition key"},
		"key with a tag":     {condition(`{"StringEquals":{"g:UserName/x":["a"]}}`), "unknown condition key"},
		"no values":          {condition(`{"StringEquals":{"g:UserName":[]}}`), "lists no value"},
		"null value":         {condition(`{"StringEquals":{"g:UserName":[null]}}`), "must be text"},
		"object value":       {condition(`{"StringEquals":{"g:UserName":{}}}`), "must be text"},
		"not a number":       {condition(`{"NumberEquals":{"csms:RecoveryWindowInDays":["seven"]}}`), "not a decimal number"},
		"exponent":           {condition(`{"NumberEquals":{"csms:RecoveryWindowInDays":[1e1]}}`), "not a decimal number"},
		"not a date":         {condition(`{"DateLessThan":{"g:CurrentTime":["tomorrow"]}}`), "not a time"},
		"not a truth value":  {condition(`{"Bool":{"g:MFAPresent":["yes"]}}`), "neither true nor false"},
		"not an address":     {condition(`{"IpAddress":{"g:SourceIp":["10.0.0.0/33"]}}`), "not an address"},
		"wrong family":       {condition(`{"StringEquals":{"g:SourceIp":["10.0.0.1"]}}`), "use IpAddress or NotIpAddress"},
		"repeated operator":  {condition(`{"Bool":{"g:MFAPresent":["true"]},"Bool":{"g:MFAPresent":["false"]}}`), "Bool\" stands twice"},
		"repeated key":       {condition(`{"Bool":{"g:MFAPresent":["true"],"g:MFAPresent":["false"]}}`), "g:MFAPresent\" stands twice"},
		"repeated effect":    {statement50(`"Effect":"Deny","Effect":"Allow","Action":"*"`), "\"Effect\" stands twice"},
		"too many operators": {condition(elevenOperators()), "at most 10"},
		"long text":          {condition(`{"StringEquals":{"g:UserName":["` + strings.Repeat("x", 1025) + `"]}}`), "at most 1024"},
		"second statement": {
			`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":"*"},{"Effect":"Allow"}]}`,
			"Statement[1]: Action is missing",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePolicy("p", []byte(tt.document))
			checkRefusal(t, err, tt.message)
		})
	}
}

// checkRefusal wants IAM.0011 with a message that fits an error_msg (ER3).
func checkRefusal(t *testing.T, err error, message string) {
	t.Helper()
	var e *csms.Error
	if !errors.As(err, &e) || e.Code != csms.CodeIAMInvalid {
		t.Fatalf("error = %v, want %s", err, csms.CodeIAMInvalid)
	}
	if !strings.Contains(e.Msg, message) || len(e.Msg) > 512 {
		t.Errorf("message (%d bytes) %q does not say %q", len(e.Msg), e.Msg, message)
	}
}

func repeatText(text string, n int) string {
	return strings.TrimSuffix(strings.Repeat(`"`+text+`",`, n), ",")
}

func elevenOperators() string {
	var all []string
	for name, op := range operators {
		if op.family == textFamily && len(all) < 11 {
			all = append(all, fmt.Sprintf(`"%s":{"g:UserName":["a"]}`, name))
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

func TestParsePolicy_takes_the_limits_themselves(t *testing.T) {
	document := statement50(`"Effect":"Allow","Action":[` + repeatText("csms:secret:get", 100) + `],
		"Resource":[` + repeatText("csms:*:*:secretName:a", 10) + `]`)
	document += strings.Repeat(" ", MaxDocument-len(document))
	if _, err := ParsePolicy("p", []byte(document)); err != nil {
		t.Error(err)
	}
}

// TestParseBoundary protects the last sentence of 7.3 before the tables.
func TestParseBoundary(t *testing.T) {
	allow := statement50(`"Effect":"Allow","Action":["*"],"Resource":["*"]`)
	if _, err := ParseBoundary("FullAccess", []byte(allow)); err != nil {
		t.Errorf("full access: %v", err)
	}
	deny := statement50(`"Effect":"Deny","Action":["*"],"Condition":{"Bool":{"g:SecureTransport":["false"]}}`)
	if _, err := ParseBoundary("TLSOnly", []byte(deny)); err != nil {
		t.Errorf("deny with condition: %v", err)
	}
	_, err := ParseBoundary("p", []byte(statement50(`"Effect":"Allow","Action":["*"],"Condition":{"Bool":{"g:MFAPresent":["true"]}}`)))
	checkRefusal(t, err, "Statement[0]: an Allow of a boundary policy has no Condition")
	_, err = ParseBoundary("p", []byte(`{"Version":"1.1","Statement":[]}`))
	checkRefusal(t, err, "Version 5.0")
	_, err = ParseBoundary("p", []byte(`{}`))
	checkRefusal(t, err, "Version must be")
}

func TestPolicy_document_is_compact_and_a_copy(t *testing.T) {
	p, err := ParsePolicy("p", []byte("{ \"Version\" : \"1.1\",\n \"Statement\": [ ] }"))
	if err != nil {
		t.Fatal(err)
	}
	p.Document()[0] = 'x'
	if got, want := string(p.Document()), `{"Version":"1.1","Statement":[]}`; got != want {
		t.Errorf("document = %s, want %s", got, want)
	}
	if text, err := p.MarshalJSON(); err != nil || string(text) != string(p.Document()) {
		t.Errorf("MarshalJSON = %s, %v", text, err)
	}
}
