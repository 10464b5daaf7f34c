package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"coffer/internal/httpapi"
	"coffer/internal/iam"
	"coffer/internal/service/identity"
	"coffer/internal/testkit"
)

// operation is a request to one operation that succeeds once its steps are done.
type operation struct {
	name   string
	before []string // steps beside secret "a" with the label blue
	method string
	path   string // below the project
	query  string // without its question mark; "" for none
	body   string // "" for an operation without a body; $BLOB stands for the backup of a step
	status int
	undo   []string // steps after which the secret "a" can be destroyed
	parts  bool     // succeeds where the store fails: it needs none, or tells of each part by itself
}

// firstID is the id of the first secret that a kit makes.
const firstID = "00000000-0000-4000-8000-000000000001"

// operations has every CSMS operation once.
var operations = []operation{
	{name: "CreateSecret", method: "POST", path: "secrets", body: `{"name":"b","secret_string":"x"}`, status: 200},
	{name: "ListSecrets", method: "GET", path: "secrets", status: 200},
	{name: "ShowSecret", method: "GET", path: "secrets/a", status: 200},
	{name: "UpdateSecret", method: "PUT", path: "secrets/a", body: `{"description":"x"}`, status: 200},
	{name: "DeleteSecret", method: "DELETE", path: "secrets/a", status: 204},
	{name: "DeleteSecretForSchedule", method: "POST", path: "secrets/a/scheduled-deleted-tasks/create", body: `{"recovery_window_in_days":7}`, status: 200},
	{
		name: "RestoreSecret", before: []string{"POST secrets/a/scheduled-deleted-tasks/create"},
		method: "POST", path: "secrets/a/scheduled-deleted-tasks/cancel", status: 200,
	},
	{name: "BatchDeleteSecrets", method: "POST", path: "secrets/batch-delete", body: `{"instance_id":"i-1"}`, status: 200},
	{name: "BatchImportSecrets", method: "POST", path: "secrets/batch-import", body: `{"secrets":[{"name":"b","secret_string":"x"}]}`, status: 200, parts: true},
	{name: "DownloadSecretBlob", method: "POST", path: "secrets/a/backup", status: 200},
	{
		name: "UploadSecretBlob", before: []string{`POST secrets {"name":"b","secret_string":"x"}`, "backup b", "DELETE secrets/b"},
		method: "POST", path: "secrets/restore", body: `{"secret_blob":"$BLOB"}`, status: 200,
	},
	{name: "CreateSecretVersion", method: "POST", path: "secrets/a/versions", body: `{"secret_string":"x"}`, status: 200},
	{name: "ListSecretVersions", method: "GET", path: "secrets/a/versions", status: 200},
	{name: "ShowSecretVersion", method: "GET", path: "secrets/a/versions/latest", status: 200},
	{name: "UpdateVersion", method: "PUT", path: "secrets/a/versions/v1", body: `{"expire_time":1767229200000}`, status: 200},
	{name: "BatchShowSecretVersion", method: "POST", path: "secrets/batch-get-secret-value", body: `{"secret_name_list":["a"]}`, status: 200},
	{name: "CreateSecretStage", method: "POST", path: "secrets/a/stages", body: `{"name":"green","version_id":"v1"}`, status: 200},
	{name: "UpdateSecretStage", method: "PUT", path: "secrets/a/stages/blue", body: `{"version_id":"v1"}`, status: 200},
	{name: "ShowSecretStage", method: "GET", path: "secrets/a/stages/blue", status: 200},
	{name: "DeleteSecretStage", method: "DELETE", path: "secrets/a/stages/blue", status: 204},
	{name: "CreateSecretTag", method: "POST", path: "csms/" + firstID + "/tags", body: `{"tag":{"key":"k"}}`, status: 204},
	{
		name: "DeleteSecretTag", before: []string{"POST csms/" + firstID + `/tags {"tag":{"key":"k"}}`},
		method: "DELETE", path: "csms/" + firstID + "/tags/k", status: 204,
	},
	{name: "BatchCreateOrDeleteTags", method: "POST", path: "csms/" + firstID + "/tags/action", body: `{"action":"create","tags":[{"key":"k"}]}`, status: 204},
	{name: "ListSecretTags", method: "GET", path: "csms/" + firstID + "/tags", status: 200},
	{name: "ListProjectSecretsTags", method: "GET", path: "csms/tags", status: 200},
	{name: "ListResourceInstances", method: "POST", path: "csms/resource_instances/action", body: `{"action":"filter"}`, status: 200},
	{name: "CheckSecrets", method: "POST", path: "secrets/checker/check", body: `{"type":"1","data":{}}`, status: 200, parts: true},
	{name: "ShowSecretsConfig", method: "GET", path: "secrets/checker/config", status: 200},
	{name: "UpdateSecretsConfig", method: "POST", path: "secrets/checker/config", body: `{"checking_secret_strength":true}`, status: 200},
	{name: "GenerateRandomPassword", method: "POST", path: "csms/generate-password", body: `{"length":8}`, status: 200, parts: true},
	{name: "CreateSecretEvent", method: "POST", path: "csms/events", body: someEvent, status: 200},
	{name: "ListSecretEvents", method: "GET", path: "csms/events", status: 200},
	{name: "ShowSecretEvent", before: []string{"POST csms/events " + someEvent}, method: "GET", path: "csms/events/nightly", status: 200},
	{
		name: "UpdateSecretEvent", before: []string{"POST csms/events " + someEvent},
		method: "PUT", path: "csms/events/nightly", body: `{"state":"DISABLED"}`, status: 200,
	},
	{name: "DeleteSecretEvent", before: []string{"POST csms/events " + someEvent}, method: "DELETE", path: "csms/events/nightly", status: 204},
	{name: "CreateGrants", method: "POST", path: "csms/grants", body: someGrant, status: 200},
	{name: "ListGrants", method: "GET", path: "csms/grants", query: "resource_id=" + firstID, status: 200},
	{
		name: "UpdateGrant", before: []string{"POST csms/grants " + someGrant},
		method: "PUT", path: "csms/grants", query: "resource_id=" + firstID, body: someGrant, status: 200,
	},
	{name: "DeleteGrant", method: "DELETE", path: "csms/grants", query: "resource_id=" + firstID, status: 204},
	{
		name: "RotateSecret", before: []string{"DELETE secrets/a", "POST secrets " + someRotating},
		method: "POST", path: "secrets/a/rotate", status: 200,
	},
	{name: "ListSecretTask", method: "GET", path: "csms/tasks", status: 200},
	{name: "CreateSecretReplica", method: "POST", path: "secrets/a/replicas", body: `{"region":"` + testkit.EastRegion + `"}`, status: 200},
	{
		name: "DeleteSecretReplica", before: []string{`POST secrets/a/replicas {"region":"` + testkit.EastRegion + `"}`, "clock 1s"},
		method: "DELETE", path: "secrets/a/replicas/" + testkit.EastRegion, status: 204,
		undo: []string{"DELETE secrets/a/replicas/" + testkit.EastRegion},
	},
	{name: "ListSupportRegions", method: "GET", path: "csms/replica-regions", status: 200},
	{name: "ListNotificationRecords", method: "GET", path: "csms/notification-records", status: 200},
}

