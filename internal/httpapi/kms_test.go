package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

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
