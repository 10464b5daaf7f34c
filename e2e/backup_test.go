package e2e

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
)

// A backup and its way back, with the typed models of the SDK.
func TestASecretComesBackFromItsBackup(t *testing.T) {
	client := startDev(t).signedClient(t)
	old := create(t, client, "db", "first")
	if _, err := client.CreateSecretVersion(&model.CreateSecretVersionRequest{SecretName: "db", Body: &model.CreateSecretVersionRequestBody{SecretBinary: ptr("1010")}}); err != nil {
		t.Fatal(err)
	}
	before := labels(t, client, "db")
	saved, err := client.DownloadSecretBlob(&model.DownloadSecretBlobRequest{SecretName: "db"})
	if err != nil {
		t.Fatal(err)
	}
	upload := &model.UploadSecretBlobRequest{Body: &model.UploadSecretBlobRequestBody{SecretBlob: *saved.SecretBlob}}
	_, err = client.UploadSecretBlob(upload)
	refused(t, err, http.StatusBadRequest, "CSMS.0002")
	if _, err := client.DeleteSecret(&model.DeleteSecretRequest{SecretName: "db"}); err != nil {
		t.Fatal(err)
	}
	restored, err := client.UploadSecretBlob(upload)
	if err != nil {
		t.Fatal(err)
	}
	if *restored.Secret.Name != "db" || *restored.Secret.Id == *old.Id || *restored.Secret.State != "ENABLED" {
		t.Errorf("restored %+v", restored.Secret)
	}
	if diff := cmp.Diff(before, labels(t, client, "db")); diff != "" {
		t.Errorf("labels (-before +after):\n%s", diff)
	}
	if got := value(t, client, "db", "v1"); got != "first" {
		t.Errorf("v1 = %q", got)
	}
	damaged := &model.UploadSecretBlobRequest{Body: &model.UploadSecretBlobRequestBody{SecretBlob: (*saved.SecretBlob)[1:]}}
	_, err = client.UploadSecretBlob(damaged)
	refused(t, err, http.StatusBadRequest, "CSMS.0002")
}
