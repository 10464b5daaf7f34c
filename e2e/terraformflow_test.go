package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestTerraform walks the resources and data sources of clients.md 4.3 with the calls
// that the provider makes, in each mode of authentication. After every change two plans
// in a row see no difference.
func TestTerraform(t *testing.T) {
	for name, args := range transports() {
		t.Run(name, func(t *testing.T) {
			for _, mode := range []string{"access key", "token"} {
				t.Run(mode, func(t *testing.T) {
					s := startRotating(t, args...)
					p := &provider{server: s, http: s.httpClient(t)}
					if mode == "token" {
						p.token = s.token(t)
					}
					configure(t, p)
					secretResource(t, p)
					stageResource(t, p)
					eventResource(t, p)
					keyResource(t, p)
					aliasResource(t, p)
					grantResource(t, p)
					enterpriseProject(t, p)
					agencyResource(t, p)
					topicResource(t, p)
					identityResources(t, p)
					tasksOnASecret(t, p)
					versions(t, p)
					rotationAgency(t, p)
					functionTemplates(t, p)
					rotateResource(t, p)
					recordsAndTags(t, p)
					lists(t, p)
				})
			}
		})
	}
}

// configure is what the provider does at its start: a project by name, and the domain
// twice within a second, by requests that are the same byte for byte.
func configure(t *testing.T, p *provider) {
	projects := p.call(t, "GET", "/v3/projects?name=cn-north-4", nil, 200)["projects"].([]any)
	if len(projects) != 1 || projects[0].(map[string]any)["id"] != devProject {
		t.Errorf("projects: %v", projects)
	}
	now := time.Now()
	var bodies [2][]byte
	for i := range bodies {
		status, body := p.send(t, p.request(t, http.MethodGet, "/v3/auth/domains", nil, now))
		if status != 200 {
			t.Fatalf("domains: %d %s", status, body)
		}
		bodies[i] = body
	}
	if !bytes.Equal(bodies[0], bodies[1]) {
		t.Errorf("domains: %s and %s", bodies[0], bodies[1])
	}
}

// plan compares what was written with what is read, twice.
func plan(t *testing.T, p *provider, want *secretConfig) {
	t.Helper()
	for range 2 {
		if diff := cmp.Diff(want, p.read(t, want.Name), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the plan sees a change (-written +read):\n%s", diff)
		}
	}
}

// secretResource is the life of a csms_secret.
func secretResource(t *testing.T, p *provider) {
	p.event(t, "nightly")
	key := p.key(t, "terraform-secret")
	c := &secretConfig{
		Name: "tf_db", Text: "s3cr3t<&>\u2028", Description: "of \"terraform\"", KeyID: key, Expires: time.Now().Add(time.Hour).Unix() * 1000,
		Tags: map[string]string{"env": "test", "empty": ""}, Events: []string{"nightly"},
	}
	id := p.create(t, c)
	plan(t, p, c)

	// A new value.
	c.Text = `{"user":"a","password":"b"}`
	p.call(t, "POST", "/v1/{p}/secrets/tf_db/versions", map[string]any{"secret_string": c.Text}, created...)
	p.expire(t, c)
	plan(t, p, c)

	// UpdateSecret always sends these three (N15).
	c.Description, c.Events = "", []string{}
	p.call(t, "PUT", "/v1/{p}/secrets/tf_db", map[string]any{"kms_key_id": key, "description": "", "event_subscriptions": []string{}}, created...)
	plan(t, p, c)

	// Tags: the old ones go, the new ones come.
	p.tag(t, id, "delete", maps.Clone(c.Tags))
	c.Tags = map[string]string{"env": "prod", "team": "a b"}
	p.tag(t, id, "create", c.Tags)
	plan(t, p, c)

	p.call(t, "DELETE", "/v1/{p}/secrets/tf_db", nil, 200, 202, 204)
	p.call(t, "GET", "/v1/{p}/secrets/tf_db", nil, 404)
	p.call(t, "DELETE", "/v1/{p}/secrets/tf_db", nil, 404)
	// The name is free at once, and the new one begins anew (DEL2).
	again := &secretConfig{Name: "tf_db", Text: "anew", Tags: map[string]string{}}
	if p.create(t, again) == id {
		t.Error("a secret that was made again has the id of the old one")
	}
	if got := p.newest(t, "tf_db"); got != "v1" {
		t.Errorf("a secret that was made again begins with %s", got)
	}
	read := p.read(t, "tf_db")
	again.KeyID = read.KeyID // the default key, which the server chose
	plan(t, p, again)
	p.call(t, "DELETE", "/v1/{p}/secrets/tf_db", nil, 200, 202, 204)
	p.call(t, "DELETE", "/v1/{p}/csms/events/nightly", nil, 200, 202, 204)
}

