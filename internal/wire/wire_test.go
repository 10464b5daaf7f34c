package wire_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coffer/internal/csms"
	"coffer/internal/wire"
)

// TestMarshal shows every shape that a member can have on the wire (TS1, P4, W5).
func TestMarshal(t *testing.T) {
	type list struct {
		Names []string `json:"names"`
	}
	tests := map[string]struct {
		value any
		want  string
	}{
		"an instant is an integer":              {wire.Millis(1_767_225_600_000), `1767225600000`},
		"a large instant has no exponent":       {wire.Millis(math.MaxInt64), `9223372036854775807`},
		"no instant is null":                    {wire.Millis(0), `null`},
		"a text":                                {wire.OrNull("v2"), `"v2"`},
		"an empty text is null":                 {wire.OrNull(""), `null`},
		"tags and ampersands are not escaped":   {wire.OrNull("<a> & 'b'"), `"<a> & 'b'"`},
		"line separators are":                   {wire.OrNull("\u2028"), `"\u2028"`},
		"an error has no request id of its own": {wire.Error{Code: "CSMS.0002", Msg: "no"}, `{"error_code":"CSMS.0002","error_msg":"no"}`},
		"a gateway error has one (W9)": {
			wire.Error{Code: "APIGW.0101", Msg: "no", RequestID: "1"}, `{"error_code":"APIGW.0101","error_msg":"no","request_id":"1"}`,
		},
		"a wrapped error (W8)": {
			wire.WrappedError{Error: wire.Error{Code: "CSMS.0002", Msg: "no"}}, `{"error":{"error_code":"CSMS.0002","error_msg":"no"}}`,
		},
		"an empty page has no markers (P4)": {wire.NewPageInfo("", "", 0, false), `{"next_marker":null,"previous_marker":null,"current_count":0}`},
		"a page with more to follow (P4)":   {wire.NewPageInfo("a", "b", 2, true), `{"next_marker":"b","previous_marker":"a","current_count":2}`},
		"a last page (P4)":                  {wire.NewPageInfo("a", "b", 2, false), `{"next_marker":null,"previous_marker":"a","current_count":2}`},
		"a nil slice of another shape":      {list{}, `{"names":null}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := wire.Marshal(tt.value)
			if err != nil || string(got) != tt.want {
				t.Errorf("Marshal = %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

func TestMarshalReportsWhatCannotBeEncoded(t *testing.T) {
	if got, err := wire.Marshal(csms.Plaintext("canary")); err == nil {
		t.Errorf("Marshal of a plaintext = %s", got)
	}
	if got, err := wire.Marshal(wire.Text("canary")); err == nil {
		t.Errorf("Marshal of a text = %s", got)
	}
}

// TestNewSecretHasEveryMember protects W5 and N17: lists are [], what is not set is
// null, and no member is left out.
func TestNewSecretHasEveryMember(t *testing.T) {
	got, err := wire.Marshal(wire.NewSecret(&csms.Secret{
		ID: "i", Name: "n", State: csms.Enabled, KMSKeyID: "k", CreateTime: 1, UpdateTime: 2,
		Type: csms.Common, EnterpriseProjectID: "0", DomainID: "d",
	}))
	want := `{"id":"i","name":"n","state":"ENABLED","kms_key_id":"k","description":"","create_time":1,"update_time":2,` +
		`"scheduled_delete_time":null,"secret_type":"COMMON","auto_rotation":false,"rotation_period":null,"rotation_config":null,` +
		`"rotation_time":null,"next_rotation_time":null,"last_used_time":null,"event_subscriptions":[],"enterprise_project_id":"0",` +
		`"rotation_func_urn":null,"domain_id":"d","replica_type":"STANDALONE","replicas":[]}`
	if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
		t.Errorf("secret (-want +got), %v:\n%s", err, diff)
	}
}

func TestNewSecretWithEverythingSet(t *testing.T) {
	got, err := wire.Marshal(wire.NewSecret(&csms.Secret{
		ID: "i", Name: "n", State: csms.PendingDelete, KMSKeyID: "k", Description: "<d>", CreateTime: 1, UpdateTime: 2,
		ScheduledDeleteTime: 3, LastUsedTime: 4, Type: csms.RDSFG,
		Rotation:           csms.Rotation{Auto: true, Period: "1d", Config: "{}", FuncURN: "u", Time: 5, NextTime: 6},
		EventSubscriptions: []string{"e"}, EnterpriseProjectID: "0", DomainID: "d",
		Replicas: []csms.Replica{{ID: "r", KMSKeyID: "rk", ProjectID: "p", Region: "x", Type: csms.ReplicaOf, Status: "IN_SYNC", CreatedAt: 7, UpdatedAt: 8}},
	}))
	want := `{"id":"i","name":"n","state":"PENDING_DELETE","kms_key_id":"k","description":"<d>","create_time":1,"update_time":2,` +
		`"scheduled_delete_time":3,"secret_type":"RDS-FG","auto_rotation":true,"rotation_period":"1d","rotation_config":"{}",` +
		`"rotation_time":5,"next_rotation_time":null,"last_used_time":4,"event_subscriptions":["e"],"enterprise_project_id":"0",` +
		`"rotation_func_urn":"u","domain_id":"d","replica_type":"PRIMARY",` +
		`"replicas":[{"id":"r","kms_key_id":"rk","project_id":"p","region":"x","replica_type":"REPLICA","status":"IN_SYNC","created_at":7,"updated_at":8}]}`
	if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
		t.Errorf("secret (-want +got), %v:\n%s", err, diff)
	}
}

// RO10: what is planned is shown while it will happen.
func TestThePlanOfAnEnabledSecret(t *testing.T) {
	sec := &csms.Secret{State: csms.Enabled, Rotation: csms.Rotation{NextTime: 6}}
	if got := wire.NewSecret(sec).NextRotationTime; got != 6 {
		t.Errorf("next_rotation_time %d", got)
	}
}

// TestNewStage protects L18.
func TestNewStage(t *testing.T) {
	got, err := wire.Marshal(wire.StageAnswer{Stage: wire.NewStage(&csms.Secret{Name: "n"}, &csms.Stage{Name: "blue", Version: 12, UpdateTime: 3})})
	if want := `{"stage":{"name":"blue","update_time":3,"secret_name":"n","version_id":"v12"}}`; err != nil || string(got) != want {
		t.Errorf("stage = %s, %v; want %s", got, err, want)
	}
}

// everything has a member of each kind that a request can have.
type everything struct {
	Text    wire.Text   `json:"text"`
	String  *string     `json:"string"`
	Bool    *bool       `json:"bool"`
	Integer *int64      `json:"integer"`
	Small   *int        `json:"small"`
	Items   []string    `json:"items"`
	List    wire.List   `json:"list"`
	Inner   *everything `json:"inner"`
}

// TestDecodeRefuses protects the two codes of a body: CSMS.0004 for what cannot be
// read, CSMS.0002 for what has the wrong type. No message repeats what was sent.
func TestDecodeRefuses(t *testing.T) {
	tests := map[string]struct {
		body string
		code csms.Code
		text string
	}{
		"nothing":                  {``, csms.CodeBadBody, "empty"},
		"white space":              {" \n\t", csms.CodeBadBody, "empty"},
		"half an object":           {`{"string":"canary"`, csms.CodeBadBody, "not one JSON object"},
		"half a text":              {`{"string":"canary`, csms.CodeBadBody, "not one JSON object"},
		"no JSON":                  {`canary`, csms.CodeBadBody, "not one JSON object"},
		"single quotes":            {`{'string':'canary'}`, csms.CodeBadBody, "not one JSON object"},
		"a comma at the end":       {`{"string":"canary",}`, csms.CodeBadBody, "not one JSON object"},
		"text after it":            {`{"string":"canary"} canary`, csms.CodeBadBody, "not one JSON object"},
		"a second object":          {`{"string":"canary"}{}`, csms.CodeBadBody, "not one JSON object"},
		"no UTF-8":                 {"{\"string\":\"canary\xff\"}", csms.CodeBadBody, "not UTF-8"},
		"a surrogate as UTF-8":     {"{\"string\":\"canary\xed\xa0\xbd\"}", csms.CodeBadBody, "not UTF-8"},
		"a byte order mark":        {"\xef\xbb\xbf{}", csms.CodeBadBody, "not one JSON object"},
		"a control character":      {"{\"text\":\"canary\n\"}", csms.CodeBadBody, "not one JSON object"},
		"null":                     {`null`, csms.CodeInvalid, "must be a JSON object"},
		"an array":                 {`["canary"]`, csms.CodeInvalid, "must be a JSON object"},
		"a text":                   {`"canary"`, csms.CodeInvalid, "must be a JSON object"},
		"a number":                 {`7`, csms.CodeInvalid, "must be a JSON object"},
		"a number for a text":      {`{"string":7}`, csms.CodeInvalid, "string has the wrong JSON type; it takes a string."},
		"a text for true or false": {`{"bool":"canary"}`, csms.CodeInvalid, "bool has the wrong JSON type; it takes true or false."},
		"a text for an integer":    {`{"integer":"canary"}`, csms.CodeInvalid, "integer has the wrong JSON type; it takes an integer."},
		"a fraction":               {`{"integer":7.5}`, csms.CodeInvalid, "integer has the wrong JSON type; it takes an integer."},
		"an exponent":              {`{"small":1e1}`, csms.CodeInvalid, "small has the wrong JSON type; it takes an integer."},
		"a number too large":       {`{"integer":9223372036854775808}`, csms.CodeInvalid, "integer has the wrong JSON type; it takes an integer."},
		"a text for an array":      {`{"items":"canary"}`, csms.CodeInvalid, "items has the wrong JSON type; it takes an array."},
		"a number in an array":     {`{"items":["canary",7]}`, csms.CodeInvalid, "items has the wrong JSON type; it takes a string."},
		"a text for a list":        {`{"list":"canary"}`, csms.CodeInvalid, "list has the wrong JSON type; it takes an array."},
		"a text for an object":     {`{"inner":"canary"}`, csms.CodeInvalid, "inner has the wrong JSON type; it takes an object."},
		"an inner member":          {`{"inner":{"bool":"canary"}}`, csms.CodeInvalid, "inner.bool has the wrong JSON type; it takes true or false."},
		"an array for a value":     {`{"text":["canary"]}`, csms.CodeInvalid, "A secret value has the wrong JSON type; it takes a string."},
		"half a surrogate pair":    {`{"text":"canary\ud83d"}`, csms.CodeInvalid, "half a surrogate pair"},
		"the other half":           {`{"text":"\udd11canary"}`, csms.CodeInvalid, "half a surrogate pair"},
		"two first halves":         {`{"text":"\ud83d\ud83d\udd11"}`, csms.CodeInvalid, "half a surrogate pair"},
		"half a pair and a letter": {`{"text":"\ud83d\u0041"}`, csms.CodeInvalid, "half a surrogate pair"},
		"a wrong type and bad end": {`{"bool":"canary"`, csms.CodeBadBody, "not one JSON object"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := wire.Decode([]byte(tt.body), &everything{})
			if csms.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Decode(%q) = %v; want %s with %q", tt.body, err, tt.code, tt.text)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error repeats what was sent: %v", err)
			}
		})
	}
}

