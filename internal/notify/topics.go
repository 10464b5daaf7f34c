package notify

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// Topics binds topic URNs to sinks. It is not changed once built.
type Topics map[string]Sink

// Deliver hands m to the sink of its topic. A topic without one is Invalid, as a
// topic that does not exist is in the cloud (neighbours.md 2.4).
func (t Topics) Deliver(ctx context.Context, m *Message) error {
	sink, bound := t[m.TopicURN]
	if !bound {
		return Invalidf("no sink is bound to the topic %s", m.TopicURN)
	}
	return sink.Deliver(ctx, m)
}

// URNs returns the topics that sinks are bound to, in order.
func (t Topics) URNs() []string { return slices.Sorted(maps.Keys(t)) }

// Close closes every sink.
func (t Topics) Close() error {
	var errs []error
	for _, sink := range t {
		errs = append(errs, sink.Close())
	}
	return errors.Join(errs...)
}
