package crash

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// secretField is a member of a request that takes a secret. The body has @ where the
// secret goes, in quotes, and NAME where a fresh name goes.
type secretField struct {
	what, method, path, body string
	anonymous                bool // needs no credentials
}

// secretFields are all of them.
var secretFields = []secretField{
	{"secret_string of CreateSecret", http.MethodPost, secretsPath, `{"name":"NAME","secret_string":"@"}`, false},
	{"secret_binary of CreateSecret", http.MethodPost, secretsPath, `{"name":"NAME","secret_binary":"@"}`, false},
	{"secret_string of CreateSecretVersion", http.MethodPost, secretsPath + "/mistaken/versions", `{"secret_string":"@"}`, false},
	{"secret_binary of CreateSecretVersion", http.MethodPost, secretsPath + "/mistaken/versions", `{"secret_binary":"@"}`, false},
	{"secret_string of BatchImportSecrets", http.MethodPost, secretsPath + "/batch-import", `{"secrets":[{"name":"NAME","secret_string":"@"}]}`, false},
	{"plain_text of EncryptData", http.MethodPost, "/v1.0/{project_id}/kms/encrypt-data", `{"key_id":"x","plain_text":"@"}`, false},
	{"plain_text of EncryptDataKey", http.MethodPost, "/v1.0/{project_id}/kms/encrypt-datakey", `{"key_id":"x","plain_text":"@","datakey_plain_length":"32"}`, false},
	{"password of KeystoneCreateUser", http.MethodPost, "/v3/users", `{"user":{"name":"NAME","password":"@"}}`, false},
	{"password of KeystoneUpdateUser", http.MethodPatch, "/v3/users/OWNER", `{"user":{"password":"@"}}`, false},
	{
		"password of KeystoneCreateToken", http.MethodPost, "/v3/auth/tokens",
		`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"finch","password":"@","domain":{"name":"coffer"}}}}}}`, true,
	},
	{"token of KeystoneCreateToken", http.MethodPost, "/v3/auth/tokens", `{"auth":{"identity":{"methods":["token"],"token":{"id":"@"}}}}`, true},
	{
		"token of CreateTemporaryAccessKeyByToken", http.MethodPost, "/v3.0/OS-CREDENTIAL/securitytokens",
		`{"auth":{"identity":{"methods":["token"],"token":{"id":"@","duration_seconds":900}}}}`, false,
	},
}

// mistake is a way to get a body wrong around a secret. It is given the body, with
// the secret in it, and the secret.
type mistake struct {
	what  string
	wrong func(body, secret string) string
}

// inPlaceOf replaces the secret, with its quotes, by what is built from it.
func inPlaceOf(build func(secret string) string) func(body, secret string) string {
	return func(body, secret string) string {
		return strings.Replace(body, `"`+secret+`"`, build(secret), 1)
	}
}

var mistakes = []mistake{
	{"cut after it", func(body, secret string) string { before, _, _ := strings.Cut(body, secret); return before + secret }},
	{"text after the body", func(body, secret string) string { return body + " " + secret }},
	{"a comma too many", func(body, _ string) string { return strings.TrimSuffix(body, "}") + ",}" }},
	{"in a list", inPlaceOf(func(s string) string { return `["` + s + `"]` })},
	{"in an object", inPlaceOf(func(s string) string { return `{"` + s + `":"` + s + `"}` })},
	{"without quotes", inPlaceOf(func(s string) string { return s })},
	{"as a number", inPlaceOf(func(string) string { return `12` })},
	{"no UTF-8", inPlaceOf(func(s string) string { return `"` + s + "\xff\"" })},
	{"a line break inside", inPlaceOf(func(s string) string { return `"` + s + "\n\"" })},
	{"half a surrogate pair", inPlaceOf(func(s string) string { return `"` + s + `\ud83d"` })},
	{"an unknown escape", inPlaceOf(func(s string) string { return `"` + s + `\q"` })},
	{"much too long", inPlaceOf(func(s string) string { return `"` + strings.Repeat(s, 2000) + `"` })},
	{"beyond any body", inPlaceOf(func(s string) string { return `"` + s + strings.Repeat("x", 7<<20) + `"` })},
	{"nested too deep", inPlaceOf(func(s string) string { return strings.Repeat("[", 20000) + `"` + s + `"` })},
	{"alone", func(_, secret string) string { return secret }},
	{"alone in quotes", func(_, secret string) string { return `"` + secret + `"` }},
	{"alone in a list", func(_, secret string) string { return `["` + secret + `"]` }},
	{"for a member", func(body, secret string) string { return strings.Replace(body, "{", `{"`+secret+`":1,`, 1) }},
	{"for all names", func(_, secret string) string {
		return `{"name":"` + secret + ` ","secret_string":{},"auth":"` + secret + `"}`
	}},
}

