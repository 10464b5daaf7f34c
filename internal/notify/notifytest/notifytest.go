// Package notifytest is the suite that every engine of notify passes.
//
// The rule that keeps it honest: it looks at what the target has got, not at what the
// engine says it sent; so a case needs a real target of the engine's kind.
package notifytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/notify"
)

// Secret is a text that a harness configures as credential where its engine has one.
// It must not show up in an error.
const Secret = "CANARY-of-the-sink-credential"

// Harness is one engine in front of one target that the test holds.
type Harness struct {
	Sink notify.Sink

	// Received returns the documents that the target has accepted, in order.
	Received func() []string

	// Answer makes the target behave so that a delivery ends with that class, until it
	// is called with Delivered. It reports false for a class that a target of this
	// kind has no way to express.
	Answer func(notify.Class) bool

	// DropsRepetitions says that a target of this kind knows messages by their id, and
	// takes each once.
	DropsRepetitions bool
}

// Run runs the suite. newHarness is called for each case and cleans up with the test.
func Run(t *testing.T, newHarness func(t *testing.T) *Harness) {
	t.Run("delivers the document as it is", func(t *testing.T) { testDocument(t, newHarness(t)) })
	t.Run("keeps the order of one caller", func(t *testing.T) { testOrder(t, newHarness(t)) })
	t.Run("sends a repeated message again", func(t *testing.T) { testRepetition(t, newHarness(t)) })
	t.Run("tells every class and recovers", func(t *testing.T) { testClasses(t, newHarness(t)) })
	t.Run("gives up with its context", func(t *testing.T) { testContext(t, newHarness(t)) })
	t.Run("serves many callers", func(t *testing.T) { testCallers(t, newHarness(t)) })
}

// Message returns a message with a document that names it, in a project of a topic.
func Message(n int) *notify.Message {
	id := fmt.Sprintf("00000000-0000-8000-8000-%012d", n)
	return &notify.Message{
		ID: id, Type: "SECRET_VERSION_CREATED", Time: time.UnixMilli(1_767_225_600_000), Region: "cn-north-4",
		ProjectID: "c0000000000000000000000000000001", SecretName: "demo-secret", TopicURN: "urn:smn:cn-north-4:c0000000000000000000000000000001:topic",
		Document: fmt.Appendf(nil, `{"version":"1","event_id":%q,"secret_name":"demo-secret","detail":"<&> \"中\""}`, id),
	}
}

// Publication returns a message that somebody published to the topic.
func Publication(n int) *notify.Message {
	m := Message(n)
	m.Type, m.SecretName = "Notification", ""
	m.Published = &notify.Published{Subject: "Ünder way", Text: "Line one\nline two"}
	m.Document = fmt.Appendf(nil, `{"version":"1","type":"Notification","message_id":%q,"subject":"Ünder way","message":"Line one\nline two"}`, m.ID)
	return m
}

func deliver(t *testing.T, h *Harness, n int) {
	t.Helper()
	if err := h.Sink.Deliver(t.Context(), Message(n)); err != nil {
		t.Fatalf("message %d: %v", n, err)
	}
}

// received compares what the target got with the documents of messages.
func received(t *testing.T, h *Harness, numbers ...int) {
	t.Helper()
	var want []string
	for _, n := range numbers {
		want = append(want, string(Message(n).Document))
	}
	if diff := cmp.Diff(want, h.Received()); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

func testDocument(t *testing.T, h *Harness) {
	m := Message(1)
	deliver(t, h, 1)
	received(t, h, 1)
	if diff := cmp.Diff(Message(1), m); diff != "" {
		t.Errorf("the message was changed (-want +got):\n%s", diff)
	}
}

func testOrder(t *testing.T, h *Harness) {
	for _, n := range []int{3, 1, 2} {
		deliver(t, h, n)
	}
	received(t, h, 3, 1, 2)
}

func testRepetition(t *testing.T, h *Harness) {
	deliver(t, h, 1)
	deliver(t, h, 2)
	deliver(t, h, 1)
	if h.DropsRepetitions {
		received(t, h, 1, 2)
		return
	}
	received(t, h, 1, 2, 1)
}

func testClasses(t *testing.T, h *Harness) {
	for _, class := range []notify.Class{notify.Retry, notify.Invalid, notify.Failed} {
		if !h.Answer(class) {
			continue
		}
		err := h.Sink.Deliver(t.Context(), Message(1))
		if got := notify.ClassOf(err); got != class {
			t.Errorf("class %s for %v; want %s", got, err, class)
		}
		if err != nil && strings.Contains(err.Error(), Secret) {
			t.Errorf("the error holds the credential: %v", err)
		}
		h.Answer(notify.Delivered)
		received(t, h)
	}
	deliver(t, h, 2)
	received(t, h, 2)
}

// A caller whose time is up has no outcome, so the message is to be tried again.
func testContext(t *testing.T, h *Harness) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := h.Sink.Deliver(ctx, Message(1))
	if class := notify.ClassOf(err); class != notify.Retry && class != notify.Delivered {
		t.Errorf("class %s for %v", class, err)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; want one under %v", err, context.Canceled)
	}
	deliver(t, h, 2)
	if got := h.Received(); got[len(got)-1] != string(Message(2).Document) {
		t.Errorf("received %q", got)
	}
}

func testCallers(t *testing.T, h *Harness) {
	var all sync.WaitGroup
	var want []string
	for n := range 20 {
		want = append(want, string(Message(n).Document))
		all.Go(func() {
			if err := h.Sink.Deliver(t.Context(), Message(n)); err != nil {
				t.Errorf("message %d: %v", n, err)
			}
		})
	}
	all.Wait()
	got := h.Received()
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
	for _, document := range got {
		if !json.Valid([]byte(document)) {
			t.Errorf("not a whole document: %q", document)
		}
	}
}