// TestDecodeTakes protects W4 and W5.
func TestDecodeTakes(t *testing.T) {
	tests := map[string]struct {
		body string
		want everything
	}{
		"an empty object":           {`{}`, everything{}},
		"white space around it":     {" \r\n\t{ }\n ", everything{}},
		"unknown members (W4)":      {`{"colour":"blue","text":"a","deep":[{"x":[null]}]}`, everything{Text: wire.Text("a")}},
		"null members (W5)":         {`{"text":null,"string":null,"bool":null,"integer":null,"items":null,"inner":null}`, everything{}},
		"a list that is null":       {`{"list":null}`, everything{List: wire.List{Set: true}}},
		"a list that is empty":      {`{"list":[]}`, everything{List: wire.List{Set: true, Items: []string{}}}},
		"a list":                    {`{"list":["a","b"]}`, everything{List: wire.List{Set: true, Items: []string{"a", "b"}}}},
		"an empty value":            {`{"text":""}`, everything{Text: wire.Text("")}},
		"escapes":                   {`{"text":"\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\udd11\ufffd"}`, everything{Text: wire.Text("\"\\/\b\f\n\r\t\x00é🔑\ufffd")}},
		"UTF-8 as it is":            {`{"text":"é🔑"}`, everything{Text: wire.Text("é🔑")}},
		"a member twice":            {`{"text":"a","text":"b"}`, everything{Text: wire.Text("b")}},
		"a member twice, null last": {`{"text":"a","text":null}`, everything{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got everything
			if err := wire.Decode([]byte(tt.body), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.Transformer("text", func(x wire.Text) []byte { return []byte(x) })); diff != "" {
				t.Errorf("Decode(%s) (-want +got):\n%s", tt.body, diff)
			}
		})
	}
}

