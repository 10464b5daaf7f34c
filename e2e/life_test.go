package e2e

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	csms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
)

// The life of a secret through every operation of the lifecycle, with the typed
// models of the SDK, for each kind of credential and transport.
func TestTheLifeOfASecret(t *testing.T) {
	for transport, args := range transports() {
		for credential, client := range map[string]func(*server, *testing.T) *csms.CsmsClient{
			"signature": (*server).signedClient, "token": (*server).tokenClient, "temporary key": (*server).temporaryClient,
		} {
			t.Run(transport+" "+credential, func(t *testing.T) {
				life(t, startDev(t, args...), client)
			})
		}
	}
}

func life(t *testing.T, s *server, login func(*server, *testing.T) *csms.CsmsClient) {
	client := login(s, t)
	t.Run("create and read", func(t *testing.T) { createAndRead(t, client) })
	t.Run("versions and stages", func(t *testing.T) { versionsAndStages(t, client) })
	t.Run("pages", func(t *testing.T) { pages(t, client) })
	t.Run("operations newer than the SDK", func(t *testing.T) { newer(t, client) })
	t.Run("deletion and RestoreSecret", func(t *testing.T) { deletionAndRestore(t, client) })
	t.Run("the end", func(t *testing.T) { theEnd(t, s, client, login) })
}

func createAndRead(t *testing.T, client *csms.CsmsClient) {
	created := create(t, client, "life", `p@ss <word>& "中"`)
	if created.ScheduledDeleteTime != nil || *created.State != "ENABLED" || *created.EnterpriseProjectId != "0" || created.SecretType.Value() != "COMMON" {
		t.Errorf("created %+v", created)
	}
	if _, err := client.UpdateSecret(&model.UpdateSecretRequest{SecretName: "life", Body: &model.UpdateSecretRequestBody{Description: ptr("new")}}); err != nil {
		t.Fatal(err)
	}
	shown, err := client.ShowSecret(&model.ShowSecretRequest{SecretName: "life"})
	if err != nil {
		t.Fatal(err)
	}
	if *shown.Secret.Description != "new" || *shown.Secret.Id != *created.Id {
		t.Errorf("shown %+v", shown.Secret)
	}
	if got := value(t, client, "life", "latest"); got != `p@ss <word>& "中"` {
		t.Errorf("value = %q", got)
	}
	_, err = client.CreateSecret(&model.CreateSecretRequest{Body: &model.CreateSecretRequestBody{Name: "life", SecretString: ptr("x")}})
	refused(t, err, http.StatusBadRequest, "CSMS.0002")
}

func versionsAndStages(t *testing.T, client *csms.CsmsClient) {
	for _, v := range []string{"second", "third"} {
		if _, err := client.CreateSecretVersion(&model.CreateSecretVersionRequest{SecretName: "life", Body: &model.CreateSecretVersionRequestBody{SecretString: &v}}); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string][]string{"v1": {}, "v2": {"SYSPREVIOUS"}, "v3": {"SYSCURRENT"}} // L4
	if diff := cmp.Diff(want, labels(t, client, "life")); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	stage, err := client.UpdateSecretStage(&model.UpdateSecretStageRequest{SecretName: "life", StageName: "blue", Body: &model.UpdateSecretStageRequestBody{VersionId: "v1"}})
	if err != nil || *stage.Stage.VersionId != "v1" {
		t.Fatalf("stage %+v, %v", stage, err)
	}
	shown, err := client.ShowSecretStage(&model.ShowSecretStageRequest{SecretName: "life", StageName: "blue"})
	if err != nil || *shown.Stage.VersionId != "v1" {
		t.Errorf("shown %+v, %v", shown, err)
	}
	deleted, err := client.DeleteSecretStage(&model.DeleteSecretStageRequest{SecretName: "life", StageName: "blue"})
	if err != nil || deleted.HttpStatusCode != http.StatusNoContent {
		t.Errorf("deleted %+v, %v; want 204", deleted, err)
	}
	_, err = client.ShowSecretStage(&model.ShowSecretStageRequest{SecretName: "life", StageName: "blue"})
	refused(t, err, http.StatusNotFound, "CSMS.0005")
	expire := time.Now().Add(time.Hour).Unix()*1000 + 999
	updated, err := client.UpdateVersion(&model.UpdateVersionRequest{SecretName: "life", VersionId: "v3", Body: &model.UpdateVersionRequestBody{ExpireTime: expire}})
	if err != nil || *updated.VersionMetadata.ExpireTime != expire-999 { // TS3
		t.Errorf("updated %+v, %v", updated, err)
	}
	if got := value(t, client, "life", "v1"); got != `p@ss <word>& "中"` {
		t.Errorf("v1 = %q", got)
	}
}

