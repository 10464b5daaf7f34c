package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/testkit"
)

// parallel sends n requests at the same time and returns the answers.
func parallel(n int, send func(i int) *httptest.ResponseRecorder) []*httptest.ResponseRecorder {
	answers := make([]*httptest.ResponseRecorder, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			answers[i] = send(i)
		})
	}
	close(start)
	all.Wait()
	return answers
}

type versionMetadata struct {
	ID            string   `json:"id"`
	CreateTime    int64    `json:"create_time"`
	VersionStages []string `json:"version_stages"`
}

func decodeAnswer(t *testing.T, w *httptest.ResponseRecorder, v any) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil || w.Code != 200 {
		t.Fatalf("answer: %d %s", w.Code, w.Body)
	}
}

// TestParallelVersions protects V1, L1, L4 and TS4 against fifty callers at once: the
// ids are consecutive, each is given once, and the built-in labels sit on one version
// each, the newest two.
func TestParallelVersions(t *testing.T) {
	const callers = 50
	kit := testkit.New(t, testkit.Options{})
	kit.Do(testkit.Owner, "POST", projectPath+"secrets", `{"name":"a","secret_string":"x"}`)
	answers := parallel(callers, func(i int) *httptest.ResponseRecorder {
		return kit.Do(testkit.Owner, "POST", projectPath+"secrets/a/versions", fmt.Sprintf(`{"secret_string":"value %d"}`, i))
	})
	created := map[string]int{} // who made a version
	for i, w := range answers {
		var a struct {
			Metadata versionMetadata `json:"version_metadata"`
		}
		decodeAnswer(t, w, &a)
		created[a.Metadata.ID] = i
	}
	for n := 2; n <= callers+1; n++ {
		if _, ok := created[fmt.Sprintf("v%d", n)]; !ok {
			t.Errorf("v%d was given to nobody", n)
		}
	}

	var list struct {
		Versions []versionMetadata `json:"version_metadatas"`
	}
	decodeAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets/a/versions", ""), &list)
	holders := map[string][]string{}
	for i, v := range list.Versions {
		for _, stage := range v.VersionStages {
			holders[stage] = append(holders[stage], v.ID)
		}
		if i > 0 && v.CreateTime <= list.Versions[i-1].CreateTime {
			t.Errorf("TS4: create_time of %s is %d after %d", v.ID, v.CreateTime, list.Versions[i-1].CreateTime)
		}
	}
	want := map[string][]string{"SYSCURRENT": {"v51"}, "SYSPREVIOUS": {"v50"}}
	if diff := cmp.Diff(want, holders); diff != "" || len(list.Versions) != 20 {
		t.Errorf("%d versions, labels (-want +got):\n%s", len(list.Versions), diff)
	}
	for _, v := range list.Versions {
		w := kit.Do(testkit.Owner, "GET", projectPath+"secrets/a/versions/"+v.ID, "")
		if want := fmt.Sprintf(`"secret_string":"value %d"`, created[v.ID]); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s has not the value of who made it: %s", v.ID, w.Body)
		}
	}
}

// TestParallelCreations protects N3 and N4: of fifty callers one creates the secret,
// and it holds his value.
func TestParallelCreations(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	for round := range 20 {
		name := fmt.Sprintf("a%d", round)
		answers := parallel(50, func(i int) *httptest.ResponseRecorder {
			return kit.Do(testkit.Owner, "POST", projectPath+"secrets", fmt.Sprintf(`{"name":"%s","secret_string":"value %d"}`, name, i))
		})
		winner := -1
		for i, w := range answers {
			switch w.Code {
			case http.StatusOK:
				if winner >= 0 {
					t.Errorf("%d and %d both created it", winner, i)
				}
				winner = i
			default:
				checkAnswer(t, w, 400, "CSMS.0002")
			}
		}
		w := kit.Do(testkit.Owner, "GET", projectPath+"secrets/"+name+"/versions/latest", "")
		checkAnswer(t, w, 200, "")
		if want := fmt.Sprintf(`"secret_string":"value %d"`, winner); !strings.Contains(w.Body.String(), want) {
			t.Errorf("the secret holds %s; want %s", w.Body, want)
		}
	}
}

