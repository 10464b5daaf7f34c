package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	csmsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
	smn "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/smn/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/smn/v2/model"
)

// topicsClient is the SMN client of the SDK with an access key.
func (s *server) topicsClient(t *testing.T) *smn.SmnClient {
	t.Helper()
	return smn.NewSmnClient(s.connect(t, smn.SmnClientBuilder().WithCredential(inProject(t, devAccessKey, devSecretKey, ""))))
}

const (
	opsTopic = "urn:smn:cn-north-4:" + devProject + ":ops"
	newTopic = "urn:smn:cn-north-4:" + devProject + ":made_here"
)

// The operations on topics with the typed models of the SDK.
func TestTopics(t *testing.T) {
	for transport, args := range transports() {
		t.Run(transport, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "messages")
			s := startDev(t, append([]string{"--sink", opsTopic + "=file:" + file}, args...)...)
			client := s.topicsClient(t)
			t.Run("create and list", func(t *testing.T) { createTopics(t, client) })
			t.Run("attributes", func(t *testing.T) { topicAttributes(t, client) })
			t.Run("tags", func(t *testing.T) { topicTags(t, client) })
			t.Run("publish", func(t *testing.T) { publishToTopic(t, s, client, file) })
			t.Run("the end", func(t *testing.T) { endOfTopic(t, s, client, file) })
		})
	}
}

func createTopics(t *testing.T, client *smn.SmnClient) {
	in := &model.CreateTopicRequest{Body: &model.CreateTopicRequestBody{Name: "made_here", DisplayName: "Made here"}}
	for _, status := range []int{http.StatusCreated, http.StatusOK} {
		made, err := client.CreateTopic(in)
		if err != nil || made.HttpStatusCode != status || *made.TopicUrn != newTopic || *made.RequestId == "" {
			t.Fatalf("%+v, %v; want %d", made, err, status)
		}
	}
	_, err := client.CreateTopic(&model.CreateTopicRequest{Body: &model.CreateTopicRequestBody{Name: "a b"}})
	refused(t, err, http.StatusBadRequest, "SMN.0002")
	list, err := client.ListTopics(&model.ListTopicsRequest{})
	if err != nil || *list.TopicCount != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	var urns []string
	for _, topic := range *list.Topics {
		urns = append(urns, topic.TopicUrn)
	}
	if diff := cmp.Diff([]string{newTopic, opsTopic}, urns); diff != "" {
		t.Errorf("topics (-want +got):\n%s", diff)
	}
	if _, err := client.UpdateTopic(&model.UpdateTopicRequest{TopicUrn: newTopic, Body: &model.UpdateTopicRequestBody{DisplayName: "Anew"}}); err != nil {
		t.Fatal(err)
	}
	one, err := client.ListTopicDetails(&model.ListTopicDetailsRequest{TopicUrn: newTopic})
	if err != nil || *one.DisplayName != "Anew" || *one.Name != "made_here" || *one.PushPolicy != 0 || *one.EnterpriseProjectId != "0" || *one.CreateTime > *one.UpdateTime {
		t.Errorf("%+v, %v", one, err)
	}
}

