package e2e

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	csms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
)

// The six tag operations with the typed models of the SDK, for each kind of
// credential.
func TestTags(t *testing.T) {
	for credential, login := range map[string]func(*server, *testing.T) *csms.CsmsClient{
		"signature": (*server).signedClient, "token": (*server).tokenClient,
	} {
		t.Run(credential, func(t *testing.T) {
			client := login(startDev(t), t)
			t.Run("one at a time", func(t *testing.T) { oneTag(t, client) })
			t.Run("keys in a path", func(t *testing.T) { keysInAPath(t, client) })
			t.Run("many at once", func(t *testing.T) { manyTags(t, client) })
			t.Run("filter and count", func(t *testing.T) { resourceInstances(t, client) })
		})
	}
}

func oneTag(t *testing.T, client *csms.CsmsClient) {
	id := *create(t, client, "one", "v").Id
	for _, value := range []string{"prod", "test"} { // T3: the second one replaces the first
		setTag(t, client, id, "env", value)
	}
	if diff := cmp.Diff(map[string]string{"env": "test"}, tagsOf(t, client, id)); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	list, err := client.ListSecretTags(&model.ListSecretTagsRequest{SecretId: id})
	if err != nil || len(*list.SysTags) != 1 || *(*list.SysTags)[0].Key != "_sys_enterprise_project_id" || *(*list.SysTags)[0].Value != "0" {
		t.Errorf("sys_tags of %+v, %v", list, err)
	}
	removeTag(t, client, id, "env")
	_, err = client.DeleteSecretTag(&model.DeleteSecretTagRequest{SecretId: id, Key: "env"})
	refused(t, err, http.StatusNotFound, "CSMS.0005") // W8: the SDK reads the wrapped error
	_, err = client.CreateSecretTag(&model.CreateSecretTagRequest{SecretId: id, Body: &model.CreateSecretTagRequestBody{Tag: &model.TagItem{Key: "env/prod"}}})
	refused(t, err, http.StatusBadRequest, "CSMS.0002")
}

// clients.md T10: whatever a key may hold can stand in the path of DeleteSecretTag.
func keysInAPath(t *testing.T, client *csms.CsmsClient) {
	id := *create(t, client, "keys", "v").Id
	keys := []string{
		"env:prod", "two words", "a+b", "a=b", "user@host", "中文", "größe", "a\u00a0b", "٣½", "action", "tags", "-._:=+@ 中",
	}
	for _, key := range keys {
		setTag(t, client, id, key, "a/b c+d=中")
	}
	if got := tagsOf(t, client, id); len(got) != len(keys) || got["two words"] != "a/b c+d=中" {
		t.Errorf("tags %q", got)
	}
	for _, key := range keys {
		removeTag(t, client, id, key)
	}
	if got := tagsOf(t, client, id); len(got) != 0 {
		t.Errorf("tags that are left: %q", got)
	}
	// No key has a slash; this SDK sends it as it is, which makes another path.
	_, err := client.DeleteSecretTag(&model.DeleteSecretTagRequest{SecretId: id, Key: "env/prod"})
	refused(t, err, http.StatusNotFound, "APIGW.0101")
}

func manyTags(t *testing.T, client *csms.CsmsClient) {
	id := *create(t, client, "many", "v").Id
	batch(t, client, id, "create", "env", "prod", "team", "a", "empty", "")
	batch(t, client, id, "delete", "env", "", "absent", "")
	if diff := cmp.Diff(map[string]string{"team": "a", "empty": ""}, tagsOf(t, client, id)); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	_, err := client.BatchCreateOrDeleteTags(&model.BatchCreateOrDeleteTagsRequest{SecretId: id, Body: &model.BatchCreateOrDeleteTagsRequestBody{
		Action: "create", Tags: []model.TagItem{{Key: "x"}, {Key: "x"}},
	}})
	refused(t, err, http.StatusBadRequest, "CSMS.0002")
}

