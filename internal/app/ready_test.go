package app

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A server that is stopping is not ready, so that a balancer sends nothing more.
func TestAStoppingServerIsNotReady(t *testing.T) {
	d := DefaultDevConfig()
	d.Listen = "127.0.0.1:0"
	s, err := NewDev(t.Context(), d, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	probe := func() int {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		return w.Code
	}
	if got := probe(); got != http.StatusOK {
		t.Errorf("running: %d", got)
	}
	s.stopping.Store(true)
	if got := probe(); got != http.StatusServiceUnavailable {
		t.Errorf("stopping: %d", got)
	}
}

// The printed reference is a configuration: it parses, and says what the defaults say.
func TestTheReferenceParsesBackToTheDefaults(t *testing.T) {
	var text writer
	if err := WriteReference(&text); err != nil {
		t.Fatal(err)
	}
	got, err := parseConfig([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	want := DefaultConfig()
	if diff := diffConfig(want, got); diff != "" {
		t.Errorf("(-defaults +reference):\n%s", diff)
	}
	if _, err := parseConfig([]byte("lisen: 127.0.0.1:1\n")); err == nil {
		t.Error("a key that does not exist is taken")
	}
}

type writer string

func (w *writer) Write(b []byte) (int, error) {
	*w += writer(b)
	return len(b), nil
}

func diffConfig(want, got Config) string { return cmp.Diff(want, got, cmpopts.EquateEmpty()) }
