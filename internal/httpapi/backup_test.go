package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"coffer/internal/testkit"
)

const secretsPath = "/v1/" + testkit.ProjectID + "/secrets"

// ask sends a request as the owner and returns the status and the decoded answer.
func ask(t *testing.T, kit *testkit.Kit, method, path, body string) (int, map[string]any) {
	t.Helper()
	w := kit.Do(testkit.Owner, method, path, body)
	var answer map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	}
	return w.Code, answer
}

// B1, B2, W3: a backup is taken without a body and uploaded; the answer is metadata
// and holds no value, and neither does the log.
func TestABackupGoesOverTheWire(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	ask(t, kit, http.MethodPost, secretsPath, `{"name":"db","secret_string":"planted-value"}`)
	status, answer := ask(t, kit, http.MethodPost, secretsPath+"/db/backup", "")
	blob, ok := answer["secret_blob"].(string)
	if status != http.StatusOK || !ok || len(answer) != 1 {
		t.Fatalf("%d %v", status, answer)
	}
	upload := `{"secret_blob":"` + blob + `"}`
	if status, answer := ask(t, kit, http.MethodPost, secretsPath+"/restore", upload); status != http.StatusBadRequest || answer["error_code"] != "CSMS.0002" {
		t.Errorf("a name in use: %d %v", status, answer)
	}
	ask(t, kit, http.MethodDelete, secretsPath+"/db", "")
	w := kit.Do(testkit.Owner, http.MethodPost, secretsPath+"/restore", upload)
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), `{"secret":{"id":`) || strings.Contains(w.Body.String(), "planted") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := kit.Do(testkit.Owner, http.MethodGet, secretsPath+"/db/versions/latest", ""); !strings.Contains(w.Body.String(), "planted-value") {
		t.Errorf("the value is %s", w.Body)
	}
	if strings.Contains(kit.Log.String(), "planted-value") || strings.Contains(kit.Log.String(), blob) {
		t.Error("the log holds the value or the blob")
	}
}

// B1, B3: one character too many is refused, and is no matter of the gateway.
func TestABlobThatIsTooLongIsRefused(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	status, answer := ask(t, kit, http.MethodPost, secretsPath+"/restore", `{"secret_blob":"`+strings.Repeat("A", 5242881)+`"}`)
	if status != http.StatusBadRequest || answer["error_msg"] != "secret_blob has more than 5242880 characters." {
		t.Errorf("%d %v", status, answer)
	}
}