func topicAttributes(t *testing.T, client *smn.SmnClient) {
	_, err := client.UpdateTopicAttribute(&model.UpdateTopicAttributeRequest{TopicUrn: opsTopic, Name: "introduction", Body: &model.UpdateTopicAttributeRequestBody{Value: "hello"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.ListTopicAttributes(&model.ListTopicAttributesRequest{TopicUrn: opsTopic, Name: ptr("introduction")})
	if err != nil || *got.Attributes.Introduction != "hello" || got.Attributes.AccessPolicy != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := client.DeleteTopicAttributeByName(&model.DeleteTopicAttributeByNameRequest{TopicUrn: opsTopic, Name: "introduction"}); err != nil {
		t.Error(err)
	}
	if _, err := client.DeleteTopicAttributes(&model.DeleteTopicAttributesRequest{TopicUrn: opsTopic}); err != nil {
		t.Error(err)
	}
	got, err = client.ListTopicAttributes(&model.ListTopicAttributesRequest{TopicUrn: opsTopic})
	if err != nil || got.Attributes.Introduction != nil {
		t.Errorf("after the deletion: %+v, %v", got, err)
	}
}

func topicTags(t *testing.T, client *smn.SmnClient) {
	one, err := client.ListTopicDetails(&model.ListTopicDetailsRequest{TopicUrn: opsTopic})
	if err != nil {
		t.Fatal(err)
	}
	id := *one.TopicId
	_, err = client.BatchCreateOrDeleteResourceTags(&model.BatchCreateOrDeleteResourceTagsRequest{ResourceType: "smn_topic", ResourceId: id, Body: &model.BatchCreateOrDeleteResourceTagsRequestBody{
		Action: "create", Tags: []model.ResourceTag{{Key: "team", Value: "shop"}, {Key: "env", Value: "test"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CreateResourceTag(&model.CreateResourceTagRequest{ResourceType: "smn_topic", ResourceId: id, Body: &model.CreateResourceTagRequestBody{Tag: &model.ResourceTag{Key: "cost", Value: "7"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteResourceTag(&model.DeleteResourceTagRequest{ResourceType: "smn_topic", ResourceId: id, Key: "env"}); err != nil {
		t.Fatal(err)
	}
	tags, err := client.ListResourceTags(&model.ListResourceTagsRequest{ResourceType: "smn_topic", ResourceId: id})
	if want := []model.ResourceTag{{Key: "cost", Value: "7"}, {Key: "team", Value: "shop"}}; err != nil || !cmp.Equal(&want, tags.Tags) {
		t.Errorf("%+v, %v", tags, err)
	}
	all, err := client.ListProjectTags(&model.ListProjectTagsRequest{ResourceType: "smn_topic"})
	if want := []model.ResourceTags{{Key: "cost", Values: []string{"7"}}, {Key: "team", Values: []string{"shop"}}}; err != nil || !cmp.Equal(&want, all.Tags) {
		t.Errorf("%+v, %v", all, err)
	}
}

// publication is a line of the file sink.
type publication struct {
	MessageID string `json:"message_id"`
	Subject   string `json:"subject"`
	Message   string `json:"message"`
}

func publishToTopic(t *testing.T, s *server, client *smn.SmnClient, file string) {
	var value interface{} = "night"
	var want []publication
	for _, text := range []string{"first", "second"} {
		sent, err := client.PublishMessage(&model.PublishMessageRequest{TopicUrn: opsTopic, Body: &model.PublishMessageRequestBody{
			Subject: ptr("of the shop"), Message: ptr(text), TimeToLive: ptr("3600"),
			MessageAttributes: &[]model.MessageAttribute{{Name: "shift", Type: model.GetMessageAttributeTypeEnum().STRING, Value: &value}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, publication{*sent.MessageId, "of the shop", text})
	}
	s.advance(t)
	if diff := cmp.Diff(want, publications(t, file)); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
	_, err := client.PublishMessage(&model.PublishMessageRequest{TopicUrn: newTopic, Body: &model.PublishMessageRequestBody{Message: ptr("nobody hears it")}})
	refused(t, err, http.StatusBadRequest, "SMN.0400")
}

// endOfTopic deletes a topic whose sink is bound: events that name it reach nobody.
func endOfTopic(t *testing.T, s *server, client *smn.SmnClient, file string) {
	for _, urn := range []string{newTopic, opsTopic} {
		if _, err := client.DeleteTopic(&model.DeleteTopicRequest{TopicUrn: urn}); err != nil {
			t.Fatal(err)
		}
		_, err := client.ListTopicDetails(&model.ListTopicDetailsRequest{TopicUrn: urn})
		refused(t, err, http.StatusNotFound, "SMN.0006")
	}
	before := publications(t, file)
	secrets := s.signedClient(t)
	_, err := secrets.CreateSecretEvent(&csmsmodel.CreateSecretEventRequest{Body: &csmsmodel.CreateSecretEventRequestBody{
		Name: "ops", EventTypes: []csmsmodel.CreateSecretEventRequestBodyEventTypes{csmsmodel.GetCreateSecretEventRequestBodyEventTypesEnum().SECRET_VERSION_CREATED},
		State:        csmsmodel.GetCreateSecretEventRequestBodyStateEnum().ENABLED,
		Notification: &csmsmodel.Notification{TargetType: "SMN", TargetId: opsTopic, TargetName: "ops"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = secrets.CreateSecret(&csmsmodel.CreateSecretRequest{Body: &csmsmodel.CreateSecretRequestBody{Name: "db", SecretString: ptr("x"), EventSubscriptions: &[]string{"ops"}}})
	if err != nil {
		t.Fatal(err)
	}
	s.advance(t)
	if diff := cmp.Diff(before, publications(t, file)); diff != "" {
		t.Errorf("after the deletion (-want +got):\n%s", diff)
	}
	records, err := secrets.ListNotificationRecords(&csmsmodel.ListNotificationRecordsRequest{})
	if err != nil || len(*records.Records) != 1 || (*records.Records)[0].NotificationStatus.Value() != "INVALID" {
		t.Errorf("records: %+v, %v; want one INVALID", records, err)
	}
}

// advance has what is in the outbox delivered.
func (s *server) advance(t *testing.T) {
	t.Helper()
	if resp := s.post(t, s.httpClient(t), "/dev/clock", map[string]string{"advance": "1m"}); resp.StatusCode != http.StatusOK {
		t.Fatalf("clock: %s", resp.Status)
	}
}

func publications(t *testing.T, file string) []publication {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []publication
	for line := range strings.Lines(string(text)) {
		var p publication
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}