// domainWide are the operations that are in no project.
var domainWide = []operation{
	{name: "CreateAgency", method: "POST", path: "/v1/csms/agencies", body: `{"secret_type":"RDS-FG"}`, status: 200},
	{name: "ShowAgency", method: "GET", path: "/v1/csms/agencies", query: "secret_type=RDS-FG", status: 200},
	{name: "ListUsers", method: "GET", path: "/v1/csms/users", query: "limit=10&offset=0", status: 200},
	{name: "ShowUserDetail", method: "GET", path: "/v1/csms/users/$USER_nobody", status: 200},
	{
		name: "ShowSecretFunctionTemplates", method: "GET", path: "/v1/csms/function-templates",
		query: "secret_type=RDS-FG&secret_sub_type=SingleUser&engine=mysql", status: 200, parts: true,
	},
	{name: "UpdateUserPassword", method: "POST", path: "/v1/csms/users/change-password", body: `{"old_password":"` + testkit.OwnerPassword + `","password":"another-Passw0rd"}`, status: 200},
}

// target is the path, which is below the project unless it begins with a slash.
func (o *operation) target() string {
	if o.domainWide() {
		return o.path
	}
	return "/v1/" + testkit.ProjectID + "/" + o.path
}

// someGrant is the body of CreateGrants.
const someGrant = `{"resource_id":"` + firstID + `","type":"SECRET","grantee_type":"0","grantee_target_id":"$USER_nobody"}`

