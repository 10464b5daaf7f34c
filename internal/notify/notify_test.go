package notify

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// answers is a target that answers what the test says.
type answers struct {
	err    error
	calls  int
	closed bool
}

func (a *answers) Deliver(context.Context, *Message) error { a.calls++; return a.err }
func (a *answers) Close() error                            { a.closed = true; return nil }

func TestClassOf(t *testing.T) {
	plain := errors.New("plain")
	for _, tc := range []struct {
		err  error
		want Class
	}{
		{nil, Delivered},
		{plain, Retry},
		{Invalidf("x: %w", plain), Invalid},
		{fmt.Errorf("around: %w", Failedf("x")), Failed},
		{ErrOpen, Retry},
	} {
		if got := ClassOf(tc.err); got != tc.want {
			t.Errorf("ClassOf(%v) = %s, want %s", tc.err, got, tc.want)
		}
	}
	if !errors.Is(Invalidf("x: %w", plain), plain) {
		t.Error("the cause is lost")
	}
}

func TestATopicWithoutASinkIsInvalid(t *testing.T) {
	target := &answers{}
	topics := Topics{"urn:a": target}
	if err := topics.Deliver(t.Context(), &Message{TopicURN: "urn:b"}); ClassOf(err) != Invalid || target.calls != 0 {
		t.Errorf("unbound: %v, %d calls", err, target.calls)
	}
	if err := topics.Deliver(t.Context(), &Message{TopicURN: "urn:a"}); err != nil || target.calls != 1 {
		t.Errorf("bound: %v, %d calls", err, target.calls)
	}
	if err := topics.Close(); err != nil || !target.closed {
		t.Errorf("Close: %v, %v", err, target.closed)
	}
}

// P5: five failures in a row and the target is left alone for ten seconds, then one
// message finds out.
func TestBreaker(t *testing.T) {
	now := time.Unix(0, 0)
	target := &answers{err: errors.New("down")}
	b := NewBreaker(target, func() time.Time { return now })
	deliver := func(wantCalls int, want error) {
		t.Helper()
		if err := b.Deliver(t.Context(), &Message{}); !errors.Is(err, want) || target.calls != wantCalls {
			t.Errorf("after %d calls: %v; want %d calls and %v", target.calls, err, wantCalls, want)
		}
	}
	for i := range maxFailures {
		deliver(i+1, target.err)
	}
	deliver(5, ErrOpen)
	now = now.Add(openFor)
	deliver(6, target.err)
	deliver(6, ErrOpen)
	now = now.Add(openFor)
	target.err = nil
	deliver(7, nil)
	deliver(8, nil)

	target.err = Failedf("it does not like this one")
	for i := range 2 * maxFailures {
		deliver(9+i, target.err)
	}
	if err := b.Close(); err != nil || !target.closed {
		t.Errorf("Close: %v", err)
	}
}
