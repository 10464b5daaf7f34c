package crash

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/client"
	"coffer/internal/wire"
)

// TestNotificationsOutliveKills adds versions to a secret whose event has a target,
// and kills the server in the middle of changes and deliveries. A notification is
// committed with its change (law 4 of the design): every version that exists is
// announced at least once, whether its client was told of it or not, and none that
// does not exist.
func TestNotificationsOutliveKills(t *testing.T) {
	const topic = "urn:smn:self-1:crash:versions"
	target := newHook(t, func(int) int { return http.StatusOK })
	dir := workDir(t)
	data, logs := filepath.Join(dir, "data"), filepath.Join(dir, "log")
	args := []string{"server", "--config", writeConfig(t, dir, data, serverConfig+target.sinkConfig(topic, "", ""))}
	p := serve(t, logs, args...)
	owner, choose := p.account(), chance("deliveries")
	a := announced{name: "announced"}
	a.begin(t, p.client(t, owner), topic)
	for range 4 {
		a.burst(t, p, owner, 1+choose.IntN(60))
		wait(p, choose.Int64N(int64(700*time.Millisecond)))
		p.kill(t)
		a.writing.Wait()
		wantWhole(t, data)
		p = serve(t, logs, args...)
	}
	got, err := observe(t.Context(), p.client(t, owner), a.name, func(int) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	last := got.newest().Number
	if acknowledged := int(a.newest.Load()); last < acknowledged {
		t.Errorf("v%d was acknowledged, and the newest version is v%d", acknowledged, last)
	}
	target.await(t, "every version to be announced", func(calls []string) bool { return allAnnounced(calls, last) })
	for id := range announcedIn(target.all()) {
		if number, err := versionNumber(id); err != nil || number > last {
			t.Errorf("%s was announced, and the newest version is v%d: %v", id, last, err)
		}
	}
	t.Logf("%d versions, %d calls", last, len(target.all()))
	p.stop(t)
	wantWhole(t, data)
}

// announced is a secret whose versions are announced.
type announced struct {
	name    string
	writing sync.WaitGroup
	newest  atomic.Int64 // acknowledged version
}

func (a *announced) begin(t *testing.T, c *client.Client, topic string) {
	t.Helper()
	event := json.RawMessage(eventBody("versions", topic))
	if _, err := c.Do(t.Context(), http.MethodPost, "/v1/{project_id}/csms/events", event, nil); err != nil {
		t.Fatal(err)
	}
	body := map[string]any{"name": a.name, "secret_string": "x", "event_subscriptions": []string{"versions"}}
	if _, err := c.Do(t.Context(), http.MethodPost, secretsPath, body, nil); err != nil {
		t.Fatal(err)
	}
}

// burst lets three clients add versions, and returns once n are acknowledged.
func (a *announced) burst(t *testing.T, p *process, owner account, n int) {
	t.Helper()
	b := newBurst(n)
	for range 3 {
		c := p.client(t, owner)
		a.writing.Go(func() {
			for a.add(t.Context(), c) == nil {
				if b.acks.Add(1) == b.goal {
					close(b.reached)
				}
			}
		})
	}
	b.await(t, p)
}

func (a *announced) add(ctx context.Context, c *client.Client) error {
	var answer wire.VersionMetadataAnswer
	body := map[string]any{"secret_string": "another"}
	if _, err := c.Do(ctx, http.MethodPost, secretPath(a.name, "versions"), body, &answer); err != nil {
		return err
	}
	number, err := versionNumber(answer.VersionMetadata.ID)
	for old := a.newest.Load(); int64(number) > old && !a.newest.CompareAndSwap(old, int64(number)); {
		old = a.newest.Load()
	}
	return err
}

// allAnnounced reports whether v1 and all versions up to the last are in
// notifications.
func allAnnounced(calls []string, last int) bool {
	told := announcedIn(calls)
	for number := 1; number <= last; number++ {
		if !told[versionID(number)] {
			return false
		}
	}
	return true
}

// announcedIn returns the ids of versions in notifications.
func announcedIn(calls []string) map[string]bool {
	ids := map[string]bool{}
	for _, call := range calls {
		_, rest, _ := strings.Cut(call, `"version_id":"`)
		id, _, ok := strings.Cut(rest, `"`)
		if ok {
			ids[id] = true
		}
	}
	return ids
}