// FuzzDecode protects what a client can send: no body makes the reader panic, and
// every refusal has one of the two codes.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `{"text":"a\u00e9\ud83d\udd11"}`, `{"text":"\ud83d"}`, `{"items":["a",null]}`, `{"list":null}`, `{"integer":1e400}`,
		`{"inner":{"inner":{"bool":1}}}`, "\xff", `{"text":5}`, `[`, `{"a":1}x`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		sent := string(body)
		err := wire.Decode(body, &everything{})
		if string(body) != sent {
			t.Errorf("Decode changed the body")
		}
		if err == nil {
			if !json.Valid(body) || strings.TrimSpace(sent)[0] != '{' {
				t.Errorf("Decode(%q) took it", sent)
			}
			return
		}
		if e := (*csms.Error)(nil); !errors.As(err, &e) || e.Code != csms.CodeBadBody && e.Code != csms.CodeInvalid {
			t.Errorf("Decode(%q) = %v", sent, err)
		}
	})
}

// TestDecodeRoundTrip sends any text through both encoders.
func TestDecodeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		body, err := json.Marshal(map[string]string{"text": text, "string": text})
		if err != nil {
			t.Fatal(err)
		}
		var got everything
		if err := wire.Decode(body, &got); err != nil {
			t.Fatal(err)
		}
		if string(got.Text) != *got.String {
			t.Errorf("a text of %q reads as %q", *got.String, []byte(got.Text))
		}
	})
}
