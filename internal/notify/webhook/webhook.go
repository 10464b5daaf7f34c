// Package webhook delivers messages by HTTP: a CloudEvent 1.0 in structured JSON,
// signed as Standard Webhooks has it.
//
// The rule that keeps it honest: what was signed is what is sent, byte for byte, and
// a target has the message when it answers 2xx and not before.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"coffer/internal/notify"
	"coffer/internal/outgoing"
)

// Options of a sink. URL, Client and Now are required.
type Options struct {
	URL    string
	Secret []byte // to sign with, as ParseSecret returns it; empty for no signature
	Client *outgoing.Client
	Now    func() time.Time // wall time: receivers refuse a signature that is minutes old
}

// Sink is a webhook.
type Sink struct {
	url    string
	secret []byte
	client *outgoing.Client
	now    func() time.Time
}

// New returns a sink for o. It owns the client.
func New(o Options) (*Sink, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return nil, errors.New("webhook: url must be an http or https URL with a host and without a user")
	}
	return &Sink{url: o.URL, secret: bytes.Clone(o.Secret), client: o.Client, now: o.Now}, nil
}

// minSecret is the shortest secret that Standard Webhooks allows, in bytes.
const minSecret = 24

// ParseSecret reads a secret: base64 behind "whsec_", as Standard Webhooks writes it,
// of at least 24 bytes. White space around it is not part of it.
func ParseSecret(text []byte) ([]byte, error) {
	encoded, ok := bytes.CutPrefix(bytes.TrimSpace(text), []byte("whsec_"))
	if !ok {
		return nil, errors.New("webhook: the secret must be base64 behind whsec_")
	}
	secret := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Decode(secret, encoded)
	if err != nil || n < minSecret {
		return nil, fmt.Errorf("webhook: the secret must be base64 of at least %d bytes behind whsec_", minSecret)
	}
	return secret[:n], nil
}

// Deliver posts m. 2xx is delivered; 410 says that the target is gone for good, and an
// address that may not be reached is no target; anything else is tried again, for a
// receiver that is being mended answers all sorts of things.
func (s *Sink) Deliver(ctx context.Context, m *notify.Message) error {
	body := event(m)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("webhook: making the request: %w", err)
	}
	r.Header.Set("Content-Type", "application/cloudevents+json; charset=UTF-8")
	r.Header.Set("User-Agent", "coffer")
	s.sign(r.Header, m.ID, body)
	switch status, _, err := s.client.Do(ctx, r); {
	case errors.Is(err, outgoing.ErrAddress):
		return notify.Invalidf("webhook: %w", err)
	case err != nil:
		return fmt.Errorf("webhook: %w", err)
	case status == http.StatusGone:
		return notify.Invalidf("webhook: %s answers 410", r.URL.Host)
	case status < 200 || status > 299:
		return fmt.Errorf("webhook: %s answers %d", r.URL.Host, status)
	}
	return nil
}

// Close ends idle connections.
func (s *Sink) Close() error {
	s.client.Close()
	return nil
}

// sign adds the headers of Standard Webhooks: id, time of this attempt, and
// HMAC-SHA256 over id, time and body.
func (s *Sink) sign(h http.Header, id string, body []byte) {
	at := strconv.FormatInt(s.now().Unix(), 10)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", at)
	if len(s.secret) == 0 {
		return
	}
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// source is the secret that m tells of, or the topic that it was published to.
func source(m *notify.Message) string {
	project := "/regions/" + url.PathEscape(m.Region) + "/projects/" + url.PathEscape(m.ProjectID)
	if m.Published != nil {
		return project + "/topics/" + url.PathEscape(m.TopicName())
	}
	return project + "/secrets/" + url.PathEscape(m.SecretName)
}

// kind is the type of the message in small letters with dots, such as
// csms.secret.version.created, and smn.notification for a publication.
func kind(m *notify.Message) string {
	service := "csms."
	if m.Published != nil {
		service = "smn."
	}
	return service + strings.ToLower(strings.ReplaceAll(m.Type, "_", "."))
}

// event returns m as a CloudEvent.
func event(m *notify.Message) []byte {
	b := []byte(`{"specversion":"1.0","id":`)
	b = strconv.AppendQuote(b, m.ID)
	b = append(b, `,"source":`...)
	b = strconv.AppendQuote(b, source(m))
	b = append(b, `,"type":`...)
	b = strconv.AppendQuote(b, kind(m))
	b = append(b, `,"time":`...)
	b = strconv.AppendQuote(b, m.Time.UTC().Format("2006-01-02T15:04:05.000Z"))
	b = append(b, `,"datacontenttype":"application/json","data":`...)
	b = append(b, m.Document...)
	return append(b, '}')
}
