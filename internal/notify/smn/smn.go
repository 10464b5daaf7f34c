// Package smn delivers messages to a topic of Huawei Cloud SMN (neighbours.md 2.2).
//
// The rule that keeps it honest: the topic that an event names is the topic that is
// published to, in the project that its URN names; the sink only adds where and with
// which key.
package smn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"coffer/internal/auth/signature"
	"coffer/internal/notify"
	"coffer/internal/outgoing"
)

// Options of a sink. All are required.
type Options struct {
	Endpoint string // such as https://smn.cn-north-4.myhuaweicloud.com
	TopicURN string // urn:smn:<region>:<project>:<topic>
	Key      *signature.Key
	Client   *outgoing.Client
	Now      func() time.Time // wall time: signatures are dated
}

// Sink is a topic.
type Sink struct {
	url     string
	project string
	key     *signature.Key
	client  *outgoing.Client
	now     func() time.Time
}

// New returns a sink for o. It owns the client.
func New(o Options) (*Sink, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, errors.New("smn: url must be scheme and host, such as https://smn.cn-north-4.myhuaweicloud.com")
	}
	parts := strings.Split(o.TopicURN, ":")
	if len(parts) != 5 || parts[0] != "urn" || parts[1] != "smn" || parts[3] == "" || parts[4] == "" {
		return nil, errors.New("smn: topic_urn must be urn:smn:<region>:<project>:<topic>")
	}
	return &Sink{
		url:     u.Scheme + "://" + u.Host + "/v2/" + url.PathEscape(parts[3]) + "/notifications/topics/" + url.PathEscape(o.TopicURN) + "/publish",
		project: parts[3], key: o.Key, client: o.Client, now: o.Now,
	}, nil
}

// publication is the body of a publish call.
type publication struct {
	Subject    string      `json:"subject,omitempty"`
	Message    string      `json:"message"`
	TimeToLive string      `json:"time_to_live"` // seconds
	Attributes []attribute `json:"message_attributes"`
}

type attribute struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
}

// Deliver publishes m. An unknown topic is Invalid; what SMN refuses for its content
// or our rights has Failed; everything else is tried again.
func (s *Sink) Deliver(ctx context.Context, m *notify.Message) error {
	r, err := s.request(ctx, m)
	if err != nil {
		return fmt.Errorf("smn: making the request: %w", err)
	}
	switch status, _, err := s.client.Do(ctx, r); {
	case errors.Is(err, outgoing.ErrAddress):
		return notify.Invalidf("smn: %w", err)
	case err != nil:
		return fmt.Errorf("smn: %w", err)
	case status == http.StatusNotFound:
		return notify.Invalidf("smn: the topic %s does not exist", m.TopicURN)
	case status == http.StatusBadRequest, status == http.StatusForbidden:
		return notify.Failedf("smn: publishing is refused with %d", status)
	case status != http.StatusOK:
		return fmt.Errorf("smn: publishing answers %d", status)
	}
	return nil
}

// Close ends idle connections.
func (s *Sink) Close() error {
	s.client.Close()
	return nil
}

// request returns the signed call.
func (s *Sink) request(ctx context.Context, m *notify.Message) (*http.Request, error) {
	p := publication{
		Subject: "CSMS " + m.Type + " " + m.SecretName, Message: string(m.Document), TimeToLive: "3600",
		Attributes: []attribute{{"event_type", "STRING", m.Type}},
	}
	if m.Published != nil {
		p.Subject, p.Message = m.Published.Subject, m.Published.Text
	}
	body, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Project-Id", s.project)
	message := signature.NewMessage(r, signature.BodyHash(body))
	authorization, err := s.key.Sign(&message, nil, s.now())
	if err != nil {
		return nil, err
	}
	r.Header.Set(signature.AuthorizationHeader, authorization)
	return r, nil
}