// someRotating is the body of CreateSecret for a secret that rotates.
const someRotating = `{"name":"a","secret_string":"{}","secret_type":"RDS-FG","rotation_config":"{\"InstanceId\":\"i-1\",\"SecretSubType\":\"SingleUser\"}"}`

// someEvent is the body of CreateSecretEvent.
const someEvent = `{"name":"nightly","event_types":["SECRET_DELETED"],"state":"ENABLED","notification":{"target_type":"SMN","target_id":"urn:x","target_name":"x"}}`

// action is the right that the operation takes, or the first of them.
func (o *operation) action() string {
	row, _ := iam.Lookup(o.name)
	if row.Open {
		return iam.Administer.Action() // IAM2; it has none of its own
	}
	return row.Action
}

// open reports whether every caller of the project may perform the operation.
func (o *operation) open() bool {
	row, _ := iam.Lookup(o.name)
	return row.Open && !row.AdminOnly
}

// named reports whether the path names the secret.
func (o *operation) named() bool { return strings.HasPrefix(o.path, "secrets/a") }

// identified reports whether the path has the id of the secret (T15).
func (o *operation) identified() bool { return strings.HasPrefix(o.path, "csms/"+firstID) }

// pathOf returns the path with another name, or id, in place of that of the secret.
func (o *operation) pathOf(name string) string {
	if o.named() {
		return strings.Replace(o.path, "/a", "/"+name, 1)
	}
	return strings.Replace(o.path, firstID, name, 1)
}

// wrapped reports whether errors of the service stand in a wrapper (W8).
func (o *operation) wrapped() bool {
	for _, route := range httpapi.Routes() {
		if route.Name == o.name {
			return route.Wrapped
		}
	}
	return false
}

// domainWide reports whether the operation is in no project.
func (o *operation) domainWide() bool { return strings.HasPrefix(o.path, "/") }

// newCase returns a kit in which o succeeds, with further users.
func (o *operation) newCase(t *testing.T, users ...identity.Identity) *corpusCase {
	t.Helper()
	c := &corpusCase{t: t, kit: testkit.New(t, testkit.Options{Identities: slices.Concat(corpusUsers, users), Limits: corpusLimits})}
	c.step(`POST secrets {"name":"a","secret_string":"first"}`)
	c.step(`PUT secrets/a/stages/blue {"version_id":"v1"}`)
	for _, line := range o.before {
		c.step(line)
	}
	c.lookUpIDs() // a case may go on without its store
	return c
}

// asked returns the target with the query of o.
func (o *operation) asked(target string) string {
	switch {
	case o.query == "":
		return target
	case strings.Contains(target, "?"):
		return target + "&" + o.query
	}
	return target + "?" + o.query
}

// request returns the request of o, changed by change and signed by user.
func (o *operation) request(c *corpusCase, user, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	body = c.fill(body)
	r := httptest.NewRequest(o.method, c.fill(o.asked(o.target())), strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if change != nil {
		change(r)
	}
	c.kit.Sign(user, r, body)
	return c.kit.Send(r)
}

// checkAnswer compares an answer with the status and, of an error, the code, and
// checks what every answer has: a request id (W6) and, with a body, its type (W1).
func checkAnswer(t *testing.T, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	if w.Header().Get("X-Request-Id") == "" {
		t.Error("W6: no X-Request-Id")
	}
	if w.Body.Len() > 0 && w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("W1: Content-Type = %q", w.Header().Get("Content-Type"))
	}
	type flat struct {
		Code string `json:"error_code"`
	}
	var e struct {
		flat
		Wrapped flat `json:"error"`
	}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(unwrapped(w.Body.Bytes()), &e); err != nil {
			t.Errorf("no JSON: %s", w.Body)
		}
	}
	if w.Code >= 400 {
		checkError(t, w.Body.Bytes())
	}
	if w.Code != status || e.Code+e.Wrapped.Code != code {
		t.Errorf("answer = %d %s; want %d %s", w.Code, w.Body, status, code)
	}
}

