package app

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const someTopic = "urn:smn:self-1:p:ops"

func TestSinksAreChecked(t *testing.T) {
	for want, sinks := range map[string][]SinkConfig{
		"":                   {{TopicURN: someTopic, Type: "file", Path: "/x"}, {TopicURN: "urn:b", Type: "webhook", URL: "https://h/", SecretEnv: "X"}},
		`topic_urn is "a b"`: {{TopicURN: "a b", Type: "file", Path: "/x"}},
		`type is "kafka"; it takes file, huawei-smn, nats, smtp, syslog, webhook`: {{TopicURN: someTopic, Type: "kafka"}},
		"path is empty":       {{TopicURN: someTopic, Type: "file"}},
		"subject is empty":    {{TopicURN: someTopic, Type: "nats", URL: "nats://h"}},
		"stream means":        {{TopicURN: someTopic, Type: "file", Path: "/x", Stream: "S"}},
		"url means nothing":   {{TopicURN: someTopic, Type: "file", Path: "/x", URL: "https://h"}},
		"are both given":      {{TopicURN: someTopic, Type: "webhook", URL: "https://h", SecretFile: "x", SecretEnv: "X"}},
		"sinks[1]: the topic": {{TopicURN: someTopic, Type: "file", Path: "/x"}, {TopicURN: someTopic, Type: "file", Path: "/y"}},
	} {
		c := DefaultConfig()
		c.Sinks = sinks
		if err := c.check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v; want %q", sinks, err, want)
		}
	}
	c := DefaultConfig()
	c.Outgoing.AllowNetworks = []string{"localhost"}
	if err := c.check(); err == nil || !strings.Contains(err.Error(), "outgoing.allow_networks") {
		t.Errorf("allow_networks: %v", err)
	}
}

func TestParseSink(t *testing.T) {
	for text, want := range map[string]SinkConfig{
		"urn:a=file:/tmp/x=y":      {TopicURN: "urn:a", Type: "file", Path: "/tmp/x=y"},
		"urn:a=http://127.0.0.1:1": {TopicURN: "urn:a", Type: "webhook", URL: "http://127.0.0.1:1"},
	} {
		if got, err := ParseSink(text); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("ParseSink(%q) = %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "urn:a", "urn:a=", "urn:a=file:", "=file:/x", "a b=file:/x"} {
		if _, err := ParseSink(text); err == nil {
			t.Errorf("ParseSink(%q) is accepted", text)
		}
	}
}

func orText(text, other string) string {
	if text != "" {
		return text
	}
	return other
}

// Secrets stand in files that nobody else reads, or in the environment.
func TestOpenTopics(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	text := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)) + "\n"
	if err := os.WriteFile(secret, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("COFFER_TEST_SECRET", text)
	open := func(c SinkConfig) error {
		c.TopicURN = orText(c.TopicURN, someTopic)
		s := &Server{clock: &Clock{}}
		s.config.Sinks = []SinkConfig{c}
		topics, err := s.openTopics()
		if err != nil {
			return err
		}
		if topics[c.TopicURN] == nil {
			t.Errorf("%+v is not bound", c)
		}
		return topics.Close()
	}
	for _, c := range []SinkConfig{{Type: "webhook", URL: "https://h"}, {Type: "webhook", URL: "https://h", SecretFile: secret}, {Type: "webhook", URL: "https://h", SecretEnv: "COFFER_TEST_SECRET"}} {
		if err := open(c); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	const smnTopic = "urn:smn:cn-north-4:c0000000000000000000000000000001:ops"
	for _, c := range []SinkConfig{
		{Type: "syslog", Network: "udp", Address: "h:514"},
		{Type: "smtp", Address: "h:25", From: "a@b.c", To: []string{"d@e.f"}, Encryption: "off"},
		{Type: "smtp", Address: "h:25", From: "a@b.c", To: []string{"d@e.f"}, Username: "u", SecretFile: secret},
		{Type: "huawei-smn", TopicURN: smnTopic, URL: "https://h", AccessKey: "AK", SecretFile: secret},
		{Type: "nats", URL: "nats://h:4222", Subject: "events"},
		{Type: "nats", URL: "tls://h:4222", Subject: "events", Stream: "EVENTS", Username: "u", SecretFile: secret},
	} {
		if err := open(c); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for want, c := range map[string]SinkConfig{
		"network must be":    {Type: "syslog", Network: "sctp", Address: "h:514"},
		"username goes":      {Type: "smtp", Address: "h:25", From: "a@b.c", To: []string{"d@e.f"}, Username: "u"},
		"is no mail address": {Type: "smtp", Address: "h:25", From: "nobody", To: []string{"d@e.f"}},
		"access_key, or":     {Type: "huawei-smn", TopicURN: smnTopic, URL: "https://h", AccessKey: "AK"},
		"needs a password":   {Type: "nats", URL: "tls://h", Subject: "a", Username: "u"},
		"needs a tls":        {Type: "nats", URL: "nats://h", Subject: "a", SecretFile: secret},
		"topic_urn must be":  {Type: "huawei-smn", TopicURN: "urn:x", URL: "https://h", AccessKey: "AK", SecretFile: secret},
	} {
		if err := open(c); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "whsec_AQ") {
			t.Errorf("%+v: %v; want %q", c, err, want)
		}
	}
	if err := os.Chmod(secret, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]SinkConfig{
		"others can read":      {Type: "webhook", URL: "https://h", SecretFile: secret},
		"empty or not set":     {Type: "webhook", URL: "https://h", SecretEnv: "COFFER_TEST_NONE"},
		"must be base64":       {Type: "webhook", URL: "https://h", SecretEnv: "HOME"},
		"url must be":          {Type: "webhook", URL: "gopher://h"},
		"holds no certificate": {Type: "webhook", URL: "https://h", CAFile: secret},
	} {
		if err := open(c); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "whsec_AQ") {
			t.Errorf("%+v: %v; want %q", c, err, want)
		}
	}
}

func TestTheReferenceHasTheKeysOfItems(t *testing.T) {
	var out bytes.Buffer
	if err := WriteReference(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "sinks: []\n") || !strings.Contains(out.String(), "  #  topic_urn: \"\"\n") {
		t.Errorf("reference:\n%s", out.String())
	}
	if _, err := parseConfig(out.Bytes()); err != nil {
		t.Errorf("the reference is no configuration: %v", err)
	}
}
