package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
)

// webhookTarget is a webhook receiver that is down at first.
type webhookTarget struct {
	mu   sync.Mutex
	up   bool
	kill func()   // called once, when a message is there and before it is acknowledged
	got  []string // version and id of each message
}

func (r *webhookTarget) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var event struct {
		ID   string
		Data struct {
			EventID   string `json:"event_id"`
			VersionID string `json:"version_id"`
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.up || json.NewDecoder(req.Body).Decode(&event) != nil || event.ID != event.Data.EventID {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.got = append(r.got, event.Data.VersionID+" "+event.ID)
	if r.kill != nil {
		r.kill()
		r.kill = nil
	}
}

// A receiver that was down for an hour gets everything in order, although the server
// is killed (SIGKILL) between sending the first message and hearing of it: the message
// comes again, with the same id.
func TestNotificationsSurviveAKill(t *testing.T) {
	const topic = "urn:smn:cn-north-4:" + devProject + ":hook"
	r := &webhookTarget{}
	receiver := httptest.NewServer(r)
	defer receiver.Close()
	args := []string{"--data", filepath.Join(t.TempDir(), "data"), "--sink", topic + "=" + receiver.URL}
	s := startDev(t, args...)
	client := s.signedClient(t)
	_, err := client.CreateSecretEvent(&model.CreateSecretEventRequest{Body: &model.CreateSecretEventRequestBody{
		Name: "nightly", State: model.GetCreateSecretEventRequestBodyStateEnum().ENABLED,
		EventTypes:   []model.CreateSecretEventRequestBodyEventTypes{model.GetCreateSecretEventRequestBodyEventTypesEnum().SECRET_VERSION_CREATED},
		Notification: &model.Notification{TargetType: "SMN", TargetId: topic, TargetName: "hook"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateSecret(&model.CreateSecretRequest{Body: &model.CreateSecretRequestBody{Name: "db", SecretString: ptr("x"), EventSubscriptions: &[]string{"nightly"}}}); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		advance(t, s, "15m")
		if _, err := client.CreateSecretVersion(&model.CreateSecretVersionRequest{SecretName: "db", Body: &model.CreateSecretVersionRequestBody{SecretString: ptr("x")}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := recorded(t, client); got != nil {
		t.Errorf("records while the receiver is down: %q", got)
	}
	killed := make(chan struct{})
	r.mu.Lock()
	r.up, r.kill = true, func() { s.kill(); close(killed) }
	r.mu.Unlock()
	if resp, err := s.httpClient(t).Post(s.url+"/dev/clock", "application/json", strings.NewReader(`{"advance":"1h"}`)); err == nil {
		_ = resp.Body.Close() // the loop of the server was faster, and this answer came before the end
	}
	<-killed

	s = startDev(t, args...) // its clock begins at wall time again, so nothing is due yet
	advance(t, s, "3h")
	r.mu.Lock()
	defer r.mu.Unlock()
	var versions []string
	for _, got := range slices.Compact(slices.Clone(r.got)) { // which drops repetitions, of the same id
		version, _, _ := strings.Cut(got, " ")
		versions = append(versions, version)
	}
	if diff := cmp.Diff([]string{"v1", "v2", "v3", "v4", "v5"}, versions); diff != "" || len(r.got) != 6 {
		t.Errorf("%d messages: %q (-want +got):\n%s", len(r.got), r.got, diff)
	}
	if got := recorded(t, s.signedClient(t)); len(got) != 5 {
		t.Errorf("records: %q", got)
	}
}

// advance moves the clock; what is due then has been done when it returns.
func advance(t *testing.T, s *server, by string) {
	t.Helper()
	if resp := s.post(t, s.httpClient(t), "/dev/clock", map[string]string{"advance": by}); resp.StatusCode != http.StatusOK {
		t.Fatalf("clock: %s", resp.Status)
	}
}