// mistakes sends each secret in each wrong way, and right but without the right to.
func (a *aviary) mistakes(t *testing.T) {
	a.ask(t, http.MethodPost, secretsPath, quote(`{"name":"mistaken","secret_string":%q}`, a.plant("secret_string of a secret for mistakes")))
	owner := a.ask(t, http.MethodGet, "/v5/caller-identity", "").member(t, "principal_id")
	for _, f := range secretFields {
		f.path = strings.ReplaceAll(f.path, "OWNER", owner)
		for i, m := range mistakes {
			if m.what == "beyond any body" && i%4 != len(f.what)%4 && f.what != secretFields[0].what {
				continue // 7 MiB each time
			}
			secret := a.plant(f.what + ", " + m.what)
			a.send(t, a.field(t, f, m.wrong(f.with(a.name(), secret), secret)))
		}
		a.unsigned(t, f)
	}
}

func (f *secretField) with(name, secret string) string {
	return strings.NewReplacer("NAME", name, "@", secret).Replace(f.body)
}

// field is a request with a body, signed by the owner where it needs that.
func (a *aviary) field(t *testing.T, f secretField, body string) request {
	t.Helper()
	q := request{method: f.method, path: f.path, body: body}
	if !f.anonymous {
		q.signer = a.owner.signer(t)
	}
	return q
}

// unsigned sends a secret in order, by a caller who is not let in, or to where
// nothing is.
func (a *aviary) unsigned(t *testing.T, f secretField) {
	t.Helper()
	stranger := signerOf(t, a.owner.accessKey, "not the secret key of the owner")
	for _, q := range []request{
		{header: http.Header{"Authorization": {"none"}}},
		{header: http.Header{"X-Auth-Token": {"none"}}},
		{signer: stranger},
		{path: f.path + "/and/more", signer: a.owner.signer(t)},
		{method: http.MethodPut, path: "/v1/{project_id}/nothing", signer: a.owner.signer(t)},
		{header: http.Header{"Content-Type": {"text/plain"}}, signer: a.owner.signer(t)},
	} {
		if q.method == "" {
			q.method = f.method
		}
		if q.path == "" {
			q.path = f.path
		}
		q.body = f.with(a.name(), a.plant(f.what+", refused"))
		a.send(t, q)
	}
}

// misplaced puts secrets where names go, into headers and queries, and shows them as
// credentials of every kind.
func (a *aviary) misplaced(t *testing.T) {
	a.inHeaders(t)
	a.inPaths(t)
	a.inQueries(t)
	a.asNames(t)
}

func (a *aviary) inHeaders(t *testing.T) {
	for _, name := range []string{
		"X-Auth-Token", "X-Subject-Token", "X-Security-Token", "Authorization", "Cookie", "X-Sdk-Date", "X-Sdk-Content-Sha256", "X-Project-Id",
		"X-Domain-Id", "X-Request-Id", "X-Language", "User-Agent", "Referer", "Content-Type", "Accept", "X-Forwarded-For", "X-Api-Key",
	} {
		for _, path := range []string{secretsPath, "/v3/auth/tokens", "/v3/users", "/v1.0/{project_id}/kms/list-keys", "/healthz"} {
			secret := a.plant("the header " + name)
			h := http.Header{name: {secret}}
			a.send(t, request{method: http.MethodGet, path: path, header: h})
			a.send(t, request{method: http.MethodPost, path: path, body: "{}", signer: a.owner.signer(t), late: h})
			if name != "X-Sdk-Content-Sha256" { // which no client signs without its meaning it
				told := repeated(name, secret)
				a.send(t, request{method: http.MethodPost, path: path, body: "{}", header: h, signer: signerOf(t, a.owner.accessKey, "wrong"+secret)}, told...)
			}
		}
	}
	for _, authorization := range []string{
		"SDK-HMAC-SHA256 Access=AK, SignedHeaders=x-sdk-date, Signature=", "SDK-HMAC-SHA256 Access=AK, SignedHeaders=",
		"V11-HMAC-SHA256 Credential=AK/20260101/", "SDK-", "V11-HMAC-",
	} {
		secret := a.plant("a broken signature")
		a.send(t, request{method: http.MethodGet, path: secretsPath, header: http.Header{"Authorization": {authorization + secret}}})
	}
}

// repeated returns what the answer to a wrong signature may repeat of a signed header
// where the operator has switched that on: everything but credentials.
func repeated(name, secret string) []string {
	switch name {
	case "X-Auth-Token", "X-Subject-Token", "X-Security-Token", "Authorization", "Cookie":
		return nil
	default:
		return []string{secret}
	}
}