// resourceInstances pages one row at a time until an empty page, as Terraform does
// (T10).
func resourceInstances(t *testing.T, client *csms.CsmsClient) {
	for name, env := range map[string]string{"res-a": "prod", "res-b": "test", "res-c": "prod"} {
		batch(t, client, *create(t, client, name, "v").Id, "create", "res", "yes", "stage", env)
	}
	body := model.ListResourceInstancesRequestBody{
		Action: "filter", Limit: ptr("1"),
		Tags: &[]model.Tag{{Key: ptr("res"), Values: &[]string{}}, {Key: ptr("stage"), Values: &[]string{"prod", "dev"}}},
	}
	var names []string
	for _, offset := range []string{"0", "1", "2"} {
		body.Offset = &offset
		page, err := client.ListResourceInstances(&model.ListResourceInstancesRequest{ResourceInstances: "resource_instances", Body: &body})
		if err != nil || *page.TotalCount != 2 {
			t.Fatalf("page %+v, %v", page, err)
		}
		for _, r := range *page.Resources {
			names = append(names, *r.ResourceName)
			if *r.ResourceDetail.Id != *r.ResourceId || len(*r.Tags) != 2 {
				t.Errorf("resource %+v", r)
			}
		}
	}
	if diff := cmp.Diff([]string{"res-a", "res-c"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	counted, err := client.ListResourceInstances(&model.ListResourceInstancesRequest{ResourceInstances: "resource_instances", Body: &model.ListResourceInstancesRequestBody{
		Action: "count", Matches: &[]model.TagMatches{{Key: ptr("resource_name"), Value: ptr("res-")}},
	}})
	if err != nil || *counted.TotalCount != 3 {
		t.Errorf("count %+v, %v", counted, err)
	}
	project, err := client.ListProjectSecretsTags(&model.ListProjectSecretsTagsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]string{}
	for _, tag := range *project.Tags {
		values[*tag.Key] = *tag.Values
	}
	if diff := cmp.Diff([]string{"prod", "test"}, values["stage"]); diff != "" {
		t.Errorf("values of stage (-want +got):\n%s", diff)
	}
}

func setTag(t *testing.T, client *csms.CsmsClient, id, key, value string) {
	t.Helper()
	answer, err := client.CreateSecretTag(&model.CreateSecretTagRequest{SecretId: id, Body: &model.CreateSecretTagRequestBody{Tag: &model.TagItem{Key: key, Value: &value}}})
	if err != nil || answer.HttpStatusCode != http.StatusNoContent {
		t.Fatalf("setting %q: %+v, %v; want 204", key, answer, err)
	}
}

func removeTag(t *testing.T, client *csms.CsmsClient, id, key string) {
	t.Helper()
	answer, err := client.DeleteSecretTag(&model.DeleteSecretTagRequest{SecretId: id, Key: key})
	if err != nil || answer.HttpStatusCode != http.StatusNoContent {
		t.Errorf("removing %q: %+v, %v; want 204", key, answer, err)
	}
}

// batch creates or deletes tags "key", "value", "key", "value" ...
func batch(t *testing.T, client *csms.CsmsClient, id, action string, pairs ...string) {
	t.Helper()
	body := &model.BatchCreateOrDeleteTagsRequestBody{Action: action}
	for i := 0; i < len(pairs); i += 2 {
		body.Tags = append(body.Tags, model.TagItem{Key: pairs[i], Value: &pairs[i+1]})
	}
	answer, err := client.BatchCreateOrDeleteTags(&model.BatchCreateOrDeleteTagsRequest{SecretId: id, Body: body})
	if err != nil || answer.HttpStatusCode != http.StatusNoContent {
		t.Fatalf("%s %q: %+v, %v; want 204", action, pairs, answer, err)
	}
}

func tagsOf(t *testing.T, client *csms.CsmsClient, id string) map[string]string {
	t.Helper()
	list, err := client.ListSecretTags(&model.ListSecretTagsRequest{SecretId: id})
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string]string{}
	for _, tag := range *list.Tags {
		tags[tag.Key] = *tag.Value
	}
	return tags
}