// stageResource is a csms_secret_version_state.
func stageResource(t *testing.T, p *provider) {
	p.create(t, &secretConfig{Name: "tf_stage", Text: "x"})
	for range 2 { // the second apply changes nothing
		p.call(t, "PUT", "/v1/{p}/secrets/tf_stage/stages/blue", map[string]any{"version_id": "v1"}, created...)
		got := p.call(t, "GET", "/v1/{p}/secrets/tf_stage/stages/blue", nil, 200)["stage"].(map[string]any)
		if got["version_id"] != "v1" || got["name"] != "blue" {
			t.Errorf("stage: %v", got)
		}
	}
	p.call(t, "DELETE", "/v1/{p}/secrets/tf_stage/stages/blue", nil, 204)
	p.call(t, "GET", "/v1/{p}/secrets/tf_stage/stages/blue", nil, 404)
	p.call(t, "DELETE", "/v1/{p}/secrets/tf_stage", nil, 200, 202, 204)
}

func (p *provider) event(t *testing.T, name string) {
	t.Helper()
	p.call(t, "POST", "/v1/{p}/csms/events", map[string]any{
		"name": name, "state": "ENABLED", "event_types": []string{"SECRET_ROTATED", "SECRET_DELETED", "SECRET_VERSION_CREATED"},
		"notification": map[string]string{"target_type": "SMN", "target_id": "urn:smn:cn-north-4:" + devProject + ":tf", "target_name": "tf"},
	}, created...)
}

// eventResource is a csms_event. Its types keep their order (E7).
func eventResource(t *testing.T, p *provider) {
	p.event(t, "tf_event")
	check := func(state string, types ...any) {
		t.Helper()
		for range 2 {
			got := p.call(t, "GET", "/v1/{p}/csms/events/tf_event", nil, 200)["event"].(map[string]any)
			if got["state"] != state || !cmp.Equal(got["event_types"], types) || got["notification"].(map[string]any)["target_name"] != "tf" {
				t.Errorf("event: %v", got)
			}
		}
	}
	check("ENABLED", "SECRET_ROTATED", "SECRET_DELETED", "SECRET_VERSION_CREATED")
	p.call(t, "PUT", "/v1/{p}/csms/events/tf_event", map[string]any{"state": "DISABLED", "event_types": []string{"SECRET_VERSION_EXPIRED", "SECRET_DELETED"}}, created...)
	check("DISABLED", "SECRET_VERSION_EXPIRED", "SECRET_DELETED")
	p.call(t, "DELETE", "/v1/{p}/csms/events/tf_event", nil, 200, 202, 204)
	p.call(t, "GET", "/v1/{p}/csms/events/tf_event", nil, 404)
}

// tasksOnASecret are csms_scheduled_delete_secret_task, csms_download_secret_backup
// and csms_restore_secret.
func tasksOnASecret(t *testing.T, p *provider) {
	p.create(t, &secretConfig{Name: "tf_task", Text: "kept"})
	p.call(t, "POST", "/v1/{p}/secrets/tf_task/scheduled-deleted-tasks/create", map[string]any{"recovery_window_in_days": 7}, created...)
	p.call(t, "POST", "/v1/{p}/secrets/tf_task/scheduled-deleted-tasks/cancel", nil, created...)
	blob := p.call(t, "POST", "/v1/{p}/secrets/tf_task/backup", nil, created...)["secret_blob"].(string)
	p.call(t, "DELETE", "/v1/{p}/secrets/tf_task", nil, 200, 202, 204)
	p.call(t, "POST", "/v1/{p}/secrets/restore", map[string]any{"secret_blob": blob}, created...)
	if got := p.read(t, "tf_task").Text; got != "kept" {
		t.Errorf("restored: %q", got)
	}
	p.call(t, "DELETE", "/v1/{p}/secrets/tf_task", nil, 200, 202, 204)
}

