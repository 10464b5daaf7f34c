package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	csmsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
	kms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kms/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kms/v2/model"
)

// keysClient is the KMS client of the SDK with the access key of dev mode.
func (s *server) keysClient(t *testing.T) *kms.KmsClient {
	t.Helper()
	return s.keysClientOf(t, devAccessKey, devSecretKey)
}

func (s *server) keysClientOf(t *testing.T, accessKey, secretKey string) *kms.KmsClient {
	t.Helper()
	return kms.NewKmsClient(s.connect(t, kms.KmsClientBuilder().WithCredential(inProject(t, accessKey, secretKey, ""))))
}

// The life of a key as Terraform leads it, and of a secret under it, with the typed
// models of the SDK.
func TestTheLifeOfAKey(t *testing.T) {
	for transport, args := range transports() {
		t.Run(transport, func(t *testing.T) {
			s := startDev(t, args...)
			client := s.keysClient(t)
			id := createKey(t, client)
			t.Run("names and tags", func(t *testing.T) { namesAndTags(t, client, id) })
			t.Run("protects a secret", func(t *testing.T) { protects(t, s, client, id) })
			t.Run("rotation", func(t *testing.T) { rotation(t, s, client, id) })
			t.Run("data keys", func(t *testing.T) { dataKeys(t, client, id) })
			t.Run("data", func(t *testing.T) { data(t, client, id) })
			t.Run("the end", func(t *testing.T) { endOfKey(t, s, client, id) })
		})
	}
}

func createKey(t *testing.T, client *kms.KmsClient) string {
	t.Helper()
	created, err := client.CreateKey(&model.CreateKeyRequest{Body: &model.CreateKeyRequestBody{KeyAlias: "life", KeyDescription: ptr("of the shop")}})
	if err != nil {
		t.Fatal(err)
	}
	return *created.KeyInfo.KeyId
}

func describe(t *testing.T, client *kms.KmsClient, id string) *model.KeyDetails {
	t.Helper()
	shown, err := client.ListKeyDetail(&model.ListKeyDetailRequest{Body: &model.OperateKeyRequestBody{KeyId: id}})
	if err != nil {
		t.Fatal(err)
	}
	return shown.KeyInfo
}

func namesAndTags(t *testing.T, client *kms.KmsClient, id string) {
	key := describe(t, client, id)
	if *key.KeyState != "2" || *key.KeyAlias != "life" || *key.Realm != "cn-north-4" || *key.DefaultKeyFlag != "0" || key.KeySpec.Value() != "AES_256" {
		t.Errorf("described %+v", key)
	}
	if _, err := client.UpdateKeyAlias(&model.UpdateKeyAliasRequest{Body: &model.UpdateKeyAliasRequestBody{KeyId: id, KeyAlias: "renamed"}}); err != nil {
		t.Error(err)
	}
	if _, err := client.UpdateKeyDescription(&model.UpdateKeyDescriptionRequest{Body: &model.UpdateKeyDescriptionRequestBody{KeyId: id, KeyDescription: "new"}}); err != nil {
		t.Error(err)
	}
	if key := describe(t, client, id); *key.KeyAlias != "renamed" || *key.KeyDescription != "new" {
		t.Errorf("renamed %+v", key)
	}
	tagged, err := client.BatchCreateKmsTags(&model.BatchCreateKmsTagsRequest{KeyId: id, Body: &model.BatchCreateKmsTagsRequestBody{
		Action: "create", Tags: []model.TagItem{{Key: "team", Value: ptr("shop")}},
	}})
	if err != nil || tagged.HttpStatusCode != http.StatusNoContent {
		t.Errorf("tagged %+v, %v; want 204", tagged, err)
	}
	tags, err := client.ShowKmsTags(&model.ShowKmsTagsRequest{KeyId: id})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&[]model.TagItem{{Key: "team", Value: ptr("shop")}}, tags.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	list, err := client.ListKeys(&model.ListKeysRequest{Body: &model.ListKeysRequestBody{Limit: ptr("10")}})
	if err != nil || *list.Total != 1 || (*list.Keys)[0] != id || list.Truncated.Value() != "false" {
		t.Errorf("listed %+v, %v", list, err)
	}
}

// protects has a key that was made here protect a secret: disabled, it makes the value
// unreadable with CSMS.0401.
func protects(t *testing.T, s *server, client *kms.KmsClient, id string) {
	secrets := s.signedClient(t)
	_, err := secrets.CreateSecret(&csmsmodel.CreateSecretRequest{Body: &csmsmodel.CreateSecretRequestBody{Name: "kept", SecretString: ptr("v"), KmsKeyId: &id}})
	if err != nil {
		t.Fatal(err)
	}
	disabled, err := client.DisableKey(&model.DisableKeyRequest{Body: &model.OperateKeyRequestBody{KeyId: id}})
	if err != nil || *disabled.KeyInfo.KeyState != "3" {
		t.Fatalf("disabled %+v, %v", disabled, err)
	}
	_, err = secrets.ShowSecretVersion(&csmsmodel.ShowSecretVersionRequest{SecretName: "kept", VersionId: "latest"})
	refused(t, err, http.StatusBadRequest, "CSMS.0401")
	enabled, err := client.EnableKey(&model.EnableKeyRequest{Body: &model.OperateKeyRequestBody{KeyId: id}})
	if err != nil || *enabled.KeyInfo.KeyState != "2" {
		t.Fatalf("enabled %+v, %v", enabled, err)
	}
	if got := value(t, secrets, "kept", "latest"); got != "v" {
		t.Errorf("value = %q", got)
	}
}

