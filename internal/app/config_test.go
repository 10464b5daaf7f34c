package app

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The printed reference is a configuration: it parses, and says what the defaults say.
func TestTheReferenceParsesBackToTheDefaults(t *testing.T) {
	var text bytes.Buffer
	if err := WriteReference(&text); err != nil {
		t.Fatal(err)
	}
	got, err := parseConfig(text.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, text.String())
	}
	if diff := cmp.Diff(DefaultConfig(), got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-defaults +reference):\n%s", diff)
	}
}

// Every key of the configuration has a name and says what it is for, and the
// reference has it.
func TestEveryKeyIsDocumented(t *testing.T) {
	var text bytes.Buffer
	if err := WriteReference(&text); err != nil {
		t.Fatal(err)
	}
	if n := documented(t, reflect.TypeFor[Config](), text.String()); n < 50 {
		t.Errorf("%d keys; the check would prove nothing", n)
	}
}

// documented checks the fields of a struct and of those in it, and counts them.
func documented(t *testing.T, of reflect.Type, reference string) int {
	t.Helper()
	for of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct {
		return 0
	}
	n := of.NumField()
	for i := range of.NumField() {
		f := of.Field(i)
		key, doc := f.Tag.Get("yaml"), f.Tag.Get("doc")
		if key == "" || key != strings.ToLower(key) || strings.Contains(key, ",") {
			t.Errorf("%s.%s is called %q in the file", of.Name(), f.Name, key)
		}
		if len(doc) < 10 || !strings.HasSuffix(doc, ".") {
			t.Errorf("%s.%s is documented by %q", of.Name(), f.Name, doc)
		}
		if !strings.Contains(reference, "# "+doc+"\n") || !strings.Contains(reference, key+":") {
			t.Errorf("the reference lacks %s: %s", key, doc)
		}
		n += documented(t, f.Type, reference)
	}
	return n
}

// TestConfigIsChecked: each value that cannot work is refused with its key; the rest
// stays as it is.
func TestConfigIsChecked(t *testing.T) {
	for text, want := range map[string]string{
		"":                                         "",
		"# nothing\n":                              "",
		"tls:\n":                                   "",
		"listen: :9443":                            "",
		"listen: '[::1]:https'":                    "",
		"public_url: https://[2001:db8::1]":        "",
		"timeouts: {idle: 100ms}":                  "",
		"listen: ''":                               `listen is ""`,
		"listen: localhost":                        `listen is "localhost"`,
		"listen: 'localhost:'":                     `listen is "localhost:"`,
		"listen: 127.0.0.1:70000":                  `listen is "127.0.0.1:70000"`,
		"listen: ::1:9443":                         `listen is "::1:9443"`,
		"data: ''":                                 "data is empty",
		"domain: ''":                               "domain is empty",
		"admin_user: ''":                           "admin_user is empty",
		"region: ''":                               `region or region_aliases holds ""`,
		"region_aliases: [a, b c]":                 `holds "b c"`,
		"public_url: https://h/path":               "public_url is",
		"public_url: https://user@h":               "public_url is",
		"public_url: ftp://h":                      "public_url is",
		"public_url: 'https://:443'":               "public_url is",
		"root_key: {file: a, credential: b}":       "root_key names 2 sources (file, credential)",
		"tls: {key: a}":                            "tls.certificate and tls.key go together",
		"tls: {off: true, certificate: a, key: b}": "tls.off and tls.certificate exclude each other",
		"limits: {secrets_per_project: 0}":         "limits.secrets_per_project is 0",
		"limits: {value_bytes: 1000000}":           "limits.value_bytes is 1000000",
		"limits: {body_bytes: 1}":                  "limits.body_bytes is 1",
		"auth: {clock_tolerance: 59s}":             "auth.clock_tolerance is 59s",
		"auth: {token_ttl: 1s}":                    "auth.token_ttl is 1s",
		"auth: {trusted_proxies: [10.0.0.1]}":      `auth.trusted_proxies holds "10.0.0.1"`,
		"log: {level: verbose}":                    `log.level is "verbose"`,
		"log: {format: yaml}":                      `log.format is "yaml"`,
		"cache: {record_bytes: 0}":                 "cache.record_bytes",
		"timeouts: {shutdown: 0s}":                 "timeouts.shutdown is 0s",
		"timeouts: {read: 1us}":                    "timeouts.read is 1µs",
		"keystone: {url: https://k:5000/v3}":       "",
		"keystone: {url: https://k:5000}":          `keystone.url is "https://k:5000"`,
		"keystone: {url: https://k/v3, user: c}":   "keystone.user goes with one of",
		"keystone: {url: https://k/v3, user: c, password_env: P}":                                          "keystone.project is empty",
		"keystone: {url: https://k/v3, roles: [{role: m, policy: All}]}":                                   `keystone.roles[0]: role "m" gets policy "All"`,
		"keystone: {url: https://k/v3, roles: [{role: m, policy: te_admin}], projects: [{project_id: a}]}": "keystone.projects[0]",
		"[]":                          "cannot unmarshal",
		"listen: [a]":                 "line 1: cannot unmarshal",
		"limits: {value_bytes: many}": "line 1: cannot unmarshal",
		"listen: \"\x01\"":            "control characters are not allowed",
		"a: b: c":                     "mapping values are not allowed",
		"timeouts:\n  idle: 30":       "line 2: `30` is no duration",
		"tls:\n  certificat: a":       `line 2: unknown key "certificat"`,
		"sinks:\n  - {topic: a}":      `line 2: unknown key "topic"`,
		"data: a\n---\n":              "more than one YAML document",
	} {
		_, err := parseConfig([]byte(text))
		if want == "" && err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q\n got %v\nwant %s", text, err, want)
		}
	}
}