func pages(t *testing.T, client *csms.CsmsClient) {
	for _, name := range []string{"page-a", "page-b"} {
		create(t, client, name, "v")
	}
	var names []string
	marker := (*string)(nil)
	for range 10 {
		page, err := client.ListSecrets(&model.ListSecretsRequest{Limit: ptr("2"), Marker: marker})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range *page.Secrets {
			names = append(names, *s.Name)
		}
		if marker = page.PageInfo.NextMarker; marker == nil {
			break
		}
	}
	if diff := cmp.Diff([]string{"life", "page-a", "page-b"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// deletionAndRestore takes a secret to PENDING_DELETE and back.
func deletionAndRestore(t *testing.T, client *csms.CsmsClient) {
	before := labels(t, client, "life")
	schedule(t, client, "life")
	_, err := client.ShowSecretVersion(&model.ShowSecretVersionRequest{SecretName: "life", VersionId: "latest"})
	refused(t, err, http.StatusBadRequest, "CSMS.0103")
	restored, err := client.RestoreSecret(&model.RestoreSecretRequest{SecretName: "life"})
	if err != nil {
		t.Fatal(err)
	}
	if *restored.Secret.State != "ENABLED" || restored.Secret.ScheduledDeleteTime != nil { // DEL5
		t.Errorf("restored %+v", restored.Secret)
	}
	if diff := cmp.Diff(before, labels(t, client, "life")); diff != "" {
		t.Errorf("RestoreSecret touched the labels (-before +after):\n%s", diff)
	}
	if got := value(t, client, "life", "latest"); got != "third" {
		t.Errorf("value = %q", got)
	}
	_, err = client.RestoreSecret(&model.RestoreSecretRequest{SecretName: "life"})
	refused(t, err, http.StatusBadRequest, "CSMS.0108")
}

// theEnd lets the time of a scheduled secret come with the clock of dev mode. Tokens
// and temporary keys of before have expired then; a signature with a permanent key has
// not, for its date is judged by wall time.
func theEnd(t *testing.T, s *server, client *csms.CsmsClient, login func(*server, *testing.T) *csms.CsmsClient) {
	schedule(t, client, "life")
	if resp := s.post(t, s.httpClient(t), "/dev/clock", map[string]string{"advance": "168h"}); resp.StatusCode != http.StatusOK {
		t.Fatalf("clock: %s", resp.Status)
	}
	_, err := client.RestoreSecret(&model.RestoreSecretRequest{SecretName: "life"})
	if expires(client) {
		refused(t, err, http.StatusUnauthorized, "APIGW.0301")
		_, err = login(s, t).RestoreSecret(&model.RestoreSecretRequest{SecretName: "life"})
	}
	refused(t, err, http.StatusNotFound, "CSMS.0106")
}

// newer plays the operations that the SDK has no method for through its generic
// client.
func newer(t *testing.T, client *csms.CsmsClient) {
	var batch struct {
		TotalCount     int             `json:"total_count"`
		Versions       []model.Version `json:"versions"`
		HttpStatusCode int             `json:"-"`
	}
	post(t, client, "/v1/{project_id}/secrets/batch-get-secret-value", map[string]any{"secret_name_list": []string{"page-b", "page-a"}}, &batch)
	if batch.TotalCount != 2 || *batch.Versions[0].VersionMetadata.SecretName != "page-b" {
		t.Errorf("batch %+v", batch)
	}
	var stage model.UpdateSecretStageResponse
	post(t, client, "/v1/{project_id}/secrets/page-a/stages", map[string]any{"name": "green", "version_id": "v1"}, &stage)
	if *stage.Stage.Name != "green" {
		t.Errorf("stage %+v", stage)
	}
	fg := model.GetCreateSecretRequestBodySecretTypeEnum().RDS_FG
	if _, err := client.CreateSecret(&model.CreateSecretRequest{Body: &model.CreateSecretRequestBody{
		Name: "bound", SecretString: ptr("{}"), SecretType: &fg, RotationConfig: ptr(`{"InstanceId":"db-1","SecretSubType":"SingleUser"}`),
	}}); err != nil {
		t.Fatal(err)
	}
	var gone struct {
		Total          int      `json:"total"`
		SuccessSecrets []string `json:"success_secrets"`
		HttpStatusCode int      `json:"-"`
	}
	post(t, client, "/v1/{project_id}/secrets/batch-delete", map[string]any{"instance_id": "db-1"}, &gone)
	if diff := cmp.Diff([]string{"bound"}, gone.SuccessSecrets); diff != "" || gone.Total != 1 {
		t.Errorf("batch delete %+v", gone)
	}
	deleted, err := client.DeleteSecret(&model.DeleteSecretRequest{SecretName: "page-a"})
	if err != nil || deleted.HttpStatusCode != http.StatusNoContent {
		t.Errorf("deleted %+v, %v; want 204", deleted, err)
	}
}

// expires reports whether the credential of a client ends by itself.
func expires(client *csms.CsmsClient) bool {
	switch c := client.HcClient.GetCredential().(type) {
	case *token:
		return true
	case *basic.Credentials:
		return c.SecurityToken != ""
	}
	return false
}

// bodyRequest is a request of the generic client.
type bodyRequest struct {
	Body any `json:"body,omitempty"`
}

func post(t *testing.T, client *csms.CsmsClient, path string, body, answer any) {
	t.Helper()
	d := def.NewHttpRequestDefBuilder().WithMethod(http.MethodPost).WithPath(path).WithResponse(answer).WithContentType("application/json")
	d.WithRequestField(def.NewFieldDef().WithName("Body").WithLocationType(def.Body))
	if _, err := client.HcClient.Sync(&bodyRequest{Body: body}, d.Build()); err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, client *csms.CsmsClient, name, text string) *model.Secret {
	t.Helper()
	created, err := client.CreateSecret(&model.CreateSecretRequest{Body: &model.CreateSecretRequestBody{Name: name, SecretString: &text}})
	if err != nil {
		t.Fatal(err)
	}
	return created.Secret
}

func schedule(t *testing.T, client *csms.CsmsClient, name string) {
	t.Helper()
	scheduled, err := client.DeleteSecretForSchedule(&model.DeleteSecretForScheduleRequest{SecretName: name, Body: &model.DeleteSecretForScheduleRequestBody{RecoveryWindowInDays: 7}})
	if err != nil {
		t.Fatal(err)
	}
	if *scheduled.Secret.State != "PENDING_DELETE" || scheduled.Secret.ScheduledDeleteTime == nil {
		t.Errorf("scheduled %+v", scheduled.Secret)
	}
}

func value(t *testing.T, client *csms.CsmsClient, name, version string) string {
	t.Helper()
	read, err := client.ShowSecretVersion(&model.ShowSecretVersionRequest{SecretName: name, VersionId: version})
	if err != nil {
		t.Fatal(err)
	}
	return *read.Version.SecretString
}

// labels returns the labels of each version.
func labels(t *testing.T, client *csms.CsmsClient, name string) map[string][]string {
	t.Helper()
	list, err := client.ListSecretVersions(&model.ListSecretVersionsRequest{SecretName: name})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, v := range *list.VersionMetadatas {
		out[*v.Id] = *v.VersionStages
	}
	return out
}

// refused checks that err is what the SDK makes of a refusal, request id included
// (W6).
func refused(t *testing.T, err error, status int, code string) {
	t.Helper()
	e := (*sdkerr.ServiceResponseError)(nil)
	if !errors.As(err, &e) {
		t.Fatalf("error %v; want %d %s", err, status, code)
	}
	if e.StatusCode != status || e.ErrorCode != code || e.RequestId == "" {
		t.Errorf("error %+v; want %d %s", e, status, code)
	}
}

func ptr[T any](v T) *T { return &v }
