package store

import (
	"cmp"
	"context"
	"iter"

	"coffer/internal/csms"
)

// Topic is a topic of SMN. A topic that the configuration names has no record before
// somebody changes it.
type Topic struct {
	ProjectID    string      `cbor:"1,keyasint"`
	Name         string      `cbor:"2,keyasint"` // unique in the project
	ID           string      `cbor:"3,keyasint"` // unique in the store; the queue of what is published
	DisplayName  string      `cbor:"4,keyasint,omitempty"`
	AccessPolicy string      `cbor:"5,keyasint,omitempty"`
	Introduction string      `cbor:"6,keyasint,omitempty"`
	Tags         []KeyTag    `cbor:"7,keyasint,omitempty"` // ascending by key
	CreateTime   csms.Millis `cbor:"8,keyasint"`
	UpdateTime   csms.Millis `cbor:"9,keyasint"`
	LastMessage  int         `cbor:"10,keyasint,omitempty"` // number of the last message published to it

	// Deleted says that there is no such topic, although the configuration names it.
	// Only ID and LastMessage mean anything then.
	Deleted bool `cbor:"11,keyasint,omitempty"`

	EnterpriseProjectID string `cbor:"12,keyasint,omitempty"` // "" for the default one
}

// InEnterpriseProject returns the id of the enterprise project of the topic.
func (t *Topic) InEnterpriseProject() string {
	return cmp.Or(t.EnterpriseProjectID, csms.DefaultEnterpriseProject)
}

// Topic returns the record of a topic, deleted or not, or ErrNotFound. It is shared
// and must not be changed.
func (s *Store) Topic(ctx context.Context, project, name string) (*Topic, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, nameKey(buf[:0], tableTopic, project, name), topicKind.decode)
}

// TopicByID returns the record of the topic of that id, deleted or not, or
// ErrNotFound. It is shared and must not be changed.
func (s *Store) TopicByID(ctx context.Context, id string) (*Topic, error) {
	var buf [keyBuffer]byte
	return cachedByRow(ctx, s, idKey(buf[:0], tableTopicID, id), &topicKind, func(t *Topic) bool { return t.ID == id })
}

// Topic returns the record of a topic, deleted or not, or ErrNotFound.
func (t *Tx) Topic(project, name string) (*Topic, error) {
	return load(t, &topicKind, nameKey(nil, tableTopic, project, name))
}

// PutTopic writes a topic, new or changed.
func (t *Tx) PutTopic(topic *Topic) error { return write(t, &topicKind, topic) }

// DeleteTopic removes the record of a topic, or returns ErrNotFound. What was
// published to it stays in the outbox.
func (t *Tx) DeleteTopic(topic *Topic) error { return erase(t, &topicKind, topicKind.key(topic)) }

// Topics yields the records of the topics of a project by name, deleted ones too.
func (v *View) Topics(project string) iter.Seq2[*Topic, error] {
	return records(v, &topicKind, start(nil, tableTopic).text(project).under())
}
