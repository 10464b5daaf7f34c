package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/kv"
	"coffer/internal/testkit"
)

const importPath = "/v1/" + testkit.ProjectID + "/secrets/batch-import"

// I3, Q22: a hundred items are imported, each as if it came alone.
func TestBatchImportSecretsOfTheLargestSize(t *testing.T) {
	kit := testkit.New(t, testkit.Options{Limits: csms.Limits{SecretsPerProject: 99, ValueBytes: 32768}})
	items := make([]string, 100)
	for i := range items {
		items[i] = fmt.Sprintf(`{"name":"s%02d","secret_string":"value of %d"}`, i, i)
	}
	w := kit.Do(testkit.Owner, http.MethodPost, importPath, `{"secrets":[`+strings.Join(items, ",")+`]}`)
	var answer struct {
		ErrorList []struct {
			Name string `json:"name"`
		} `json:"error_list"`
		Total, Success, Failed int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if answer.Total != 100 || answer.Success != 99 || answer.Failed != 1 || answer.ErrorList[0].Name != "s99" {
		t.Errorf("answer %s", w.Body)
	}
	w = kit.Do(testkit.Owner, http.MethodGet, "/v1/"+testkit.ProjectID+"/secrets/s98/versions/latest", "")
	if !strings.Contains(w.Body.String(), `"secret_string":"value of 98"`) {
		t.Errorf("the last item is %s", w.Body)
	}
}

// I2, law 10: a failure that is ours is told as such, is logged, and no value is.
func TestBatchImportSecretsTellsNothingInternal(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	damaged := []byte("secret-count\x00" + testkit.ProjectID)
	if err := kit.DB.Update(t.Context(), func(tx kv.Txn) error { return tx.Put(damaged, []byte{1}) }); err != nil {
		t.Fatal(err)
	}
	w := kit.Do(testkit.Owner, http.MethodPost, importPath, `{"secrets":[{"name":"a","secret_string":"planted-value"},{"name":"b"}]}`)
	want := `{"error_list":[{"name":"a","error_msg":"Internal error."},` +
		`{"name":"b","error_msg":"Neither secret_string nor secret_binary is given; give exactly one."}],"total":2,"success":0,"failed":2}`
	if w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if log := kit.Log.String(); !strings.Contains(log, "operation=BatchImportSecrets") || !strings.Contains(log, "counter") || strings.Contains(log, "planted-value") {
		t.Errorf("log: %s", log)
	}
}
