package app

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"coffer/internal/csms"
	"coffer/internal/notify"
)

// SinkConfig binds one topic URN to one target. Which keys a type needs and takes
// stands in sinkTypes.
type SinkConfig struct {
	TopicURN string `yaml:"topic_urn" doc:"The notification.target_id of events, such as urn:smn:self-1:PROJECT:ops."`
	Type     string `yaml:"type" doc:"webhook: a CloudEvent by HTTP POST. file: one line of JSON for each message. syslog: RFC 5424. smtp: a mail. nats: a message on a subject. huawei-smn: the topic of that URN in the cloud."`

	URL        string   `yaml:"url" doc:"webhook: where to post. nats: server, such as tls://nats.example.org:4222; tls:// insists on TLS. huawei-smn: endpoint, such as https://smn.cn-north-4.myhuaweicloud.com."`
	Subject    string   `yaml:"subject" doc:"nats: subject to publish to, without wildcards."`
	Stream     string   `yaml:"stream" doc:"nats: stream of JetStream that must take the message; empty publishes to whoever listens."`
	Path       string   `yaml:"path" doc:"file: the file to append to; it may be moved away at any time."`
	Address    string   `yaml:"address" doc:"syslog, smtp: host and port."`
	Network    string   `yaml:"network" doc:"syslog: tcp, tls or udp."`
	Encryption string   `yaml:"encryption" doc:"smtp: starttls (which an empty text means), tls or off."`
	From       string   `yaml:"from" doc:"smtp: address of the sender."`
	To         []string `yaml:"to" doc:"smtp: addresses of the recipients."`
	Username   string   `yaml:"username" doc:"smtp: name to log in with, by AUTH PLAIN; needs encryption. nats: user name, with its password as the secret; needs tls://."`
	AccessKey  string   `yaml:"access_key" doc:"huawei-smn: access key to sign with."`
	SecretFile string   `yaml:"secret_file" doc:"File, mode 0600, with the secret of the target. webhook: signing secret, whsec_ and base64 of at least 24 bytes. smtp: password. nats: credentials file (.creds), or with username a password, else a token. huawei-smn: secret key."`
	SecretEnv  string   `yaml:"secret_env" doc:"Name of an environment variable with that secret, instead of a file."`
	CAFile     string   `yaml:"ca_file" doc:"PEM file with the CA of the target, instead of those of the system."`
}

// OutgoingConfig holds what concerns calls that the server makes to others.
type OutgoingConfig struct {
	AllowNetworks []string `yaml:"allow_networks" doc:"Networks that may be called although they are loopback, link-local or known for metadata services, such as 127.0.0.0/8."`
}

// sinkType is one type of sink.
type sinkType struct {
	needs, takes []string // keys, beside topic_urn and type
	open         func(*sinkOpener, *SinkConfig) (notify.Sink, error)
}

// sinkTypes are the types of sinks by name.
var sinkTypes = map[string]sinkType{
	"webhook":    {needs: []string{"url"}, takes: []string{"secret_file", "secret_env", "ca_file"}, open: (*sinkOpener).webhook},
	"file":       {needs: []string{"path"}, open: (*sinkOpener).file},
	"syslog":     {needs: []string{"network", "address"}, takes: []string{"ca_file"}, open: (*sinkOpener).syslog},
	"smtp":       {needs: []string{"address", "from", "to"}, takes: []string{"encryption", "username", "secret_file", "secret_env", "ca_file"}, open: (*sinkOpener).smtp},
	"nats":       {needs: []string{"url", "subject"}, takes: []string{"stream", "username", "secret_file", "secret_env", "ca_file"}, open: (*sinkOpener).nats},
	"huawei-smn": {needs: []string{"url", "access_key"}, takes: []string{"secret_file", "secret_env", "ca_file"}, open: (*sinkOpener).smn},
}

