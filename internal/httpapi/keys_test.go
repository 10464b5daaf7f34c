package httpapi_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/seal"
	"coffer/internal/service/identity"
	"coffer/internal/testkit"
)

// keyCase is a kit with a secret "a" and a KMS key beside the default one.
type keyCase struct {
	t   *testing.T
	kit *testkit.Kit
	key seal.Key
}

// keyUsers may do everything with secrets; only the second may use keys.
var keyUsers = []identity.Identity{
	{
		Name: "keyless", AccessKey: "KEYLESSACCESSKEY0001", SecretKey: "keylessSecretKey012345678901234567890123",
		Policies: []identity.Document{`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:*:*"]}]}`},
	},
	{
		Name: "holder", AccessKey: "HOLDERACCESSKEY00001", SecretKey: "holderSecretKey0123456789012345678901234",
		Policies: []identity.Document{`{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:*:*","kms:dek:create","kms:dek:decrypt"]}]}`},
	},
}

func newKeyCase(t *testing.T) *keyCase {
	t.Helper()
	c := &keyCase{t: t, kit: testkit.New(t, testkit.Options{Identities: keyUsers})}
	c.want(testkit.Owner, "POST", "secrets", `{"name":"a","secret_string":"first"}`, 200, "")
	var err error
	if c.key, err = c.kit.KMS.CreateKey(t.Context(), testkit.ProjectID, testkit.DomainID, "mine", ""); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *keyCase) want(user, method, path, body string, status int, code string) *httptest.ResponseRecorder {
	c.t.Helper()
	w := c.kit.Do(user, method, projectPath+path, body)
	checkAnswer(c.t, w, status, code)
	return w
}

// use names the key in a body.
func (c *keyCase) use() string { return `"kms_key_id":"` + c.key.ID + `"` }