// TestConfigOverDefaults: what the file says counts, what it leaves out keeps its
// default.
func TestConfigOverDefaults(t *testing.T) {
	got, err := parseConfig([]byte("listen: :1\nregion_aliases: []\ntimeouts: {idle: 2m}\nauth: {trusted_proxies: [10.0.0.0/8]}\ntls: {names: [a]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.Listen, want.Aliases, want.Timeouts.Idle, want.Auth.TrustedProxies, want.TLS.Names = ":1", []string{}, 2*time.Minute, []string{"10.0.0.0/8"}, []string{"a"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzConfig: no file makes the program panic, and one that is taken can be checked
// again.
func FuzzConfig(f *testing.F) {
	var reference bytes.Buffer
	if err := WriteReference(&reference); err != nil {
		f.Fatal(err)
	}
	f.Add(reference.Bytes())
	f.Add([]byte("timeouts: {idle: 30}"))
	f.Add([]byte("sinks: [{topic_urn: a, type: file, path: /x}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig(text)
		if err == nil && c.check() != nil {
			t.Errorf("%q is taken and refused", text)
		}
	})
}

// TestHosts: the self-made certificate is valid for every name that the configuration
// knows, once.
func TestHosts(t *testing.T) {
	for listen, want := range map[string][]string{
		"127.0.0.1:1":           {"localhost", "127.0.0.1", "::1"},
		"192.0.2.1:1":           {"localhost", "127.0.0.1", "::1", "192.0.2.1"},
		"secrets.example.org:1": {"localhost", "127.0.0.1", "::1", "secrets.example.org"},
		"[fe80::1%eth0]:1":      {"localhost", "127.0.0.1", "::1", "fe80::1"},
	} {
		c := DefaultConfig()
		c.Listen = listen
		if diff := cmp.Diff(want, c.hosts()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", listen, diff)
		}
	}
	c := DefaultConfig()
	c.Listen, c.PublicURL, c.TLS.Names = "192.0.2.1:1", "https://b:8443", []string{"b", "a"}
	if diff := cmp.Diff([]string{"localhost", "127.0.0.1", "::1", "192.0.2.1", "b", "a"}, c.hosts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestShellWord: what is printed for a shell is one word of it.
func TestShellWord(t *testing.T) {
	for text, want := range map[string]string{
		"/tmp/a-b_c.pem": "/tmp/a-b_c.pem", "https://127.0.0.1:1": "https://127.0.0.1:1",
		"": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "https://[::1]:1": "'https://[::1]:1'",
	} {
		if got := ShellWord(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
