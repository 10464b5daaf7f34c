package csms

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// PublicationType is the type of a message that somebody published to a topic, beside
// those of events.
const PublicationType EventType = "Notification"

// Bounds of a publication (neighbours.md 2.2).
const (
	maxSubject      = 512       // bytes
	maxPublished    = 256 << 10 // bytes of the message
	maxDocument     = 768 << 10 // bytes of the document, which a message of control characters could pass
	maxTimeToLive   = 24 * 60 * 60
	defaultLiveTime = 60 * 60 // seconds
	maxAttributes   = 20
	maxItems        = 10 // of an attribute that is a list
	secondMillis    = 1000
)

// Publication is what somebody publishes to a topic. Of message_structure, template
// and message the first that is given counts.
type Publication struct {
	Subject          string
	Message          string
	MessageStructure string // JSON: a text for each protocol, and "default"
	TemplateName     string
	TimeToLive       string // seconds in digits; "" for an hour
	Attributes       []MessageAttribute
}

// MessageAttribute is an attribute of a publication. A STRING has one value.
type MessageAttribute struct {
	Name   string
	Type   string // STRING, STRING_ARRAY or PROTOCOL
	Values []string
}

// Text returns the text that is delivered, or what is wrong with the publication. The
// sinks here have no protocols of SMN, so of a structure the default counts.
func (p *Publication) Text() (string, error) {
	if n := len(p.Subject); n > maxSubject {
		return "", Errorf(CodeSMNInvalid, "subject has %d bytes; it takes at most %d.", n, maxSubject)
	}
	if err := checkAttributes(p.Attributes); err != nil {
		return "", err
	}
	text := p.Message
	switch {
	case p.MessageStructure != "":
		var err error
		if text, err = defaultText(p.MessageStructure); err != nil {
			return "", err
		}
	case p.TemplateName != "":
		return "", Errorf(CodeSMNTemplate, "The template %s does not exist.", p.TemplateName)
	case text == "":
		return "", Errorf(CodeSMNInvalid, "message or message_structure must be given.")
	}
	if n := len(text); n > maxPublished {
		return "", Errorf(CodeSMNInvalid, "The message has %d bytes; it takes at most %d.", n, maxPublished)
	}
	return text, nil
}

func defaultText(structure string) (string, error) {
	var texts struct {
		Default *string `json:"default"`
	}
	if err := json.Unmarshal([]byte(structure), &texts); err != nil || texts.Default == nil || *texts.Default == "" {
		return "", Errorf(CodeSMNStructure, "message_structure must be a JSON object with a text default.")
	}
	return *texts.Default, nil
}

// Deadline returns when a publication of now is no longer to be delivered: after its
// time_to_live of 1 to 86400 seconds.
func (p *Publication) Deadline(now Millis) (Millis, error) {
	if p.TimeToLive == "" {
		return now + defaultLiveTime*secondMillis, nil
	}
	n, err := strconv.ParseUint(p.TimeToLive, 10, 32)
	if err != nil || n < 1 || n > maxTimeToLive {
		return 0, Errorf(CodeSMNInvalid, "time_to_live must be a number of seconds from 1 to %d.", maxTimeToLive)
	}
	return now + Millis(n)*secondMillis, nil
}

var attributeName = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)

func checkAttributes(attributes []MessageAttribute) error {
	if n := len(attributes); n > maxAttributes {
		return Errorf(CodeSMNInvalid, "message_attributes has %d items; it takes at most %d.", n, maxAttributes)
	}
	for i := range attributes {
		a := &attributes[i]
		if !attributeName.MatchString(a.Name) || len(a.Name) > 32 {
			return Errorf(CodeSMNInvalid, "The name of a message attribute takes 1 to 32 of a-z 0-9 and single _ between them.")
		}
		if slices.ContainsFunc(attributes[:i], func(b MessageAttribute) bool { return b.Name == a.Name }) {
			return Errorf(CodeSMNInvalid, "message_attributes lists %s twice.", a.Name)
		}
		if err := a.checkValues(); err != nil {
			return err
		}
	}
	return nil
}

func (a *MessageAttribute) checkValues() error {
	switch n := len(a.Values); {
	case a.Type != "STRING" && a.Type != "STRING_ARRAY" && a.Type != "PROTOCOL":
		return Errorf(CodeSMNInvalid, "The type of the message attribute %s must be STRING, STRING_ARRAY or PROTOCOL.", a.Name)
	case a.Type == "STRING" && n != 1:
		return Errorf(CodeSMNInvalid, "The value of the message attribute %s must be a text.", a.Name)
	case n < 1 || n > maxItems:
		return Errorf(CodeSMNInvalid, "The value of the message attribute %s must be a list of 1 to %d texts.", a.Name, maxItems)
	}
	for i, value := range a.Values {
		if n := utf8.RuneCountInString(value); n < 1 || n > 32 || indexNotWord(value) >= 0 {
			return Errorf(CodeSMNInvalid, "The values of the message attribute %s take 1 to 32 letters, digits and _.", a.Name)
		}
		if slices.Contains(a.Values[:i], value) {
			return Errorf(CodeSMNInvalid, "The message attribute %s lists %s twice.", a.Name, value)
		}
	}
	return nil
}

func indexNotWord(text string) int {
	for i, r := range text {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) || r == utf8.RuneError {
			return i
		}
	}
	return -1
}

// Published is the document of a publication, beside Message for events.
type Published struct {
	Version    string               `json:"version"`
	Type       EventType            `json:"type"`
	MessageID  string               `json:"message_id"` // the idempotency key
	TopicURN   string               `json:"topic_urn"`
	Time       Millis               `json:"time"`
	Region     string               `json:"region"`
	ProjectID  string               `json:"project_id"`
	Subject    string               `json:"subject,omitempty"`
	Text       string               `json:"message"`
	Attributes []publishedAttribute `json:"message_attributes,omitempty"`
	RequestID  string               `json:"request_id,omitempty"`
	Operator   string               `json:"operator,omitempty"`
}

type publishedAttribute struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value any    `json:"value"` // a text for STRING, else a list of texts
}

// SetAttributes says which attributes the publication has.
func (p *Published) SetAttributes(attributes []MessageAttribute) {
	for _, a := range attributes {
		var value any = a.Values
		if a.Type == "STRING" {
			value = a.Values[0]
		}
		p.Attributes = append(p.Attributes, publishedAttribute{a.Name, a.Type, value})
	}
}

// JSON returns the document as text, or SMN.0400 if it has become too long.
func (p *Published) JSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, fmt.Errorf("writing a publication: %w", err)
	}
	if b.Len() > maxDocument {
		return nil, Errorf(CodeSMNInvalid, "The message takes %d bytes as JSON; it takes at most %d.", b.Len(), maxDocument)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