// lists are the data sources: with nothing, with a page that is just full, with more.
func lists(t *testing.T, p *provider) {
	var want []string
	for _, name := range []string{"", "tf_l1", "tf_l2", "tf_l3"} {
		if name != "" {
			p.create(t, &secretConfig{Name: name, Text: "x", Tags: map[string]string{"list": "yes"}})
			p.event(t, name)
			want = append(want, name)
		}
		for path, array := range map[string]string{"/v1/{p}/secrets": "secrets", "/v1/{p}/csms/events": "events"} {
			got := p.all(t, path, array)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		}
	}
	p.byTags(t, len(want))
	for _, name := range want {
		p.call(t, "DELETE", "/v1/{p}/secrets/"+name, nil, 200, 202, 204)
		p.call(t, "DELETE", "/v1/{p}/csms/events/"+name, nil, 200, 202, 204)
	}
}

// byTags is the data source csms_secrets_by_tags: pages of one, with numbers, until one
// is empty (T10).
func (p *provider) byTags(t *testing.T, want int) {
	t.Helper()
	found := 0
	for offset := 0; ; offset++ {
		page := p.call(t, "POST", "/v1/{p}/csms/resource_instances/action", map[string]any{
			"action": "filter", "limit": 1, "offset": offset, "tags": []map[string]any{{"key": "list", "values": []string{"yes"}}},
		}, 200)
		items := page["resources"].([]any)
		if len(items) == 0 || found > 100 {
			break
		}
		found += len(items)
	}
	if found != want {
		t.Errorf("%d secrets by tag, want %d", found, want)
	}
}

// key makes a kms_key and waits until it is enabled, as the provider does.
func (p *provider) key(t *testing.T, alias string) string {
	t.Helper()
	got := p.call(t, "POST", "/v1.0/{p}/kms/create-key", map[string]any{"key_alias": alias}, created...)
	id := got["key_info"].(map[string]any)["key_id"].(string)
	if state := p.keyState(t, id); state != "2" {
		t.Fatalf("a new key has state %s", state)
	}
	return id
}

func (p *provider) keyState(t *testing.T, id string) string {
	t.Helper()
	got := p.call(t, "POST", "/v1.0/{p}/kms/describe-key", map[string]any{"key_id": id}, 200)
	return got["key_info"].(map[string]any)["key_state"].(string)
}

// keyResource is the life of a kms_key; state 4 means gone.
func keyResource(t *testing.T, p *provider) {
	id := p.key(t, "terraform")
	p.call(t, "POST", "/v1.0/{p}/kms/update-key-alias", map[string]any{"key_id": id, "key_alias": "terraform2"}, created...)
	p.call(t, "POST", "/v1.0/{p}/kms/update-key-description", map[string]any{"key_id": id, "key_description": "d"}, created...)
	p.call(t, "POST", "/v1.0/{p}/kms/disable-key", map[string]any{"key_id": id}, created...)
	if state := p.keyState(t, id); state != "3" {
		t.Errorf("a disabled key has state %s", state)
	}
	for range 2 {
		info := p.call(t, "POST", "/v1.0/{p}/kms/describe-key", map[string]any{"key_id": id}, 200)["key_info"].(map[string]any)
		if info["key_alias"] != "terraform2" || info["key_description"] != "d" {
			t.Errorf("key: %v", info)
		}
	}
	p.call(t, "POST", "/v1.0/{p}/kms/schedule-key-deletion", map[string]any{"key_id": id, "pending_days": "7"}, created...)
	if state := p.keyState(t, id); state != "4" {
		t.Errorf("a key that is to be deleted has state %s", state)
	}
	p.call(t, "POST", "/v1.0/{p}/kms/describe-key", map[string]any{"key_id": "00000000-0000-4000-8000-000000000000"}, 404)
}

// topicConfig is what somebody wrote into his configuration of a smn_topic.
type topicConfig struct {
	Name, DisplayName string
	Tags              map[string]string
}

