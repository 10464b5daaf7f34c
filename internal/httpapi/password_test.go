package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"coffer/internal/testkit"
)

const passwordPath = "/v1/" + testkit.ProjectID + "/csms/generate-password"

// W3, K3: no body, an empty object and null members all give 32 characters, of every
// type but the space, and another password each time.
func TestGenerateRandomPasswordHasDefaults(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	seen := map[string]bool{}
	var all strings.Builder
	bodies := []string{"", "{}", `{"length": null, "exclude_characters": null, "include_space": null}`}
	for i := range 90 {
		password := generate(t, kit, bodies[i%len(bodies)])
		if len(password) != 32 || seen[password] {
			t.Errorf("password %q has %d characters", password, len(password))
		}
		seen[password] = true
		all.WriteString(password)
	}
	for _, kind := range []string{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", `!"#$%&'()*+,-./:;<=>?@[\]^_{|}~` + "`"} {
		if !strings.ContainsAny(all.String(), kind) {
			t.Errorf("no password holds one of %s", kind)
		}
	}
	if strings.Contains(all.String(), " ") {
		t.Error("a space that was not asked for")
	}
}

// K4: the longest password.
func TestGenerateRandomPasswordOfTheLargestLength(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	if got := generate(t, kit, `{"length": 4096, "require_each_included_type": true, "include_space": true}`); len(got) != 4096 {
		t.Errorf("%d characters", len(got))
	}
}

// A password is in no log.
func TestGenerateRandomPasswordLogsNoPassword(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	if password := generate(t, kit, `{"exclude_punctuation": true}`); strings.Contains(kit.Log.String(), password) {
		t.Error("the log holds the password")
	}
}

func generate(t *testing.T, kit *testkit.Kit, body string) string {
	t.Helper()
	w := kit.Do(testkit.Owner, http.MethodPost, passwordPath, body)
	var answer struct{ Password string }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s, %v", w.Code, w.Body, err)
	}
	return answer.Password
}