// TestEveryOperation protects what all operations have in common.
func TestEveryOperation(t *testing.T) {
	for _, o := range slices.Concat(operations, domainWide) {
		t.Run(o.name, func(t *testing.T) {
			o := &o
			t.Run("succeeds", func(t *testing.T) { checkAnswer(t, o.request(o.newCase(t), testkit.Owner, o.body, nil), o.status, "") })
			t.Run("content types W2 W3", func(t *testing.T) { checkContentTypes(t, o) })
			t.Run("paths RT3 S4", func(t *testing.T) { checkPaths(t, o) })
			t.Run("token A1", func(t *testing.T) { checkToken(t, o) })
			t.Run("without credentials S7", func(t *testing.T) { checkUnauthenticated(t, o) })
			t.Run("project out of reach S7 A8", func(t *testing.T) { checkOutOfReach(t, o) })
			t.Run("without the right S7 IE2", func(t *testing.T) { checkForbidden(t, o) })
			t.Run("unknown secret ER1", func(t *testing.T) { checkUnknown(t, o) })
			t.Run("bad body", func(t *testing.T) { checkBadBodies(t, o) })
		})
	}
}

func checkContentTypes(t *testing.T, o *operation) {
	for _, contentType := range []string{"application/json;charset=UTF-8", "application/json;charset=utf8", "application/json; charset=utf-8", ""} {
		w := o.request(o.newCase(t), testkit.Owner, o.body, func(r *http.Request) { r.Header.Set("Content-Type", contentType) })
		checkAnswer(t, w, o.status, "")
	}
}

// checkPaths asks for other spellings of the path, which are signed as they stand.
func checkPaths(t *testing.T, o *operation) {
	rest := strings.TrimPrefix(o.target(), "/v1/")
	for _, path := range []string{"/v1/" + rest + "/", "//v1//" + strings.Replace(rest, "/", "///", 1), "/v1/" + rest + "?unknown=1", "/%76%31/" + rest} {
		c := o.newCase(t)
		checkAnswer(t, c.kit.Do(testkit.Owner, o.method, c.fill(o.asked(path)), c.fill(o.body)), o.status, "")
	}
}

// checkToken uses a token in place of a signature, then one that is none.
func checkToken(t *testing.T, o *operation) {
	c := o.newCase(t)
	w := o.request(c, "", o.body, func(r *http.Request) { r.Header.Set("X-Auth-Token", "no token") })
	checkAnswer(t, w, 401, "APIGW.0301")
	token := issue(t, c.kit, `{"project":{"id":"`+testkit.ProjectID+`"}}`)
	w = o.request(c, "", o.body, func(r *http.Request) { r.Header.Set("X-Auth-Token", token) })
	checkAnswer(t, w, o.status, "")
}

// issue returns a token of the owner.
func issue(t *testing.T, kit *testkit.Kit, scope string) string {
	t.Helper()
	w := kit.Do("", "POST", "/v3/auth/tokens", `{"auth":{"identity":{"methods":["password"],"password":{"user":{
		"name":"`+testkit.Owner+`","password":"`+testkit.OwnerPassword+`","domain":{"name":"acme"}}}},"scope":`+scope+`}}`)
	if w.Code != http.StatusCreated {
		t.Fatalf("issuing a token: %d %s", w.Code, w.Body)
	}
	return w.Header().Get("X-Subject-Token")
}

func checkUnauthenticated(t *testing.T, o *operation) {
	c := o.newCase(t)
	for _, body := range []string{o.body, "{", ""} {
		checkAnswer(t, o.request(c, "", body, nil), 401, "APIGW.0301")
	}
}

