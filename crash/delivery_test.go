package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/client"
)

// TestNotificationsOutliveKills adds versions to a secret whose event has a target,
// and kills the server in the middle of changes and deliveries. A notification is
// committed with its change: every acknowledged version is announced at least once,
// and none that does not exist.
func TestNotificationsOutliveKills(t *testing.T) {
	const topic = "urn:smn:self-1:crash:versions"
	target := newHook(t, func(int) int { return 200 })
	dir := workDir(t)
	data, logs := filepath.Join(dir, "data"), filepath.Join(dir, "log")
	args := []string{"server", "--config", writeConfig(t, dir, data, serverConfig+target.sinkConfig(topic, "", ""))}
	p := serve(t, logs, args...)
	owner, choose := p.account(), chance("deliveries")
	a := announced{name: "announced", made: map[string]bool{"v1": true}}
	a.begin(t, p.client(t, owner), topic)
	for range 4 {
		a.burst(t, p, owner, 1+choose.IntN(60))
		wait(p, choose.Int64N(int64(700*time.Millisecond)))
		p.kill(t)
		a.writing.Wait()
		wantWhole(t, data)
		p = serve(t, logs, args...)
	}
	target.await(t, "every acknowledged version to be announced", func(calls []string) bool { return a.missing(calls) == 0 })
	last, err := observe(t.Context(), p.client(t, owner), a.name, func(int) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	for id := range announcedIn(target.all()) {
		if number, err := versionNumber(id); err != nil || number > last.newest().Number {
			t.Errorf("%s was announced, and the newest version is v%d: %v", id, last.newest().Number, err)
		}
	}
	t.Logf("%d versions, %d calls", len(a.made), len(target.all()))
	p.stop(t)
	wantWhole(t, data)
}

// announced is a secret whose versions are announced.
type announced struct {
	name    string
	writing sync.WaitGroup

	mu   sync.Mutex
	made map[string]bool // ids of acknowledged versions
}

func (a *announced) begin(t *testing.T, c *client.Client, topic string) {
	t.Helper()
	event := json.RawMessage(eventBody("versions", topic))
	if _, err := c.Do(t.Context(), "POST", "/v1/{project_id}/csms/events", event, nil); err != nil {
		t.Fatal(err)
	}
	body := map[string]any{"name": a.name, "secret_string": "x", "event_subscriptions": []string{"versions"}}
	if _, err := c.Do(t.Context(), "POST", secretsPath, body, nil); err != nil {
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
	var answer answer
	body := map[string]any{"secret_string": "another"}
	if _, err := c.Do(ctx, "POST", secretPath(a.name, "versions"), body, &answer); err != nil {
		return err
	}
	if answer.Version == nil {
		return fmt.Errorf("a version was acknowledged without its metadata")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.made[answer.Version.ID] = true
	return nil
}

// missing counts the acknowledged versions that were not announced.
func (a *announced) missing(calls []string) int {
	told, missing := announcedIn(calls), 0
	for id := range a.made {
		if !told[id] {
			missing++
		}
	}
	return missing
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