// must fails the test on an error of the KMS.
func (c *keyCase) must(_ seal.Key, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// TestDefaultKey protects N11: without an id the default key is used, which is made
// once for the project, and the reply has its real id.
func TestDefaultKey(t *testing.T) {
	c := newKeyCase(t)
	key, err := c.kit.KMS.DefaultKey(t.Context(), testkit.ProjectID)
	if err != nil || key.Alias != "csms/default" {
		t.Fatalf("default key: %v, %v", key, err)
	}
	c.want(testkit.Owner, "POST", "secrets", `{"name":"b","secret_string":"x"}`, 200, "")
	for _, path := range []string{"secrets/a", "secrets/b", "secrets/b/versions/v1"} {
		if w := c.want(testkit.Owner, "GET", path, "", 200, ""); !strings.Contains(w.Body.String(), `"kms_key_id":"`+key.ID+`"`) {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
}

// TestKeyOfASecret protects N12 and N13: a key that is given is used; a change counts
// for later versions, and every version keeps the key it was written with.
func TestKeyOfASecret(t *testing.T) {
	c := newKeyCase(t)
	first := c.want(testkit.Owner, "GET", "secrets/a/versions/v1", "", 200, "").Body.String()
	w := c.want(testkit.Owner, "PUT", "secrets/a", `{`+c.use()+`}`, 200, "")
	if !strings.Contains(w.Body.String(), c.use()) {
		t.Errorf("after the change: %s", w.Body)
	}
	w = c.want(testkit.Owner, "POST", "secrets/a/versions", `{"secret_string":"second"}`, 200, "")
	if !strings.Contains(w.Body.String(), c.use()) {
		t.Errorf("v2: %s", w.Body)
	}
	again := c.want(testkit.Owner, "GET", "secrets/a/versions/v1", "", 200, "").Body.String()
	if want := strings.Replace(first, "SYSCURRENT", "SYSPREVIOUS", 1); again != want {
		t.Errorf("v1 is %s; want %s", again, want)
	}
	w = c.want(testkit.Owner, "GET", "secrets/a/versions/v2", "", 200, "")
	if !strings.Contains(w.Body.String(), `"secret_string":"second"`) || !strings.Contains(w.Body.String(), c.use()) {
		t.Errorf("v2: %s", w.Body)
	}
	w = c.want(testkit.Owner, "POST", "secrets", `{"name":"b","secret_string":"x",`+c.use()+`}`, 200, "")
	if !strings.Contains(w.Body.String(), c.use()) {
		t.Errorf("a new secret: %s", w.Body)
	}
}

// TestUnusableKey protects N12 and ER2: what a key that is disabled or scheduled for
// deletion protects can be neither read nor written, CSMS.0401, until it is usable
// again. Metadata stays readable, and last_used_time does not move.
func TestUnusableKey(t *testing.T) {
	c := newKeyCase(t)
	ctx := t.Context()
	c.want(testkit.Owner, "POST", "secrets", `{"name":"b","secret_string":"x",`+c.use()+`}`, 200, "")
	unusable := func() {
		t.Helper()
		c.want(testkit.Owner, "GET", "secrets/b/versions/v1", "", 400, "CSMS.0401")
		c.want(testkit.Owner, "POST", "secrets/batch-get-secret-value", `{"secret_name_list":["a","b"]}`, 400, "CSMS.0401")
		c.want(testkit.Owner, "POST", "secrets/b/versions", `{"secret_string":"y"}`, 400, "CSMS.0401")
		c.want(testkit.Owner, "POST", "secrets", `{"name":"c","secret_string":"x",`+c.use()+`}`, 400, "CSMS.0401")
		c.want(testkit.Owner, "PUT", "secrets/a", `{`+c.use()+`}`, 400, "CSMS.0401")
		if w := c.want(testkit.Owner, "GET", "secrets/b", "", 200, ""); !strings.Contains(w.Body.String(), `"last_used_time":null`) {
			t.Errorf("a value that could not be read was marked as used: %s", w.Body)
		}
	}
	c.must(c.kit.KMS.DisableKey(ctx, testkit.ProjectID, c.key.ID))
	unusable()
	c.must(c.kit.KMS.ScheduleKeyDeletion(ctx, testkit.ProjectID, c.key.ID, testkit.Epoch+7*24*3600_000))
	unusable()
	c.must(c.kit.KMS.CancelKeyDeletion(ctx, testkit.ProjectID, c.key.ID))
	c.must(c.kit.KMS.EnableKey(ctx, testkit.ProjectID, c.key.ID))
	c.want(testkit.Owner, "GET", "secrets/b/versions/v1", "", 200, "")
}

// TestDestroyedKey protects ER2: a value whose key is gone is a failure of the key,
// and not "not found"; the secret can still be deleted.
func TestDestroyedKey(t *testing.T) {
	c := newKeyCase(t)
	c.want(testkit.Owner, "POST", "secrets", `{"name":"b","secret_string":"x",`+c.use()+`}`, 200, "")
	c.must(c.kit.KMS.ScheduleKeyDeletion(t.Context(), testkit.ProjectID, c.key.ID, testkit.Epoch+7*24*3600_000))
	if err := c.kit.Advance(t.Context(), 7*24*3600*1e9); err != nil {
		t.Fatal(err)
	}
	c.want(testkit.Owner, "GET", "secrets/b/versions/v1", "", 400, "CSMS.0401")
	c.want(testkit.Owner, "POST", "secrets/b/versions", `{"secret_string":"y"}`, 400, "CSMS.0401")
	c.want(testkit.Owner, "DELETE", "secrets/b", "", 204, "")
}

// TestKeyOfAnotherProject protects N12: a key is one of the same project.
func TestKeyOfAnotherProject(t *testing.T) {
	c := newKeyCase(t)
	key, err := c.kit.KMS.CreateKey(t.Context(), testkit.OtherProjectID, testkit.DomainID, "theirs", "")
	if err != nil {
		t.Fatal(err)
	}
	c.want(testkit.Owner, "POST", "secrets", `{"name":"b","secret_string":"x","kms_key_id":"`+key.ID+`"}`, 400, "CSMS.0401")
	c.want(testkit.Owner, "PUT", "secrets/a", `{"kms_key_id":"`+key.ID+`"}`, 400, "CSMS.0401")
}

// TestRightToTheKey protects IAM3 and CSMS.0401: a key that is named takes a right of
// its own, to write and to read; the older names of it count (IAM1). The default key
// takes none.
func TestRightToTheKey(t *testing.T) {
	c := newKeyCase(t)
	create := `{"name":"b","secret_string":"x",` + c.use() + `}`
	c.want("keyless", "POST", "secrets", create, 400, "CSMS.0401")
	c.want("keyless", "POST", "secrets", `{"name":"c","secret_string":"x"}`, 200, "")
	c.want("keyless", "GET", "secrets/c/versions/latest", "", 200, "")
	c.want("holder", "POST", "secrets", create, 200, "")
	for user, status := range map[string]int{"keyless": 400, "holder": 200} {
		code := map[int]string{400: "CSMS.0401"}[status]
		c.want(user, "GET", "secrets/b/versions/latest", "", status, code)
		c.want(user, "POST", "secrets/batch-get-secret-value", `{"secret_name_list":["b"]}`, status, code)
		c.want(user, "POST", "secrets/b/versions", `{"secret_string":"y"}`, status, code)
		c.want(user, "PUT", "secrets/a", `{`+c.use()+`}`, status, code)
		c.want(user, "GET", "secrets/b", "", 200, "")
	}
}

// TestKeyBeforeTheQuota protects S7 where a key fails and the quota is full: quota
// comes last.
func TestKeyBeforeTheQuota(t *testing.T) {
	kit := testkit.New(t, testkit.Options{Limits: csms.Limits{SecretsPerProject: 1, ValueBytes: 32768}})
	checkAnswer(t, kit.Do(testkit.Owner, "POST", projectPath+"secrets", `{"name":"a","secret_string":"x"}`), 200, "")
	body := `{"name":"b","secret_string":"x","kms_key_id":"bb6a3d22-93ac-47ac-b5bd-88df7ad35f1e"}`
	checkAnswer(t, kit.Do(testkit.Owner, "POST", projectPath+"secrets", body), 400, "CSMS.0401")
}