// checkOutOfReach asks for projects that the caller cannot enter: all answers are
// one. An operation that is in no project has none that it could be refused for.
func checkOutOfReach(t *testing.T, o *operation) {
	c := o.newCase(t)
	if o.domainWide() {
		w := o.request(c, testkit.Owner, o.body, func(r *http.Request) { r.Header.Set("X-Project-Id", testkit.OtherProjectID) })
		checkAnswer(t, w, o.status, "")
		return
	}
	texts := map[string]bool{}
	for _, project := range []string{testkit.ForeignProjectID, testkit.DisabledProjectID, "c0000000000000000000000000000008", "x"} {
		w := c.kit.Do(testkit.Owner, o.method, "/v1/"+project+"/"+o.path, c.fill(o.body))
		checkAnswer(t, w, 403, "CSMS.0302")
		texts[w.Body.String()] = true
	}
	w := o.request(c, testkit.Owner, o.body, func(r *http.Request) { r.Header.Set("X-Project-Id", testkit.OtherProjectID) })
	checkAnswer(t, w, 403, "CSMS.0302")
	if texts[w.Body.String()] = true; len(texts) != 1 {
		t.Errorf("the answers tell projects apart: %v", texts)
	}
}

// badBodies are malformed in every way there is.
var badBodies = map[string]string{
	"{": "CSMS.0004", "nonsense": "CSMS.0004", "{} {}": "CSMS.0004", " ": "CSMS.0004", "\xff": "CSMS.0004",
	"[]": "CSMS.0002", "null": "CSMS.0002", "5": "CSMS.0002", `"x"`: "CSMS.0002",
}

// checkForbidden asks as a user without any right: whatever else is wrong with the
// request, he is told the right that he lacks.
func checkForbidden(t *testing.T, o *operation) {
	if o.open() {
		o.performedBy(t)
		return
	}
	c := o.newCase(t)
	want := "Policy doesn't allow " + o.action() + " to be performed."
	refused := func(w *httptest.ResponseRecorder) {
		t.Helper()
		checkAnswer(t, w, 403, "CSMS.0302")
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("IE2: %s", w.Body)
		}
	}
	refused(o.request(c, "nobody", o.body, nil))
	if w := o.request(c, "nobody", o.body, nil); strings.HasPrefix(w.Body.String(), `{"error":{`) != o.wrapped() {
		t.Errorf("W7, W8: %s", w.Body)
	}
	for body := range badBodies {
		refused(o.request(c, "nobody", body, nil))
	}
	if o.domainWide() {
		return
	}
	for _, name := range []string{"unknown", "b%2Fc", strings.Repeat("x", 65)} {
		refused(c.kit.Do("nobody", o.method, "/v1/"+testkit.ProjectID+"/"+o.pathOf(name)+"?limit=0", c.fill(o.body)))
	}
}

func checkUnknown(t *testing.T, o *operation) {
	c := o.newCase(t)
	for _, line := range o.undo {
		c.step(line)
	}
	c.step("DELETE secrets/a")
	w := o.request(c, testkit.Owner, o.body, nil)
	switch {
	case o.named(), o.name == "BatchShowSecretVersion":
		checkAnswer(t, w, 404, "CSMS.0106")
	case o.identified(), strings.HasPrefix(o.path, "csms/grants"):
		checkAnswer(t, w, 404, "CSMS.0005")
	default:
		checkAnswer(t, w, o.status, "")
	}
	if o.named() || o.identified() {
		checkAnswer(t, c.kit.Do(testkit.Owner, o.method, "/v1/"+testkit.ProjectID+"/"+o.pathOf("a%2Fb"), "{"), 400, "CSMS.0002")
	}
}

// checkBadBodies sends malformed bodies where one is read.
func checkBadBodies(t *testing.T, o *operation) {
	if o.body == "" {
		checkAnswer(t, o.request(o.newCase(t), testkit.Owner, "{}", nil), o.status, "") // W2: Node sends it always
		return
	}
	c := o.newCase(t)
	for body, code := range badBodies {
		checkAnswer(t, o.request(c, testkit.Owner, body, nil), 400, code)
	}
}
