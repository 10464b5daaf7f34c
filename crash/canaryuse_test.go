package crash

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// quote is fmt.Sprintf; it is called so where it writes JSON.
func quote(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// name returns a fresh name of a secret.
func (a *aviary) name() string {
	a.serial++
	return fmt.Sprintf("aviary-%04d", a.serial)
}

// plantBinary makes bytes up and returns them as secret_binary takes them.
func (a *aviary) plantBinary(what string) string {
	raw := make([]byte, 48)
	for i := range raw {
		raw[i] = byte(a.chance.Uint32())
	}
	p := &planted{what, base64.StdEncoding.EncodeToString(raw)}
	a.all = append(a.all, p)
	return p.text
}

// values uses secrets as values, in every operation on them.
func (a *aviary) values(t *testing.T) {
	name := a.name()
	text, next := a.plant("secret_string of CreateSecret"), a.plantBinary("secret_binary of CreateSecretVersion")
	a.ask(t, http.MethodPost, secretsPath, quote(`{"name":%q,"secret_string":%q,"description":"plain"}`, name, text))
	a.ask(t, http.MethodPost, secretPath(name, "versions"), quote(`{"secret_binary":%q}`, next))
	a.ask(t, http.MethodGet, secretPath(name, "versions", "v1"), "", text)
	a.ask(t, http.MethodGet, secretPath(name, "versions", "latest"), "", next)
	other := a.name()
	binary := a.plantBinary("secret_binary of CreateSecret")
	a.ask(t, http.MethodPost, secretsPath, quote(`{"name":%q,"secret_binary":%q}`, other, binary))
	a.ask(t, http.MethodPost, secretsPath+"/batch-get-secret-value", quote(`{"secret_name_list":[%q,%q]}`, name, other), next, binary)
	for _, path := range []string{secretsPath, secretPath(name), secretPath(name, "versions"), secretPath(name, "stages", current)} {
		a.ask(t, http.MethodGet, path, "")
	}
	a.ask(t, http.MethodPut, secretPath(name), `{"description":"changed"}`)
	a.ask(t, http.MethodPut, secretPath(name, "stages", "alpha"), `{"version_id":"v1"}`)
	a.ask(t, http.MethodPost, secretPath(name, "scheduled-deleted-tasks", "create"), "")
	a.ask(t, http.MethodPost, secretPath(name, "scheduled-deleted-tasks", "cancel"), "")
	blob := a.ask(t, http.MethodPost, secretPath(name, "backup"), "").member(t, "secret_blob")
	a.ask(t, http.MethodDelete, secretPath(name), "")
	a.ask(t, http.MethodPost, secretsPath+"/restore", quote(`{"secret_blob":%q}`, blob))
	a.ask(t, http.MethodGet, secretPath(name, "versions", "v1"), "", text)
	imported, bad := a.plant("secret_string of BatchImportSecrets"), a.plant("secret_string of an import that fails")
	a.ask(t, http.MethodPost, secretsPath+"/batch-import",
		quote(`{"secrets":[{"name":%q,"secret_string":%q},{"name":"no name at all","secret_string":%q},{"name":%q,"secret_string":[%q]}]}`,
			a.name(), imported, bad, a.name(), a.plant("secret_string of an import with a wrong type")))
	password := a.ask(t, http.MethodPost, "/v1/{project_id}/csms/generate-password", `{"length":40}`).member(t, "password")
	a.allow(a.caught(t, "password of GenerateRandomPassword", password))
	a.ask(t, http.MethodPost, secretsPath, quote(`{"name":%q,"secret_string":%q}`, a.name(), password))
}

// allow lets a secret stand in the last answer, which has told it.
func (a *aviary) allow(text string) {
	last := &a.answers[len(a.answers)-1]
	last.allowed = append(last.allowed, text)
}

// keys uses secrets as data and data keys of the KMS.
func (a *aviary) keys(t *testing.T) {
	const kms = "/v1.0/{project_id}/kms/"
	id := a.ask(t, http.MethodPost, kms+"create-key", `{"key_alias":"canary"}`).member(t, "key_id")
	made := a.ask(t, http.MethodPost, kms+"create-datakey", quote(`{"key_id":%q,"datakey_length":"256"}`, id))
	plain := a.caught(t, "plain_text of CreateDataKey", made.member(t, "plain_text"))
	a.allow(plain)
	a.plantHex("the bytes of CreateDataKey", plain)
	cipher := made.member(t, "cipher_text")
	a.ask(t, http.MethodPost, kms+"decrypt-datakey", quote(`{"key_id":%q,"cipher_text":%q,"datakey_cipher_length":"32"}`, id, cipher), plain, a.all[len(a.all)-1].text)
	data := a.plant("plain_text of EncryptData")
	sealed := a.ask(t, http.MethodPost, kms+"encrypt-data", quote(`{"key_id":%q,"plain_text":%q}`, id, data)).member(t, "cipher_text")
	a.ask(t, http.MethodPost, kms+"decrypt-data", quote(`{"cipher_text":%q}`, sealed), data)
	a.send(t, request{method: http.MethodPost, path: "/v1.0/{project_id}/kms/decrypt-data", body: quote(`{"cipher_text":%q}`, sealed[:len(sealed)-8]+"AAAAAAA="), signer: a.owner.signer(t)})
	random := a.ask(t, http.MethodPost, kms+"gen-random", `{"random_data_length":"512"}`).member(t, "random_data")
	a.allow(a.caught(t, "random_data of CreateRandom", random))
}

// plantHex also looks for the bytes that a text in hexadecimal stands for.
func (a *aviary) plantHex(what, text string) {
	raw, err := hex.DecodeString(text)
	if err == nil {
		a.all = append(a.all, &planted{what, string(raw)})
	}
	a.allow(string(raw))
}

const canaryTopic = "urn:smn:self-1:canary:hook"

// sink returns a configuration with a webhook whose address and signing secret are
// secrets themselves. Its target fails in two ways before it takes a message.
func (a *aviary) sink(t *testing.T) string {
	t.Helper()
	a.hook = newHook(t, func(call int) int { return []int{500, 0, 200}[min(call, 3)-1] })
	file := filepath.Join(a.dir, "signing-secret")
	if err := os.WriteFile(file, []byte("whsec_"+a.plantBinary("the signing secret of a webhook")), 0o600); err != nil {
		t.Fatal(err)
	}
	return a.hook.sinkConfig(canaryTopic, "/"+a.plant("the address of a webhook"), quote(", secret_file: %q", file))
}

// events lets changes of a secret be announced, through failures of the target.
func (a *aviary) events(t *testing.T) {
	a.ask(t, http.MethodPost, "/v1/{project_id}/csms/events", eventBody("watch", canaryTopic))
	for _, what := range []string{"first", "second", "third"} {
		name, value := a.name(), a.plant("secret_string of a secret with an event, the "+what)
		a.ask(t, http.MethodPost, secretsPath, quote(`{"name":%q,"secret_string":%q,"event_subscriptions":["watch"]}`, name, value))
		a.ask(t, http.MethodPost, secretPath(name, "versions"), quote(`{"secret_string":%q}`, a.plant("a new version with an event, the "+what)))
	}
	a.hook.await(t, "notifications", func(calls []string) bool { return len(calls) >= 3 })
	a.ask(t, http.MethodGet, "/v1/{project_id}/csms/events", "")
	a.ask(t, http.MethodGet, "/v1/{project_id}/csms/notification-records", "")
}

// credentials uses secrets as passwords, secret keys and tokens.
func (a *aviary) credentials(t *testing.T) {
	first, second := a.plant("password of KeystoneCreateUser"), a.plant("password of KeystoneUpdateUser")
	id := a.ask(t, http.MethodPost, "/v3/users", quote(`{"user":{"name":"finch","password":%q}}`, first)).member(t, "id")
	a.ask(t, http.MethodPatch, "/v3/users/"+id, quote(`{"user":{"password":%q}}`, second))
	a.ask(t, http.MethodGet, "/v3/users", "")
	policy := a.ask(t, http.MethodPost, "/v5/policies", quote(`{"policy_name":"birds","policy_document":%q}`,
		`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:*:*"]}]}`)).member(t, "policy_id")
	a.ask(t, http.MethodPost, "/v5/policies/"+policy+"/attach-user", quote(`{"user_id":%q}`, id))
	made := a.ask(t, http.MethodPost, "/v3.0/OS-CREDENTIAL/credentials", quote(`{"credential":{"user_id":%q}}`, id))
	secret := a.caught(t, "secret of CreatePermanentAccessKey", made.member(t, "secret"))
	a.allow(secret)
	accessKey := made.member(t, "access")
	a.ask(t, http.MethodGet, "/v3.0/OS-CREDENTIAL/credentials?user_id="+id, "")
	a.ask(t, http.MethodGet, "/v3.0/OS-CREDENTIAL/credentials/"+accessKey, "")
	a.succeed(t, request{method: http.MethodGet, path: secretsPath, signer: signerOf(t, accessKey, secret)})
	a.tokens(t, second)
	a.swapped(t, accessKey, secret)
}

// tokens gets tokens by the password and by a token, uses, shows and revokes them.
func (a *aviary) tokens(t *testing.T, password string) {
	token := a.token(t, quote(`{"methods":["password"],"password":{"user":{"name":"finch","password":%q,"domain":{"name":"coffer"}}}}`, password))
	again := a.token(t, quote(`{"methods":["token"],"token":{"id":%q}}`, token))
	by := func(method, path, body string, more http.Header) request {
		h := http.Header{"X-Auth-Token": {token}}
		for name, values := range more {
			h[name] = values
		}
		return request{method: method, path: path, body: body, header: h}
	}
	value := a.plant("secret_string written with a token")
	name := a.name()
	a.succeed(t, by(http.MethodPost, secretsPath, quote(`{"name":%q,"secret_string":%q}`, name, value), nil))
	a.succeed(t, by(http.MethodGet, secretPath(name, "versions", "latest"), "", nil), value)
	subject := http.Header{"X-Subject-Token": {again}}
	a.succeed(t, by(http.MethodGet, "/v3/auth/tokens", "", subject), again)
	made := a.succeed(t, by(http.MethodPost, "/v3.0/OS-CREDENTIAL/securitytokens", quote(`{"auth":{"identity":{"methods":["token"],"token":{"id":%q,"duration_seconds":900}}}}`, token), nil))
	secret, security := made.member(t, "secret"), made.member(t, "securitytoken")
	a.allow(a.caught(t, "secret of CreateTemporaryAccessKeyByToken", secret))
	a.allow(a.caught(t, "securitytoken of CreateTemporaryAccessKeyByToken", security))
	access := made.member(t, "access")
	a.succeed(t, request{method: http.MethodGet, path: secretsPath, header: http.Header{"X-Security-Token": {security}}, signer: signerOf(t, access, secret)})
	for _, wrong := range []http.Header{nil, {"X-Security-Token": {again}}} {
		a.send(t, request{method: http.MethodGet, path: secretsPath, header: wrong, signer: signerOf(t, access, secret)})
	}
	a.succeed(t, by(http.MethodDelete, "/v3/auth/tokens", "", subject))
	a.send(t, by(http.MethodGet, "/v3/auth/tokens", "", subject))
	a.send(t, by(http.MethodDelete, "/v3/auth/tokens", "", subject))
	a.send(t, request{method: http.MethodGet, path: secretsPath, header: http.Header{"X-Auth-Token": {again}}})
}

// token gets a token for the project.
func (a *aviary) token(t *testing.T, identity string) string {
	t.Helper()
	body := quote(`{"auth":{"identity":%s,"scope":{"project":{"id":%q}}}}`, identity, a.owner.project)
	answer := a.succeed(t, request{method: http.MethodPost, path: "/v3/auth/tokens", body: body})
	token := a.caught(t, "a token", answer.header.Get("X-Subject-Token"))
	a.allow(token)
	return token
}

// swapped signs as people do who have taken the one key for the other.
func (a *aviary) swapped(t *testing.T, accessKey, secret string) {
	q := request{method: http.MethodGet, path: secretsPath, signer: signerOf(t, secret, accessKey)}
	a.send(t, q)
	for _, header := range []string{
		"SDK-HMAC-SHA256 Access=" + secret + ", SignedHeaders=x-sdk-date, Signature=" + strings.Repeat("0", 64),
		"SDK-HMAC-SHA256 Access=" + accessKey + "/" + secret + ", SignedHeaders=x-sdk-date, Signature=" + strings.Repeat("0", 64),
		"SDK-HMAC-SHA256 " + secret, "Bearer " + secret, "Basic " + base64.StdEncoding.EncodeToString([]byte(accessKey+":"+secret)),
	} {
		a.send(t, request{method: http.MethodGet, path: secretsPath, header: http.Header{"Authorization": {header}, "X-Sdk-Date": {"20260101T000000Z"}}})
	}
}

// commandLine uses the client commands of the same program, and their errors.
func (a *aviary) commandLine(t *testing.T) {
	value, name := a.plant("a value for the command line"), a.name()
	file := filepath.Join(a.dir, "value")
	if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"secret", "create", name, "--value-file", file},
		{"secret", "create", name, "--value-file", file},
		{"version", "create", name, "--value-file", file, "--stage", "not a label"},
		{"secret", "show", name},
		{"secret", "show", name, "-o", "json"},
		{"version", "list", name},
	} {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Env = append(os.Environ(), "COFFER_ENDPOINT="+a.server.url(), "COFFER_PROJECT_ID="+a.owner.project,
			"COFFER_ACCESS_KEY="+a.owner.accessKey, "COFFER_SECRET_KEY="+a.owner.secretKey)
		out, err := cmd.CombinedOutput()
		if err != nil && cmd.ProcessState.ExitCode() < 0 {
			t.Fatal(err)
		}
		a.outputs = append(a.outputs, answered{what: "coffer " + strings.Join(args, " "), text: string(out)})
	}
}