// TestVersionsAgainstRecreation protects DEL2: while a secret is destroyed and made
// anew, versions that were meant for the old one do not get into the new one, where
// they could not be opened.
func TestVersionsAgainstRecreation(t *testing.T) {
	kit := newSecrets(t, "a")
	for range 100 {
		parallel(6, func(i int) *httptest.ResponseRecorder {
			if i == 3 {
				kit.Do(testkit.Owner, "DELETE", projectPath+"secrets/a", "")
				return kit.Do(testkit.Owner, "POST", projectPath+"secrets", `{"name":"a","secret_string":"x"}`)
			}
			w := kit.Do(testkit.Owner, "POST", projectPath+"secrets/a/versions", `{"secret_string":"y"}`)
			if w.Code != http.StatusOK && w.Code != http.StatusNotFound {
				t.Errorf("a version: %d %s", w.Code, w.Body)
			}
			return w
		})
		for _, id := range follow(t, kit, "secrets/a/versions", "version_metadatas", "id", 1000) {
			checkAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets/a/versions/"+id, ""), 200, "")
		}
	}
}

// TestParallelQuota protects the quota of secrets: of twenty callers with names of
// their own as many succeed as there is room.
func TestParallelQuota(t *testing.T) {
	kit := testkit.New(t, testkit.Options{Limits: corpusLimits})
	answers := parallel(20, func(i int) *httptest.ResponseRecorder {
		return kit.Do(testkit.Owner, "POST", projectPath+"secrets", fmt.Sprintf(`{"name":"a%d","secret_string":"x"}`, i))
	})
	made := slices.DeleteFunc(answers, func(w *httptest.ResponseRecorder) bool { return w.Code != http.StatusOK })
	if len(made) != corpusLimits.SecretsPerProject {
		t.Errorf("%d secrets were made; the quota is %d", len(made), corpusLimits.SecretsPerProject)
	}
}

// TestRestoreAgainstPurge protects S3, S5 and DEL7 at the instant at which a secret is
// due: RestoreSecret and the sweep agree on one outcome.
func TestRestoreAgainstPurge(t *testing.T) {
	const rounds, week = 300, 7 * 24 * time.Hour
	kit := testkit.New(t, testkit.Options{})
	outcomes := map[bool]int{}
	for range rounds {
		kit.Do(testkit.Owner, "POST", projectPath+"secrets", `{"name":"a","secret_string":"x"}`)
		kit.Do(testkit.Owner, "POST", projectPath+"secrets/a/scheduled-deleted-tasks/create", `{"recovery_window_in_days":7}`)
		kit.Move(week - time.Millisecond)
		purged := 0
		answers := parallel(2, func(i int) *httptest.ResponseRecorder {
			if i == 0 {
				return kit.Do(testkit.Owner, "POST", projectPath+"secrets/a/scheduled-deleted-tasks/cancel", "")
			}
			kit.Move(time.Millisecond)
			var err error
			if purged, err = kit.Service.RunDue(t.Context()); err != nil {
				t.Error(err)
			}
			return nil
		})
		restored := answers[0].Code == http.StatusOK
		outcomes[restored]++
		checkOutcome(t, kit, answers[0], restored, purged)
	}
	t.Logf("restored in %d rounds, destroyed in %d", outcomes[true], outcomes[false])
}

// checkOutcome checks that a secret was either restored and is whole, or destroyed
// and is gone.
func checkOutcome(t *testing.T, kit *testkit.Kit, answer *httptest.ResponseRecorder, restored bool, purged int) {
	t.Helper()
	show, value := kit.Do(testkit.Owner, "GET", projectPath+"secrets/a", ""), kit.Do(testkit.Owner, "GET", projectPath+"secrets/a/versions/v1", "")
	if !restored {
		checkAnswer(t, answer, 404, "CSMS.0106")
		checkAnswer(t, show, 404, "CSMS.0106")
		checkAnswer(t, value, 404, "CSMS.0106")
		if purged != 1 {
			t.Errorf("refused, and the sweep destroyed %d", purged)
		}
		return
	}
	var a struct {
		Secret struct {
			State               string `json:"state"`
			ScheduledDeleteTime *int64 `json:"scheduled_delete_time"`
		} `json:"secret"`
	}
	decodeAnswer(t, show, &a)
	if a.Secret.State != "ENABLED" || a.Secret.ScheduledDeleteTime != nil || purged != 0 {
		t.Errorf("restored: %s, and the sweep destroyed %d", show.Body, purged)
	}
	checkAnswer(t, value, 200, "")
	checkAnswer(t, kit.Do(testkit.Owner, "DELETE", projectPath+"secrets/a", ""), 204, "")
}
