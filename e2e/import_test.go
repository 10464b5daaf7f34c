package e2e

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
)

// An import of which one item fails, with the typed models of the SDK.
func TestBatchImportSecrets(t *testing.T) {
	client := startDev(t).signedClient(t)
	create(t, client, "taken", "old")
	imported, err := client.BatchImportSecrets(&model.BatchImportSecretsRequest{Body: &model.ImportSecretsRequest{Secrets: []model.CreateSecretRequestBody{
		{Name: "one", SecretString: ptr("first")}, {Name: "taken", SecretString: ptr("new")}, {Name: "two", SecretBinary: ptr("1010")},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int32{3, 2, 1}, []int32{*imported.Total, *imported.Success, *imported.Failed}); diff != "" {
		t.Errorf("total, success, failed (-want +got):\n%s", diff)
	}
	if list := *imported.ErrorList; len(list) != 1 || list[0].Name != "taken" || list[0].ErrorMsg == "" {
		t.Errorf("error_list %+v", list)
	}
	if value(t, client, "one", "latest") != "first" || value(t, client, "taken", "latest") != "old" {
		t.Error("the values are not those that were sent")
	}
	_, err = client.BatchImportSecrets(&model.BatchImportSecretsRequest{Body: &model.ImportSecretsRequest{Secrets: []model.CreateSecretRequestBody{}}})
	refused(t, err, http.StatusBadRequest, "CSMS.0002")
}
