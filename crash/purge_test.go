package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"coffer/internal/client"
)

// TestRestoreSecretAgainstPurge lets RestoreSecret of many secrets run against the
// moment at which they are destroyed (DEL5, DEL7). Each ends in exactly one of the
// two outcomes: restored with all its versions and labels, or gone with all of them.
func TestRestoreSecretAgainstPurge(t *testing.T) {
	r := newRace(t)
	for range 3 {
		p := serve(t, r.logs, r.args...)
		secrets := r.prepare(t, p)
		outcomes := r.run(t, p, secrets, nil)
		c, restored := p.client(t, devAccount), 0
		for i, s := range secrets {
			if outcomes[i] == nil {
				s.restore()
				restored++
			}
			if err := r.wantOutcome(t.Context(), c, s, outcomes[i]); err != nil {
				t.Error(err)
			}
		}
		t.Logf("%d of %d secrets were restored", restored, len(secrets))
		p.stop(t)
		wantWhole(t, r.data)
	}
}

// TestRestoreSecretAgainstPurgeAndKill kills the server in the middle of the same
// race. The held clock begins anew with the process, so a secret that was not
// destroyed yet is scheduled as before; no secret is half there.
func TestRestoreSecretAgainstPurgeAndKill(t *testing.T) {
	r := newRace(t)
	for range 3 {
		p := serve(t, r.logs, r.args...)
		secrets := r.prepare(t, p)
		outcomes := r.run(t, p, secrets, func() { wait(p, r.chance.Int64N(int64(20*time.Millisecond))); p.kill(t) })
		wantWhole(t, r.data)
		p = serve(t, r.logs, r.args...)
		c := p.client(t, devAccount)
		for i, s := range secrets {
			if err := r.wantOneOf(t.Context(), c, s, outcomes[i]); err != nil {
				t.Error(err)
			}
		}
		p.stop(t)
	}
}

// race is a `coffer dev` over a data directory, whose clock can be moved.
type race struct {
	data, logs string
	args       []string
	chance     *rand.Rand
	w          *writer
}

func newRace(t *testing.T) *race {
	t.Helper()
	dir := workDir(t)
	r := &race{data: filepath.Join(dir, "data"), logs: filepath.Join(dir, "log"), chance: chance(t.Name()), w: newWriter("raced", &tally{})}
	r.args = []string{"dev", "--listen", "127.0.0.1:0", "--data", r.data}
	return r
}

const racedSecrets = 24

// prepare makes secrets with two versions that are scheduled for deletion.
func (r *race) prepare(t *testing.T, p *process) []*secret {
	t.Helper()
	c := p.client(t, devAccount)
	secrets := make([]*secret, racedSecrets)
	for i := range secrets {
		name := r.w.newName()
		for _, wr := range []*write{
			r.w.creation(name), createVersion(name, aValue(r.chance), nil), moveStage(name, labels[0], 1), scheduleDeletion(name, 7),
		} {
			if err := r.w.send(t.Context(), c, wr); err != nil {
				t.Fatal(err)
			}
		}
		secrets[i] = r.w.secrets[name]
	}
	return secrets
}

// run moves the clock to where all secrets are due and restores each of them, all at
// once. It returns what each RestoreSecret was answered.
func (r *race) run(t *testing.T, p *process, secrets []*secret, meanwhile func()) []error {
	t.Helper()
	outcomes := make([]error, len(secrets))
	var racing sync.WaitGroup
	start := make(chan struct{})
	for i, s := range secrets {
		c, wr := p.client(t, devAccount), restoreSecret(s.Name)
		racing.Go(func() {
			<-start
			_, outcomes[i] = c.Do(t.Context(), wr.method, wr.path, nil, nil)
		})
	}
	racing.Go(func() {
		<-start
		answer, err := send(t.Context(), p, request{method: http.MethodPost, path: "/dev/clock", body: `{"advance":"168h"}`})
		if meanwhile == nil && (err != nil || answer.status != http.StatusOK) {
			t.Errorf("moving the clock: %v %d %s", err, answer.status, answer.body)
		}
	})
	close(start)
	if meanwhile != nil {
		meanwhile()
	}
	racing.Wait()
	return outcomes
}

// wantOutcome holds a secret against the answer to RestoreSecret: it is whole, or
// gone and its name free.
func (r *race) wantOutcome(ctx context.Context, c *client.Client, s *secret, outcome error) error {
	got, err := observe(ctx, c, s.Name, func(int) bool { return true })
	if err != nil {
		return fmt.Errorf("after RestoreSecret: %w", errors.Join(outcome, err))
	}
	if outcome == nil {
		if diff := compare(s, got); diff != "" {
			return fmt.Errorf("%s was restored and is wrong: %s", s.Name, diff)
		}
		return nil
	}
	if !isStatus(outcome, http.StatusNotFound) {
		return fmt.Errorf("RestoreSecret of %s was answered with %w, want 404", s.Name, outcome)
	}
	if got != nil {
		return fmt.Errorf("RestoreSecret found no %s, and it exists (%s)", s.Name, got.State)
	}
	wr := createSecret(s.Name, value{"secret_string", "again"}, "")
	_, err = c.Do(ctx, wr.method, wr.path, wr.body, nil)
	return err
}

// wantOneOf holds a secret after a kill against all that can have become of it.
func (r *race) wantOneOf(ctx context.Context, c *client.Client, s *secret, outcome error) error {
	got, err := observe(ctx, c, s.Name, func(int) bool { return true })
	if err != nil {
		return err
	}
	restored := s.clone()
	restored.restore()
	asRestored, asScheduled, asGone := compare(restored, got), compare(s, got), compare(nil, got)
	answered := (*client.Error)(nil)
	switch {
	case outcome == nil && asRestored == "":
		return nil
	case outcome == nil:
		return fmt.Errorf("%s was restored and is wrong: %s", s.Name, asRestored)
	case errors.As(outcome, &answered) && answered.Status != http.StatusNotFound:
		return fmt.Errorf("RestoreSecret of %s was answered with %w", s.Name, outcome)
	case asGone == "" || asScheduled == "" || asRestored == "" && answered == nil:
		return nil
	default:
		return fmt.Errorf("%s (RestoreSecret: %w) is half there.\nIf it was not destroyed: %s\nIf it was restored: %s", s.Name, outcome, asScheduled, asRestored)
	}
}
