// Package notify is the port through which messages leave Coffer: one message to one
// target. Engines are folders below it; notifytest is the suite that each passes.
//
// The rule that keeps it honest: a sink decides nothing but how one delivery ended.
// It keeps no queue, tries nothing again and remembers no message; order, repetition
// and records are the business of who calls it. A message may come more than once
// with the same id.
package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Message is what a sink delivers.
type Message struct {
	ID         string // the same at every repetition: the idempotency key
	Type       string // as in the document, such as SECRET_ROTATED
	Time       time.Time
	Region     string
	ProjectID  string
	SecretName string
	TopicURN   string
	Document   []byte // JSON (neighbours.md 2.3); not to be changed

	// Published is what somebody published to the topic; nil for an event of a secret.
	Published *Published
}

// Published is a publication, for sinks that show more than the document or less.
type Published struct {
	Subject string // "" for none
	Text    string
}

// TopicName returns the last part of the topic URN.
func (m *Message) TopicName() string {
	return m.TopicURN[strings.LastIndexByte(m.TopicURN, ':')+1:]
}

// Sink delivers messages to one target. It is safe for concurrent use.
type Sink interface {
	// Deliver returns nil once the target has accepted the message. An error says by
	// its Class what is to become of the message, and holds no credentials.
	Deliver(ctx context.Context, m *Message) error
	// Close releases what the sink holds. Nothing is delivered after it.
	Close() error
}

// Class says what is to become of a message that was not accepted.
type Class uint8

// The classes.
const (
	Delivered Class = iota // the target has the message
	Retry                  // not now: it is to be tried again
	Invalid                // the target itself is unusable: no use to try again
	Failed                 // the target refuses the message for good
)

// String returns the class as a word.
func (c Class) String() string {
	return [...]string{"delivered", "retry", "invalid", "failed"}[c]
}

// classified is an error of a class.
type classified struct {
	error
	class Class
}

func (e *classified) Unwrap() error { return e.error }

// Invalidf returns an error of class Invalid.
func Invalidf(format string, args ...any) error {
	return &classified{fmt.Errorf(format, args...), Invalid}
}

// Failedf returns an error of class Failed.
func Failedf(format string, args ...any) error {
	return &classified{fmt.Errorf(format, args...), Failed}
}

// ClassOf returns the class of the outcome err: Delivered for nil, and Retry for an
// error that no sink has classified.
func ClassOf(err error) Class {
	if err == nil {
		return Delivered
	}
	if c := (*classified)(nil); errors.As(err, &c) {
		return c.class
	}
	return Retry
}
