package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"coffer/internal/testkit"
)

// RT2: a path that only shares the pattern of ListSecretTags is none of its requests,
// in log and metrics too.
func TestAnotherLeafIsNoRequestForTags(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	id := k.NewID()
	for leaf, operation := range map[string]string{"tags": "ListSecretTags", "versions": "unrouted"} {
		k.Log.Reset()
		if w := k.Do(testkit.Owner, http.MethodGet, "/v1/"+testkit.ProjectID+"/csms/"+id+"/"+leaf, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", leaf, w.Code)
		}
		if !strings.Contains(k.Log.String(), "operation="+operation) {
			t.Errorf("%s: no operation %s in the log:\n%s", leaf, operation, k.Log)
		}
	}
}