func rotation(t *testing.T, s *server, client *kms.KmsClient, id string) {
	if _, err := client.UpdateKeyRotationInterval(&model.UpdateKeyRotationIntervalRequest{Body: &model.UpdateKeyRotationIntervalRequestBody{KeyId: id, RotationInterval: 30}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.EnableKeyRotation(&model.EnableKeyRotationRequest{Body: &model.OperateKeyRequestBody{KeyId: id}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if resp := s.post(t, s.httpClient(t), "/dev/clock", map[string]string{"advance": "720h"}); resp.StatusCode != http.StatusOK {
			t.Fatalf("clock: %s", resp.Status)
		}
	}
	status, err := client.ShowKeyRotationStatus(&model.ShowKeyRotationStatusRequest{Body: &model.OperateKeyRequestBody{KeyId: id}})
	if err != nil || !*status.KeyRotationEnabled || *status.RotationInterval != 30 || *status.NumberOfRotations != 2 || *status.LastRotationTime == "" {
		t.Errorf("status %+v, %v", status, err)
	}
	if got := value(t, s.signedClient(t), "kept", "latest"); got != "v" {
		t.Errorf("value = %q after two rotations", got)
	}
	if _, err := client.DisableKeyRotation(&model.DisableKeyRotationRequest{Body: &model.OperateKeyRequestBody{KeyId: id}}); err != nil {
		t.Error(err)
	}
}

func dataKeys(t *testing.T, client *kms.KmsClient, id string) {
	made, err := client.CreateDatakey(&model.CreateDatakeyRequest{Body: &model.CreateDatakeyRequestBody{KeyId: id, DatakeyLength: ptr("512"), AdditionalAuthenticatedData: ptr("shop")}})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := client.DecryptDatakey(&model.DecryptDatakeyRequest{Body: &model.DecryptDatakeyRequestBody{
		KeyId: id, CipherText: *made.CipherText, DatakeyCipherLength: "64", AdditionalAuthenticatedData: ptr("shop"),
	}})
	if err != nil || *opened.DataKey != *made.PlainText || *opened.DatakeyLength != "64" {
		t.Errorf("opened %v, %v", opened, err)
	}
	plain, _ := hex.DecodeString(*made.PlainText)
	digest := sha256.Sum256(plain)
	wrapped, err := client.EncryptDatakey(&model.EncryptDatakeyRequest{Body: &model.EncryptDatakeyRequestBody{
		KeyId: id, PlainText: *made.PlainText + hex.EncodeToString(digest[:]), DatakeyPlainLength: "64",
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.DecryptDatakey(&model.DecryptDatakeyRequest{Body: &model.DecryptDatakeyRequestBody{
		KeyId: id, CipherText: *wrapped.CipherText, DatakeyCipherLength: "64", AdditionalAuthenticatedData: ptr("other"),
	}})
	refused(t, err, http.StatusBadRequest, "KMS.2201")
	spec := model.GetCreateDatakeyRequestBodyKeySpecEnum().AES_128
	if _, err := client.CreateDatakeyWithoutPlaintext(&model.CreateDatakeyWithoutPlaintextRequest{Body: &model.CreateDatakeyRequestBody{KeyId: id, KeySpec: &spec}}); err != nil {
		t.Error(err)
	}
	random, err := client.CreateRandom(&model.CreateRandomRequest{Body: &model.GenRandomRequestBody{RandomDataLength: "512"}})
	if err != nil || len(*random.RandomData) != 128 {
		t.Errorf("random %v, %v", random, err)
	}
}

func data(t *testing.T, client *kms.KmsClient, id string) {
	const text = `a <word>& "中"`
	made, err := client.EncryptData(&model.EncryptDataRequest{Body: &model.EncryptDataRequestBody{KeyId: id, PlainText: text}})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := client.DecryptData(&model.DecryptDataRequest{Body: &model.DecryptDataRequestBody{CipherText: *made.CipherText}})
	if err != nil || *opened.PlainText != text || *opened.KeyId != id {
		t.Errorf("opened %v, %v", opened, err)
	}
}

// endOfKey schedules the deletion of a key and lets its time come: Terraform takes
// state 4 as deleted, and recognises a vanished key by the status.
func endOfKey(t *testing.T, s *server, client *kms.KmsClient, id string) {
	schedule := func() {
		t.Helper()
		scheduled, err := client.DeleteKey(&model.DeleteKeyRequest{Body: &model.ScheduleKeyDeletionRequestBody{KeyId: id, PendingDays: "7"}})
		if err != nil || *scheduled.KeyState != "4" {
			t.Fatalf("scheduled %+v, %v", scheduled, err)
		}
	}
	schedule()
	if key := describe(t, client, id); *key.KeyState != "4" || *key.ScheduledDeletionDate == "" {
		t.Errorf("described %+v", key)
	}
	cancelled, err := client.CancelKeyDeletion(&model.CancelKeyDeletionRequest{Body: &model.OperateKeyRequestBody{KeyId: id}})
	if err != nil || *cancelled.KeyState != "3" {
		t.Errorf("cancelled %+v, %v", cancelled, err)
	}
	schedule()
	if resp := s.post(t, s.httpClient(t), "/dev/clock", map[string]string{"advance": "168h"}); resp.StatusCode != http.StatusOK {
		t.Fatalf("clock: %s", resp.Status)
	}
	_, err = client.ListKeyDetail(&model.ListKeyDetailRequest{Body: &model.OperateKeyRequestBody{KeyId: id}})
	refused(t, err, http.StatusNotFound, "KMS.0207")
	_, err = s.signedClient(t).ShowSecretVersion(&csmsmodel.ShowSecretVersionRequest{SecretName: "kept", VersionId: "latest"})
	refused(t, err, http.StatusBadRequest, "CSMS.0401")
}