// check reports the first thing that is wrong with c without opening anything.
func (c *SinkConfig) check() error {
	if !csms.IsTargetID(c.TopicURN) {
		return fmt.Errorf("topic_urn is %q; it takes 1 to 256 letters, digits and . _ : -, as events have it", c.TopicURN)
	}
	kind, known := sinkTypes[c.Type]
	if !known {
		return fmt.Errorf("type is %q; it takes %s", c.Type, strings.Join(slices.Sorted(maps.Keys(sinkTypes)), ", "))
	}
	if err := checkKeys(keysSet(*c, "topic_urn", "type"), kind.needs, kind.takes, c.Type); err != nil {
		return err
	}
	if c.SecretFile != "" && c.SecretEnv != "" {
		return errors.New("secret_file and secret_env are both given; give one")
	}
	return nil
}

// checkKeys reports a key that a type needs and that is not set, or one that is set and
// means nothing.
func checkKeys(set, needs, takes []string, kind string) error {
	for _, key := range needs {
		if !slices.Contains(set, key) {
			return fmt.Errorf("%s is empty; type %s needs it", key, kind)
		}
	}
	for _, key := range set {
		if !slices.Contains(needs, key) && !slices.Contains(takes, key) {
			return fmt.Errorf("%s means nothing for type %s", key, kind)
		}
	}
	return nil
}

// keysSet returns the keys of an item of the configuration that are set, but for some.
func keysSet(item any, but ...string) []string {
	var set []string
	v := reflect.ValueOf(item)
	for i := range v.NumField() {
		if key := v.Type().Field(i).Tag.Get("yaml"); !slices.Contains(but, key) && !v.Field(i).IsZero() {
			set = append(set, key)
		}
	}
	return set
}

// checkSinks reports what is wrong with the sinks, and a topic that has two.
func (c *Config) checkSinks() error {
	var errs []error
	seen := map[string]bool{}
	for i := range c.Sinks {
		sink := &c.Sinks[i]
		if err := sink.check(); err != nil {
			errs = append(errs, fmt.Errorf("sinks[%d]: %w", i, err))
		}
		if seen[sink.TopicURN] {
			errs = append(errs, fmt.Errorf("sinks[%d]: the topic %s has a sink already", i, sink.TopicURN))
		}
		seen[sink.TopicURN] = true
	}
	_, err := parseNetworks("outgoing.allow_networks", c.Outgoing.AllowNetworks)
	return errors.Join(append(errs, err)...)
}

// openTopics opens every sink, each behind a breaker.
func (s *Server) openTopics() (notify.Topics, error) {
	allow, err := parseNetworks("outgoing.allow_networks", s.config.Outgoing.AllowNetworks)
	if err != nil {
		return nil, err
	}
	name, err := os.Hostname()
	if err != nil {
		name = "" // only what a target is shown
	}
	opener := &sinkOpener{allow: allow, name: name}
	now := func() time.Time { return time.UnixMilli(int64(s.clock.Now())) }
	topics := notify.Topics{}
	for i := range s.config.Sinks {
		c := &s.config.Sinks[i]
		sink, err := sinkTypes[c.Type].open(opener, c)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("opening the sink of topic %s: %w", c.TopicURN, err), topics.Close())
		}
		topics[c.TopicURN] = notify.NewBreaker(sink, now)
	}
	return topics, nil
}

// ParseSink reads a sink of `coffer dev --sink`: a topic URN, and behind an equals
// sign file: with a path, or the URL of a webhook.
func ParseSink(text string) (SinkConfig, error) {
	urn, target, _ := strings.Cut(text, "=")
	c := SinkConfig{TopicURN: urn}
	if path, isFile := strings.CutPrefix(target, "file:"); isFile {
		c.Type, c.Path = "file", path
	} else {
		c.Type, c.URL = "webhook", target
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("sink %q: %w; give URN=file:PATH or URN=http://HOST/PATH", text, err)
	}
	return c, nil
}
