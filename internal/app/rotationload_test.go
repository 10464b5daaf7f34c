package app

import (
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"sync"
	"testing"

	"coffer/internal/rotate/database"
)

// readers are clients that read a secret and log in with it, over and over.
type readers struct {
	mu      sync.Mutex
	moved   *sync.Cond
	cycles  []int
	refused int
	stopped bool
	all     sync.WaitGroup
}

func startReaders(t *testing.T, s *site, name string, count int) *readers {
	t.Helper()
	r := &readers{cycles: make([]int, count)}
	r.moved = sync.NewCond(&r.mu)
	for i := range count {
		r.all.Go(func() {
			for r.note(i, s.login(t, name)) {
			}
		})
	}
	return r
}

// login reads the current value and logs in with it, and reports whether that was
// refused.
func (s *site) login(t *testing.T, name string) (refused bool) {
	var answer struct {
		Version struct {
			Text string `json:"secret_string"`
		}
	}
	var value struct{ Username, Password string }
	_, err := s.client.Do(t.Context(), "GET", secretsPath+"/"+name+"/versions/latest", nil, &answer)
	if err := errors.Join(err, json.Unmarshal([]byte(answer.Version.Text), &value)); err != nil {
		t.Errorf("reading %s: %v", name, err)
		return true
	}
	err = s.engine.Verify(t.Context(), value.Username, []byte(value.Password))
	if code := database.CodeOf(err); code != "" && code != database.LoginRefused {
		t.Errorf("login of %s: %v", value.Username, err)
	}
	return err != nil
}

// note writes down a login of reader i and reports whether to go on.
func (r *readers) note(i int, refused bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cycles[i]++
	if refused {
		r.refused++
	}
	r.moved.Broadcast()
	return !r.stopped
}

// wait returns once every reader has begun and ended a login.
func (r *readers) wait() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, from := range append([]int(nil), r.cycles...) {
		for r.cycles[i] < from+2 {
			r.moved.Wait()
		}
	}
}

// stop ends the readers and returns how many logins there were and were refused.
func (r *readers) stop() (logins, refused int) {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.all.Wait()
	for _, n := range r.cycles {
		logins += n
	}
	return logins, r.refused
}

// rotations is how many rotations testLoad makes; COFFER_ROTATIONS asks for more.
func rotations(t *testing.T) int {
	t.Helper()
	text := os.Getenv("COFFER_ROTATIONS")
	if text == "" {
		return 10
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// testLoad rotates while clients read and log in, each of whom takes less time than from
// one rotation to the next. It returns how many logins were refused.
func testLoad(t *testing.T, s *site, name string) int {
	t.Helper()
	r := startReaders(t, s, name, 4)
	count := rotations(t)
	for range count {
		r.wait()
		if got := s.rotate(t, name); got.Status != "SUCCESS" {
			t.Errorf("%+v", got)
		}
	}
	r.wait()
	logins, refused := r.stop()
	t.Logf("%s: %d rotations, %d logins, %d refused", name, count, logins, refused)
	return refused
}