// topicTags makes a request about the tags of a topic, which the provider addresses by
// its name.
func (p *provider) topicTags(t *testing.T, method, path string, in any, statuses ...int) answer {
	t.Helper()
	r := p.request(t, method, path, in, time.Now())
	r.Header.Set("X-SMN-RESOURCEID-TYPE", "name")
	status, body := p.send(t, r)
	if !slices.Contains(statuses, status) {
		t.Fatalf("%s %s: %d %s, want one of %v", method, path, status, body, statuses)
	}
	out := answer{}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &out); err != nil {
			t.Fatalf("%s %s: %s: %v", method, path, body, err)
		}
	}
	return out
}

// topic reads a smn_topic as the refresh does.
func (p *provider) topic(t *testing.T, urn string) *topicConfig {
	t.Helper()
	got := p.call(t, "GET", "/v2/{p}/notifications/topics/"+urn, nil, 200)
	for name, want := range map[string]any{"topic_urn": urn, "push_policy": 0.0, "enterprise_project_id": "0"} {
		if got[name] != want {
			t.Errorf("%s of topic %s: %v, want %v", name, urn, got[name], want)
		}
	}
	c := &topicConfig{Name: got["name"].(string), DisplayName: got["display_name"].(string), Tags: map[string]string{}}
	for _, tag := range p.topicTags(t, "GET", "/v2/{p}/smn_topic/"+c.Name+"/tags", nil, 200, 202)["tags"].([]any) {
		pair := tag.(map[string]any)
		c.Tags[pair["key"].(string)] = pair["value"].(string)
	}
	return c
}

// topicResource is the life of a smn_topic, of its smn_topic_attributes, and the data
// source smn_topics.
func topicResource(t *testing.T, p *provider) {
	want := &topicConfig{Name: "tf_topic", DisplayName: "of terraform", Tags: map[string]string{"env": "test", "empty": ""}}
	got := p.call(t, "POST", "/v2/{p}/notifications/topics", map[string]any{"name": want.Name, "display_name": want.DisplayName, "enterprise_project_id": "0"}, 200, 201)
	urn := got["topic_urn"].(string)
	plan := func() {
		t.Helper()
		for range 2 {
			if diff := cmp.Diff(want, p.topic(t, urn)); diff != "" {
				t.Errorf("the plan sees a change (-written +read):\n%s", diff)
			}
		}
	}
	tag := func(action string, tags map[string]string) {
		t.Helper()
		var list []map[string]string
		for k, v := range tags {
			list = append(list, map[string]string{"key": k, "value": v})
		}
		p.topicTags(t, "POST", "/v2/{p}/smn_topic/tf_topic/tags/action", map[string]any{"action": action, "tags": list}, 200, 204)
	}
	tag("create", want.Tags)
	plan()

	// The provider leaves an empty display name out.
	want.DisplayName = ""
	p.call(t, "PUT", "/v2/{p}/notifications/topics/"+urn, map[string]any{}, 200)
	tag("delete", maps.Clone(want.Tags))
	want.Tags = map[string]string{"env": "prod"}
	tag("create", want.Tags)
	plan()

	policy := `{"Version":"2016-09-07","Id":"__default_policy_ID","Statement":[{"Sid":"__user_pub_0","Effect":"Allow","Principal":{"CSP":["*"]},"Action":["SMN:Publish"],"Resource":"` + urn + `"}]}`
	p.call(t, "PUT", "/v2/{p}/notifications/topics/"+urn+"/attributes/access_policy", map[string]any{"value": policy}, 200)
	for range 2 {
		attributes := p.call(t, "GET", "/v2/{p}/notifications/topics/"+urn+"/attributes?name=access_policy", nil, 200)["attributes"].(map[string]any)
		if attributes["access_policy"] != policy {
			t.Errorf("the plan sees a change: %v", attributes)
		}
	}

	// The pager asks with the number of topics it has until a page is empty.
	found := 0
	for offset := 0; ; {
		page := p.call(t, "GET", fmt.Sprintf("/v2/{p}/notifications/topics?limit=1&offset=%d", offset), nil, 200)["topics"].([]any)
		if len(page) == 0 {
			break
		}
		offset += len(page)
		if page[0].(map[string]any)["topic_urn"] == urn {
			found++
		}
	}
	if found != 1 {
		t.Errorf("the topic is listed %d times", found)
	}
	p.call(t, "DELETE", "/v2/{p}/notifications/topics/"+urn, nil, 200)
	p.call(t, "GET", "/v2/{p}/notifications/topics/"+urn, nil, 404)
}
