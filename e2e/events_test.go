package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	csms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
)

// The events of the official SDK: a secret subscribes to one, what happens to it is
// delivered to the sink of the topic, in order, and shown in the records (E1 to E10).
func TestEvents(t *testing.T) {
	const topic = "urn:smn:cn-north-4:" + devProject + ":ops"
	sink := filepath.Join(t.TempDir(), "messages")
	s := startDev(t, "--sink", topic+"=file:"+sink)
	client := s.signedClient(t)
	types := []model.CreateSecretEventRequestBodyEventTypes{
		model.GetCreateSecretEventRequestBodyEventTypesEnum().SECRET_VERSION_CREATED,
		model.GetCreateSecretEventRequestBodyEventTypesEnum().SECRET_DELETED,
	}
	_, err := client.CreateSecretEvent(&model.CreateSecretEventRequest{Body: &model.CreateSecretEventRequestBody{
		Name: "ops", EventTypes: types, State: model.GetCreateSecretEventRequestBodyStateEnum().ENABLED,
		Notification: &model.Notification{TargetType: "SMN", TargetId: topic, TargetName: "ops"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CreateSecret(&model.CreateSecretRequest{Body: &model.CreateSecretRequestBody{Name: "lost", SecretString: ptr("x"), EventSubscriptions: &[]string{"unknown"}}})
	refused(t, err, http.StatusBadRequest, "CSMS.0005") // E4
	if _, err := client.CreateSecret(&model.CreateSecretRequest{Body: &model.CreateSecretRequestBody{Name: "db", SecretString: ptr("x"), EventSubscriptions: &[]string{"ops"}}}); err != nil {
		t.Fatal(err)
	}
	_, err = client.DeleteSecretEvent(&model.DeleteSecretEventRequest{EventName: "ops"})
	refused(t, err, http.StatusBadRequest, "CSMS.0002") // E5
	if _, err := client.CreateSecretVersion(&model.CreateSecretVersionRequest{SecretName: "db", Body: &model.CreateSecretVersionRequestBody{SecretString: ptr("y")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteSecret(&model.DeleteSecretRequest{SecretName: "db"}); err != nil {
		t.Fatal(err)
	}
	if resp := s.post(t, s.httpClient(t), "/dev/clock", map[string]string{"advance": "1m"}); resp.StatusCode != http.StatusOK {
		t.Fatalf("clock: %s", resp.Status)
	}
	want := []string{"SECRET_VERSION_CREATED v1", "SECRET_VERSION_CREATED v2", "SECRET_DELETED "}
	if diff := cmp.Diff(want, delivered(t, sink)); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
	newestFirst := []string{"SECRET_DELETED", "SECRET_VERSION_CREATED", "SECRET_VERSION_CREATED"} // E10
	if diff := cmp.Diff(newestFirst, recorded(t, client)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	deleted, err := client.DeleteSecretEvent(&model.DeleteSecretEventRequest{EventName: "ops"})
	if err != nil || deleted.HttpStatusCode != http.StatusNoContent {
		t.Errorf("deleted %+v, %v; want 204", deleted, err)
	}
}

// message is a notification: what happened to which version.
type message struct {
	EventType string `json:"event_type"`
	VersionID string `json:"version_id"`
}

func (m message) String() string { return m.EventType + " " + m.VersionID }

// delivered reads the messages of a file sink.
func delivered(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		var m message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		out = append(out, m.String())
	}
	return out
}

// recorded reads the notification records, which must all be successes.
func recorded(t *testing.T, client *csms.CsmsClient) []string {
	t.Helper()
	list, err := client.ListNotificationRecords(&model.ListNotificationRecordsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range *list.Records {
		if r.NotificationStatus.Value() != "SUCCESS" {
			t.Errorf("%s: %s", r.TriggerEventType.Value(), r.NotificationStatus.Value())
		}
		out = append(out, r.TriggerEventType.Value())
	}
	return out
}
