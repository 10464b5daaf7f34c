package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"coffer/internal/testkit"
)

// lenient are constraints of the document that are not enforced as it has them, with the
// reason.
var lenient = map[string]string{
	"ListSecrets event_name minLength":           "an empty parameter is as none: some SDKs send what was not set",
	"BatchCreateOrDeleteTags sequence type":      ignored,
	"BatchCreateOrDeleteTags sequence maxLength": ignored,
	"ListResourceInstances sequence type":        ignored,
	"ListResourceInstances sequence maxLength":   ignored,
	"ListResourceInstances offset oneOf maximum": "a project may have more than 9,999 secrets, and the rest has to be reached",
}

// fuller are bodies with the members that the shortest one does without, so that their
// constraints are walked too.
var fuller = map[string]string{
	"ListResourceInstances": `{"action":"filter","tags":[{"key":"k","values":["v"]}],"matches":[{"key":"resource_name","value":"a"}]}`,
	"UpdateSecretEvent":     strings.Replace(someEvent, `"name":"nightly",`, "", 1),
}

const ignored = "sequence is a marker for the caller's own use, which is not looked at (T5)"

// TestEveryConstraint walks the document: each constraint of the body and the query of
// each operation is broken by itself, and refused with 400, a code of the service and the
// envelope of the operation; nothing is written.
func TestEveryConstraint(t *testing.T) {
	s := readSchemas(t)
	walked := map[string]bool{}
	for _, o := range slices.Concat(operations, domainWide) {
		t.Run(o.name, func(t *testing.T) {
			c := o.newCase(t)
			if body, ok := fuller[o.name]; ok {
				o.body = body
				checkAnswer(t, o.request(o.newCase(t), testkit.Owner, body, nil), o.status, "")
			}
			all := s.requests(t, &o, c.fill(o.body))
			for _, b := range all {
				walked[o.name+" "+b.what] = true
				if lenient[o.name+" "+b.what] != "" {
					taken(t, &o, &b)
					continue
				}
				refusedWhole(t, &o, c, &b)
			}
		})
	}
	t.Logf("%d requests, each with one constraint broken", len(walked))
	for key := range lenient {
		if !walked[key] {
			t.Errorf("%s is an exception that the document does not need", key)
		}
	}
}

func (b *broken) send(o *operation, c *corpusCase) *httptest.ResponseRecorder {
	target := c.fill(o.target())
	if b.path != "" {
		target = b.path
	}
	if b.query != "" {
		target += "?" + c.fill(b.query)
	}
	return c.kit.Do(testkit.Owner, o.method, target, b.body)
}

// taken checks that an exception is one.
func taken(t *testing.T, o *operation, b *broken) {
	t.Helper()
	if w := b.send(o, o.newCase(t)); w.Code != o.status {
		t.Errorf("%s: %d, and it is an exception", b.what, w.Code)
	}
}

// otherCode are the constraints with a code of their own; the others have CSMS.0002.
var otherCode = map[string]string{"CreateSecretVersion version_stages maxItems": "CSMS.0204"}

// refusedWhole checks that a request is refused, and leaves everything as it was.
func refusedWhole(t *testing.T, o *operation, c *corpusCase, b *broken) {
	t.Helper()
	before := state(c)
	w := b.send(o, c)
	var answer struct {
		Code  string `json:"error_code"`
		Error struct {
			Code string `json:"error_code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(w.Body.Bytes(), &answer) // what is no JSON has no code
	code := answer.Code
	if o.wrapped() {
		code = answer.Error.Code
	}
	want := "CSMS.0002"
	if other := otherCode[o.name+" "+b.what]; other != "" {
		want = other
	}
	if strings.HasPrefix(b.what, "secrets[]") { // BatchImportSecrets answers for each secret by itself (I2)
		checkRefusedItem(t, w.Body.Bytes(), b)
	} else if w.Code != http.StatusBadRequest || code != want {
		t.Errorf("%s: %.200s %s: %d %.200s", b.what, b.body, b.query, w.Code, w.Body)
	}
	if state(c) != before {
		t.Errorf("%s: something was written", b.what)
	}
}

// checkRefusedItem checks that the one secret of an import was refused for its member.
func checkRefusedItem(t *testing.T, body []byte, b *broken) {
	t.Helper()
	var answer struct {
		Success, Failed int
		ErrorList       []struct {
			Message string `json:"error_msg"`
		} `json:"error_list"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Success != 0 || answer.Failed != 1 || len(answer.ErrorList) != 1 {
		t.Errorf("%s: %.200s: %.200s", b.what, b.body, body)
	}
}

// state is what the operations can change, as others read it.
func state(c *corpusCase) string {
	var out strings.Builder
	for _, target := range []string{"secrets", "secrets/a", "secrets/a/versions", "csms/tags", "csms/events", "csms/tasks", "secrets/checker/config", "csms/grants?resource_id=" + firstID} {
		w := c.kit.Do(testkit.Owner, http.MethodGet, path(target), "")
		out.WriteString(w.Body.String() + "\n")
	}
	return out.String()
}