func (a *aviary) inPaths(t *testing.T) {
	for _, path := range []string{
		"/v1/{project_id}/secrets/@", "/v1/{project_id}/secrets/@!", "/v1/{project_id}/secrets/mistaken/versions/@", "/v1/{project_id}/secrets/mistaken/stages/@",
		"/v1/@/secrets", "/v3/users/@", "/v3/projects/@", "/v3.0/OS-CREDENTIAL/credentials/@", "/v5/policies/@", "/@",
		"/v1/{project_id}/csms/@/tags", "/v1.0/{project_id}/kms/@/tags",
	} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			secret := a.plantName("the path " + path)
			a.send(t, request{method: method, path: strings.ReplaceAll(path, "@", secret), signer: a.owner.signer(t)}, secret)
		}
	}
}

func (a *aviary) inQueries(t *testing.T) {
	for _, path := range []string{secretsPath, secretPath("mistaken", "versions"), "/v3/users", "/v3/auth/tokens", "/nothing", "/metrics"} {
		for _, name := range []string{"marker", "limit", "name", "token", "event_name"} {
			secret := a.plant("the query " + name)
			a.send(t, request{method: http.MethodGet, path: path + "?" + name + "=" + url.QueryEscape(secret), signer: a.owner.signer(t)})
		}
		a.send(t, request{method: http.MethodGet, path: path + "?" + a.plant("a broken query") + "=%zz", signer: a.owner.signer(t)})
	}
}

// asNames puts secrets into members that are no secrets. The answer may repeat them
// to who has sent them; the log may not.
func (a *aviary) asNames(t *testing.T) {
	for _, c := range []struct{ method, path, body string }{
		{http.MethodPost, secretsPath, `{"name":"@ ","secret_string":"x"}`},
		{http.MethodPost, secretsPath, `{"name":"NAME","secret_string":"x","event_subscriptions":["@"]}`},
		{http.MethodPost, secretsPath, `{"name":"NAME","secret_string":"x","enterprise_project_id":"@"}`},
		{http.MethodPost, secretsPath, `{"name":"NAME","secret_string":"x","kms_key_id":"@"}`},
		{http.MethodPost, secretsPath, `{"name":"NAME","secret_string":"x","secret_type":"@"}`},
		{http.MethodPost, secretsPath, `{"name":"NAME","secret_string":"x","rotation_period":"@"}`},
		{http.MethodPost, secretsPath, `{"name":"NAME","secret_string":"x","secret_type":"RDS-FG","rotation_config":"@"}`},
		{http.MethodPost, secretPath("mistaken", "versions"), `{"secret_string":"x","version_stages":["@","@"]}`},
		{http.MethodPut, secretPath("mistaken"), `{"kms_key_id":"@"}`},
		{http.MethodPost, secretPath("mistaken", "stages"), `{"name":"alpha","version_id":"@"}`},
		{http.MethodPost, secretsPath + "/batch-get-secret-value", `{"secret_name_list":["@"]}`},
		{http.MethodPost, secretsPath + "/batch-delete", `{"instance_id":"@"}`},
		{http.MethodPost, secretsPath + "/restore", `{"secret_blob":"@"}`},
		{http.MethodPost, "/v3/auth/tokens", `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"@","password":"x","domain":{"name":"coffer"}}}}}}`},
		{http.MethodPost, "/v3/auth/tokens", `{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"@","password":"x"}}}}}`},
		{http.MethodPost, "/v3/auth/tokens", `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"finch","password":"x","domain":{"name":"@"}}}}}}`},
		{http.MethodPost, "/v3/auth/tokens", `{"auth":{"identity":{"methods":["@"]}}}`},
		{http.MethodPost, "/v3/auth/tokens", `{"auth":{"identity":{"methods":["password"]},"scope":{"@":{}}}}`},
		{http.MethodPost, "/v3.0/OS-CREDENTIAL/credentials", `{"credential":{"user_id":"@"}}`},
		{http.MethodPost, "/v5/policies", `{"policy_name":"NAME","policy_document":"@"}`},
		{http.MethodPost, "/v5/policies", `{"policy_name":"NAME","policy_document":"{\"Version\":\"5.0\",\"Statement\":[{\"Effect\":\"@\"}]}"}`},
		{http.MethodPost, "/v5/policies/@/attach-user", `{"user_id":"@"}`},
		{http.MethodPost, "/v1.0/{project_id}/kms/describe-key", `{"key_id":"@"}`},
		{http.MethodPost, "/v1.0/{project_id}/kms/create-datakey", `{"key_id":"@","datakey_length":"@"}`},
		{http.MethodPost, "/v1.0/{project_id}/kms/decrypt-data", `{"cipher_text":"@"}`},
	} {
		secret := a.plantName(c.path + " " + c.body)
		body := strings.NewReplacer("NAME", a.name(), "@", secret).Replace(c.body)
		a.send(t, request{method: c.method, path: strings.ReplaceAll(c.path, "@", secret), body: body, signer: a.owner.signer(t)}, secret)
	}
}
