package httpapi_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// edit changes the record of a secret, to reach states that no operation of these
// brings about.
func edit(t *testing.T, kit *testkit.Kit, name string, change func(*csms.Secret)) {
	t.Helper()
	err := kit.Store.Update(t.Context(), func(tx *store.Tx) error {
		sec, err := tx.Secret(testkit.ProjectID, name)
		if err != nil {
			return err
		}
		change(sec)
		return tx.PutSecret(sec)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// newSecrets returns a kit with secrets of these names.
func newSecrets(t *testing.T, names ...string) *testkit.Kit {
	t.Helper()
	kit := testkit.New(t, testkit.Options{})
	for _, name := range names {
		checkAnswer(t, kit.Do(testkit.Owner, "POST", projectPath+"secrets", `{"name":"`+name+`","secret_string":"x"}`), 200, "")
	}
	return kit
}

// TestListByEvent protects P6 with P2 and P4: event_name keeps only secrets that
// subscribe to the event, and pages like any list. UpdateSecret takes the subscription
// away with an empty list and with null (N15, N17).
func TestListByEvent(t *testing.T) {
	kit := newSecrets(t, "d", "c", "b", "a")
	for name, event := range map[string]string{"d": "nightly", "c": "daily", "b": "nightly"} {
		edit(t, kit, name, func(s *csms.Secret) { s.EventSubscriptions = []string{event} })
	}
	list := func(query, names, info string) {
		t.Helper()
		w := kit.Do(testkit.Owner, "GET", projectPath+"secrets?"+query, "")
		checkAnswer(t, w, 200, "")
		var got []string
		for _, part := range strings.Split(w.Body.String(), `"name":"`)[1:] {
			name, _, _ := strings.Cut(part, `"`)
			got = append(got, name)
		}
		if strings.Join(got, " ") != names || !strings.Contains(w.Body.String(), info) {
			t.Errorf("%s: %s", query, w.Body)
		}
	}
	list("event_name=nightly", "b d", `"next_marker":null,"previous_marker":"b","current_count":2`)
	list("event_name=nightly&limit=1", "b", `"next_marker":"b","previous_marker":"b","current_count":1`)
	list("event_name=nightly&limit=1&marker=b", "d", `"next_marker":null`)
	list("event_name=nightly&marker=c", "d", `"next_marker":null`)
	list("event_name=daily", "c", `"event_subscriptions":["daily"]`)
	list("event_name=night", "", `"secrets":[]`)
	for _, body := range []string{`{"event_subscriptions":[]}`, `{"event_subscriptions":null}`} {
		edit(t, kit, "b", func(s *csms.Secret) { s.EventSubscriptions = []string{"nightly"} })
		w := kit.Do(testkit.Owner, "PUT", projectPath+"secrets/b", `{"description":"x"}`)
		if !strings.Contains(w.Body.String(), `"event_subscriptions":["nightly"]`) {
			t.Errorf("without the member: %s", w.Body)
		}
		w = kit.Do(testkit.Owner, "PUT", projectPath+"secrets/b", body)
		if !strings.Contains(w.Body.String(), `"event_subscriptions":[]`) {
			t.Errorf("%s: %s", body, w.Body)
		}
		list("event_name=nightly", "d", `"current_count":1`)
	}
}

// TestListByBadEvent protects P6: event_name is the name of an event.
func TestListByBadEvent(t *testing.T) {
	kit := newSecrets(t)
	checkAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets?event_name=a.b", ""), 400, "CSMS.0002")
	checkAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets?event_name="+strings.Repeat("x", 65), ""), 400, "CSMS.0002")
}

// TestLatestWithoutCurrent protects V7: without SYSCURRENT latest is the highest
// number.
func TestLatestWithoutCurrent(t *testing.T) {
	kit := newSecrets(t, "a")
	checkAnswer(t, kit.Do(testkit.Owner, "POST", projectPath+"secrets/a/versions", `{"secret_string":"second","version_stages":["blue"]}`), 200, "")
	edit(t, kit, "a", func(s *csms.Secret) {
		s.Stages = slices.DeleteFunc(s.Stages, func(st csms.Stage) bool { return st.Name == csms.StageCurrent })
	})
	w := kit.Do(testkit.Owner, "GET", projectPath+"secrets/a/versions/latest", "")
	checkAnswer(t, w, 200, "")
	if !strings.Contains(w.Body.String(), `"secret_string":"second"`) {
		t.Errorf("latest: %s", w.Body)
	}
	// The next plain version has no former holder to make SYSPREVIOUS of (L4).
	checkAnswer(t, kit.Do(testkit.Owner, "POST", projectPath+"secrets/a/versions", `{"secret_string":"third"}`), 200, "")
	checkAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets/a/stages/SYSPREVIOUS", ""), 404, "CSMS.0005")
}

// TestPrimaryWithReplicas protects DEL10, M1 and W5: a primary refuses destruction
// until its replicas are gone, and shows them.
func TestPrimaryWithReplicas(t *testing.T) {
	kit := newSecrets(t, "a")
	edit(t, kit, "a", func(s *csms.Secret) {
		s.Replicas = []csms.Replica{{ID: "r", KMSKeyID: "k", ProjectID: "p", Region: "x", Type: csms.ReplicaOf, Status: "IN_SYNC", CreatedAt: 1, UpdatedAt: 2}}
	})
	checkAnswer(t, kit.Do(testkit.Owner, "DELETE", projectPath+"secrets/a", ""), 400, "CSMS.0002")
	checkAnswer(t, kit.Do(testkit.Owner, "POST", projectPath+"secrets/a/scheduled-deleted-tasks/create", ""), 400, "CSMS.0002")
	w := kit.Do(testkit.Owner, "GET", projectPath+"secrets/a", "")
	if !strings.Contains(w.Body.String(), `"replica_type":"PRIMARY","replicas":[{"id":"r",`) {
		t.Errorf("a primary: %s", w.Body)
	}
}

// TestMarkers protects P3 and V12 as properties of paging: following next_marker, for
// every page size, shows each item once and in order.
func TestMarkers(t *testing.T) {
	names := []string{"A", "B", "Z", "_", "a", "a-", "a1", "b"}
	kit := newSecrets(t, names...)
	for range 19 {
		checkAnswer(t, kit.Do(testkit.Owner, "POST", projectPath+"secrets/a/versions", `{"secret_string":"x"}`), 200, "")
	}
	for limit := 1; limit <= 21; limit++ {
		slices.Sort(names)
		if got := follow(t, kit, "secrets", "secrets", "name", limit); !slices.Equal(got, names) {
			t.Errorf("pages of %d secrets: %v", limit, got)
		}
		if got := follow(t, kit, "secrets/a/versions", "version_metadatas", "id", limit); len(got) != 20 || got[0] != "v1" || got[9] != "v10" || got[19] != "v20" {
			t.Errorf("pages of %d versions: %v", limit, got)
		}
	}
}

// follow collects a list page by page.
func follow(t *testing.T, kit *testkit.Kit, path, member, key string, limit int) []string {
	t.Helper()
	var all []string
	for query := "?limit=" + strconv.Itoa(limit); ; {
		var page map[string]any
		decodeAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+path+query, ""), &page)
		items := page[member].([]any)
		for _, item := range items {
			all = append(all, item.(map[string]any)[key].(string))
		}
		next, more := page["page_info"].(map[string]any)["next_marker"].(string)
		if len(items) > limit || len(all) > 100 {
			t.Fatalf("%d items after a page of %d", len(all), len(items))
		}
		if !more {
			return all
		}
		query = "?limit=" + strconv.Itoa(limit) + "&marker=" + next
	}
}
