package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
)

const (
	rotationURN  = "urn:fss:cn-north-4:" + devProject + ":function:default:rotate:latest"
	unboundURN   = "urn:fss:cn-north-4:" + devProject + ":function:default:unbound:latest"
	rotatedValue = `{"username":"app","password":"new"}`
)

// rotator is a function that rotates: it makes a version through the API of the server.
type rotator struct {
	t      *testing.T
	server *server
}

func (r *rotator) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var in struct {
		Name     string `json:"secret_name"`
		Endpoint string `json:"csms_endpoint"`
	}
	if err := json.NewDecoder(req.Body).Decode(&in); err != nil || in.Endpoint != r.server.url {
		r.t.Errorf("the function is called with %+v: %v", in, err)
	}
	_, err := r.server.signedClient(r.t).CreateSecretVersion(&model.CreateSecretVersionRequest{
		SecretName: in.Name, Body: &model.CreateSecretVersionRequestBody{SecretString: ptr(rotatedValue)},
	})
	if err != nil {
		r.t.Errorf("making the new version: %v", err)
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// startRotating starts a server with a function behind rotationURN.
func startRotating(t *testing.T, args ...string) *server {
	t.Helper()
	r := &rotator{t: t}
	function := httptest.NewServer(r)
	t.Cleanup(function.Close)
	r.server = startDev(t, append(args, "--function", rotationURN+"="+function.URL)...)
	return r.server
}

// rotatableSecret makes a csms_secret of type RDS-FG, whose function is urn.
func (p *provider) rotatableSecret(t *testing.T, name, urn string) {
	t.Helper()
	p.call(t, "POST", "/v1/{p}/secrets", map[string]any{
		"name": name, "secret_string": `{"username":"app","password":"old"}`, "secret_type": "RDS-FG", "rotation_func_urn": urn,
		"rotation_config": `{"InstanceId":"i-1","SecretSubType":"SingleUser"}`, "enterprise_project_id": "0",
	}, created...)
}

// rotated is the creation of a csms_secret_rotate: the call, then its task until it has
// ended. It returns the task.
func (p *provider) rotated(t *testing.T, name string) map[string]any {
	t.Helper()
	id := p.call(t, "POST", "/v1/{p}/secrets/"+name+"/rotate", nil, created...)["rotation_task_id"].(string)
	for range 200 { // the provider waits 5 s and asks for 10 minutes
		tasks := p.call(t, "GET", "/v1/{p}/csms/tasks?task_id="+id, nil, 200)["tasks"].([]any)
		if len(tasks) != 1 {
			t.Fatalf("tasks with the id %s: %v", id, tasks)
		}
		task := tasks[0].(map[string]any)
		switch task["task_status"] {
		case "RUNNING":
			time.Sleep(50 * time.Millisecond)
		case "SUCCESS", "FAILED":
			return task
		default:
			t.Fatalf("the provider does not know the status %v", task["task_status"])
		}
	}
	t.Fatalf("the rotation of %s does not end", name)
	return nil
}

// rotateResource is a csms_secret_rotate that succeeds and one that fails, and the data
// source csms_tasks, whose filters are those of the API.
func rotateResource(t *testing.T, p *provider) {
	p.rotatableSecret(t, "tf_rotate", rotationURN)
	p.rotatableSecret(t, "tf_unbound", unboundURN)
	if task := p.rotated(t, "tf_rotate"); task["task_status"] != "SUCCESS" || task["operate_type"] != "MANUAL" || task["task_error_code"] != nil {
		t.Errorf("task: %v", task)
	}
	if got := p.read(t, "tf_rotate").Text; got != rotatedValue {
		t.Errorf("the value after the rotation is %s", got)
	}
	failed := p.rotated(t, "tf_unbound")
	if failed["task_status"] != "FAILED" || failed["task_error_code"] != "ROTATION_FUNCTION_NOT_FOUND" {
		t.Errorf("task: %v", failed)
	}
	for query, want := range map[string]int{
		"": 2, "?secret_name=tf_rotate": 1, "?status=FAILED": 1, "?status=SUCCESS&secret_name=tf_rotate": 1, "?secret_name=unknown": 0,
		"?task_id=" + failed["task_id"].(string): 1,
	} {
		for range 2 {
			page := p.call(t, "GET", "/v1/{p}/csms/tasks"+query, nil, 200)
			if n := len(page["tasks"].([]any)); n != want || page["total"] != float64(want) || page["next_marker"] != nil {
				t.Errorf("csms_tasks%s: %v", query, page)
			}
		}
	}
	p.call(t, "POST", "/v1/{p}/secrets/unknown/rotate", nil, 404)
	for _, name := range []string{"tf_rotate", "tf_unbound"} {
		p.call(t, "DELETE", "/v1/{p}/secrets/"+name, nil, 200, 202, 204)
	}
}

// rotationAgency is a csms_agency, whose refresh is the data source csms_agencies.
func rotationAgency(t *testing.T, p *provider) {
	granted := func() any {
		return p.call(t, "GET", "/v1/csms/agencies?secret_type=RDS-FG", nil, 200)["agency_granted"]
	}
	if got := granted(); got != "false" {
		t.Errorf("before: agency_granted is %v", got)
	}
	for range 2 { // the second apply changes nothing
		made := p.call(t, "POST", "/v1/csms/agencies", map[string]any{"secret_type": "RDS-FG"}, created...)["agencies"].([]any)
		if len(made) != 2 {
			t.Errorf("agencies: %v", made)
		}
		for _, one := range made {
			if agency := one.(map[string]any); agency["agency_id"] == nil || agency["error_msg"] != nil {
				t.Errorf("agency: %v", agency)
			}
		}
		if got := granted(); got != "true" {
			t.Errorf("agency_granted is %v", got)
		}
	}
}

// functionTemplates is the data source csms_function_templates: one text, the same each
// time.
func functionTemplates(t *testing.T, p *provider) {
	for _, query := range []string{"secret_type=RDS-FG&secret_sub_type=SingleUser&engine=mysql", "secret_type=RDS-FG&secret_sub_type=MultiUser&engine=postgresql"} {
		var read [2]any
		for i := range read {
			read[i] = p.call(t, "GET", "/v1/csms/function-templates?"+query, nil, 200)["function_templates"]
		}
		if text, _ := read[0].(string); text == "" || read[0] != read[1] {
			t.Errorf("csms_function_templates?%s: %.80v and %.80v", query, read[0], read[1])
		}
	}
	p.call(t, "GET", "/v1/csms/function-templates?secret_type=COMMON&secret_sub_type=SingleUser", nil, 400)
}

// versions is the data source csms_secret_versions, which follows next_marker.
func versions(t *testing.T, p *provider) {
	p.create(t, &secretConfig{Name: "tf_versions", Text: "x"})
	want := []string{"v1"}
	for _, id := range []string{"v2", "v3", "v4", "v5"} {
		p.call(t, "POST", "/v1/{p}/secrets/tf_versions/versions", map[string]any{"secret_string": id}, created...)
		want = append(want, id)
	}
	var got []string
	for marker := ""; ; {
		path := "/v1/{p}/secrets/tf_versions/versions?limit=2"
		if marker != "" {
			path += "&marker=" + marker
		}
		page := p.call(t, "GET", path, nil, 200)
		for _, v := range page["version_metadatas"].([]any) {
			got = append(got, v.(map[string]any)["id"].(string))
		}
		next, more := page["page_info"].(map[string]any)["next_marker"].(string)
		if !more || len(got) > len(want) {
			break
		}
		marker = next
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("csms_secret_versions (-want +got):\n%s", diff)
	}
	p.call(t, "DELETE", "/v1/{p}/secrets/tf_versions", nil, 200, 202, 204)
}

// recordsAndTags are the data sources csms_notification_records and csms_tags: one
// request each, twice the same.
func recordsAndTags(t *testing.T, p *provider) {
	p.event(t, "tf_records")
	p.create(t, &secretConfig{Name: "tf_records", Text: "x", Events: []string{"tf_records"}, Tags: map[string]string{"of": "records"}})
	advance(t, p.server, "1m")
	for range 2 {
		records := p.call(t, "GET", "/v1/{p}/csms/notification-records", nil, 200)["records"].([]any)
		found := false
		for _, r := range records {
			record := r.(map[string]any)
			found = found || record["event_name"] == "tf_records" && record["trigger_event_type"] == "SECRET_VERSION_CREATED" && record["secret_name"] == "tf_records"
		}
		if !found {
			t.Errorf("csms_notification_records: %v", records)
		}
		tags := p.call(t, "GET", "/v1/{p}/csms/tags", nil, 200)["tags"].([]any)
		if diff := cmp.Diff([]any{map[string]any{"key": "of", "values": []any{"records"}}}, tags); diff != "" {
			t.Errorf("csms_tags (-want +got):\n%s", diff)
		}
	}
	p.call(t, "DELETE", "/v1/{p}/secrets/tf_records", nil, 200, 202, 204)
	p.call(t, "DELETE", "/v1/{p}/csms/events/tf_records", nil, 200, 202, 204)
}
