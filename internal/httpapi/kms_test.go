package httpapi_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/testkit"
)

// keysPath is a path of the KMS API in the project of the kit.
func keysPath(below string) string { return "/v1.0/" + testkit.ProjectID + "/kms/" + below }

// A failure of ours has a code of the KMS API and tells nothing.
func TestAFailureOfTheKMSIsWrapped(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	if w := k.Do(testkit.Owner, "POST", keysPath("list-keys"), "{}"); w.Code != http.StatusOK {
		t.Fatalf("before: %d %s", w.Code, w.Body) // and the credentials are in the cache
	}
	if err := k.DB.Close(); err != nil {
		t.Fatal(err)
	}
	w := k.Do(testkit.Owner, "POST", keysPath("list-keys"), "{}")
	const want = `{"error":{"error_code":"KMS.0101","error_msg":"Internal error."}}`
	if w.Code != http.StatusInternalServerError || w.Body.String() != want {
		t.Errorf("%d %s; want 500 %s", w.Code, w.Body, want)
	}
	if !strings.Contains(k.Log.String(), "operation=ListKeys") {
		t.Errorf("the failure was not logged: %s", k.Log)
	}
}

// What stands on the wire of operations whose results are random, and that none of it
// is logged.
func TestDataKeysAndDataOnTheWire(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	do := func(path, body string) map[string]string {
		t.Helper()
		return object(t, k.Do(testkit.Owner, "POST", keysPath(path), body))
	}
	if w := k.Do(testkit.Owner, "POST", keysPath("create-key"), `{"key_alias":"mine"}`); w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	const id, text = "00000000-0000-4000-8000-000000000001", `canary "<中>" \ of the shop`
	quoted, _ := json.Marshal(text)

	data := do("encrypt-data", `{"key_id":"`+id+`","plain_text":`+string(quoted)+`,"encryption_algorithm":"SYMMETRIC_DEFAULT","additional_authenticated_data":"shop"}`)
	hasMembers(t, data, "key_id", "cipher_text")
	opened := do("decrypt-data", `{"cipher_text":"`+data["cipher_text"]+`","additional_authenticated_data":"shop"}`)
	want := map[string]string{"key_id": id, "plain_text": text, "plain_text_base64": base64.StdEncoding.EncodeToString([]byte(text))}
	if diff := cmp.Diff(want, opened); diff != "" {
		t.Errorf("decrypt-data (-want +got):\n%s", diff)
	}

	made := do("create-datakey", `{"key_id":"`+id+`","datakey_length":"512","sequence":"919c82d4-8046-4722-9094-35c3c6524cff"}`)
	hasMembers(t, made, "key_id", "plain_text", "cipher_text")
	plain, err := hex.DecodeString(made["plain_text"])
	if err != nil || len(plain) != 64 {
		t.Errorf("plain_text of %d bytes, %v", len(plain), err)
	}
	digest := sha256.Sum256(plain)
	want = map[string]string{"data_key": made["plain_text"], "datakey_length": "64", "datakey_dgst": hex.EncodeToString(digest[:])}
	back := do("decrypt-datakey", `{"key_id":"`+id+`","cipher_text":"`+made["cipher_text"]+`","datakey_cipher_length":"64"}`)
	if diff := cmp.Diff(want, back); diff != "" {
		t.Errorf("decrypt-datakey (-want +got):\n%s", diff)
	}
	wrapped := do("encrypt-datakey", `{"key_id":"`+id+`","plain_text":"`+made["plain_text"]+hex.EncodeToString(digest[:])+`","datakey_plain_length":"64"}`)
	hasMembers(t, wrapped, "key_id", "cipher_text", "datakey_length")
	back = do("decrypt-datakey", `{"key_id":"`+id+`","cipher_text":"`+wrapped["cipher_text"]+`","datakey_cipher_length":"64"}`)
	if diff := cmp.Diff(want, back); diff != "" {
		t.Errorf("decrypt-datakey of encrypt-datakey (-want +got):\n%s", diff)
	}
	hasMembers(t, do("create-datakey-without-plaintext", `{"key_id":"`+id+`","key_spec":"AES_128"}`), "key_id", "cipher_text")
	random := do("gen-random", `{"random_data_length":"256"}`)
	if len(random["random_data"]) != 64 || len(random) != 1 {
		t.Errorf("gen-random: %v", random)
	}
	for _, secret := range []string{"canary", made["plain_text"], random["random_data"]} {
		if strings.Contains(k.Log.String(), secret) {
			t.Errorf("%s stands in the log", secret)
		}
	}
}

// object reads a successful answer whose members are texts.
func object(t *testing.T, w *httptest.ResponseRecorder) map[string]string {
	t.Helper()
	var members map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &members); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return members
}

func hasMembers(t *testing.T, got map[string]string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}
