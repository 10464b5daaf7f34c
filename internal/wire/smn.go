package wire

import (
	"encoding/json"
	"time"

	"coffer/internal/csms"
)

// The shapes of the SMN API. Every answer with a body has the request id in it.

// SMNError is the body of an error of SMN: flat, with names of its own.
type SMNError struct {
	RequestID string `json:"request_id"`
	Code      string `json:"code"`
	Message   string `json:"message"`
}

// Requested is the answer of operations that tell nothing else.
type Requested struct {
	RequestID string `json:"request_id"`
}

// UTC is an instant as text: YYYY-MM-DDTHH:MM:SSZ.
type UTC csms.Millis

// MarshalText writes the text.
func (u UTC) MarshalText() ([]byte, error) {
	return time.UnixMilli(int64(u)).UTC().AppendFormat(nil, "2006-01-02T15:04:05Z"), nil
}

// CreateTopicRequest is the body of CreateTopic.
type CreateTopicRequest struct {
	Name                string `json:"name"`
	DisplayName         string `json:"display_name"`
	EnterpriseProjectID string `json:"enterprise_project_id"`
}

// UpdateTopicRequest is the body of UpdateTopic. Terraform leaves an empty name out.
type UpdateTopicRequest struct {
	DisplayName string `json:"display_name"`
}

// UpdateTopicAttributeRequest is the body of UpdateTopicAttribute.
type UpdateTopicAttributeRequest struct {
	Value *string `json:"value"`
}

// TopicURN is the answer of CreateTopic.
type TopicURN struct {
	RequestID string `json:"request_id"`
	TopicURN  string `json:"topic_urn"`
}

// Topic is a topic in a list.
type Topic struct {
	TopicURN            string `json:"topic_urn"`
	Name                string `json:"name"`
	DisplayName         string `json:"display_name"`
	PushPolicy          int    `json:"push_policy"` // 0: what is not delivered is tried again
	EnterpriseProjectID string `json:"enterprise_project_id"`
	TopicID             string `json:"topic_id"`
	CreateTime          UTC    `json:"create_time"`
	UpdateTime          UTC    `json:"update_time"`
}

// TopicDetails is the answer of ListTopicDetails.
type TopicDetails struct {
	RequestID string `json:"request_id"`
	Topic
}

// TopicList is the answer of ListTopics.
type TopicList struct {
	RequestID  string  `json:"request_id"`
	TopicCount int     `json:"topic_count"`
	Topics     []Topic `json:"topics"`
}

// TopicAttributes is the answer of ListTopicAttributes. An attribute that is not set
// is absent.
type TopicAttributes struct {
	RequestID  string         `json:"request_id"`
	Attributes TopicAttribute `json:"attributes"`
}

// TopicAttribute holds the attributes of a topic.
type TopicAttribute struct {
	AccessPolicy string `json:"access_policy,omitempty"`
	Introduction string `json:"introduction,omitempty"`
	CreateTime   UTC    `json:"create_time"`
	UpdateTime   UTC    `json:"update_time"`
}

// PublishMessageRequest is the body of PublishMessage.
type PublishMessageRequest struct {
	Subject             string             `json:"subject"`
	Message             string             `json:"message"`
	MessageStructure    string             `json:"message_structure"`
	MessageTemplateName string             `json:"message_template_name"`
	TimeToLive          Digits             `json:"time_to_live"`
	MessageAttributes   []MessageAttribute `json:"message_attributes"`
}

// MessageAttribute is an attribute of a message.
type MessageAttribute struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value Texts  `json:"value"`
}

// Texts is a list of texts; one text stands for a list of one.
type Texts []string

// UnmarshalJSON takes a text, a list of texts, or null for none.
func (t *Texts) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		var one string
		err := json.Unmarshal(b, &one)
		*t = Texts{one}
		return err
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// PublishedMessage is the answer of PublishMessage.
type PublishedMessage struct {
	RequestID string `json:"request_id"`
	MessageID string `json:"message_id"`
}

// ResourceTagRequest is the body of CreateResourceTag.
type ResourceTagRequest struct {
	Tag *KeyTag `json:"tag"`
}

// ResourceTags is the answer of ListResourceTags.
type ResourceTags struct {
	Tags []KeyTag `json:"tags"`
}
