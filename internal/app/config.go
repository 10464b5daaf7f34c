package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"go.yaml.in/yaml/v3"

	"coffer/internal/csms"
)

// Config is the configuration of `coffer server`: one YAML file, of which every key
// is listed here. The reference page is printed from this struct (`coffer server
// --print-config`). Zero values mean the default that DefaultConfig gives. Secrets
// never stand in it, only the places that hold them.
type Config struct {
	Listen    string   `yaml:"listen" doc:"Address and port of the one listener."`
	PublicURL string   `yaml:"public_url" doc:"URL under which clients reach the server, for version discovery and the token catalog. Derived from listen when empty."`
	Data      string   `yaml:"data" doc:"Directory of the embedded engine, created with mode 0700 on first start."`
	Region    string   `yaml:"region" doc:"Region id of this site: the name of the first project and a part of resource names."`
	Aliases   []string `yaml:"region_aliases" doc:"Further region ids that resolve to the first project, such as cn-north-4 in sample programs."`
	Domain    string   `yaml:"domain" doc:"Name of the account that is made on first start."`
	AdminUser string   `yaml:"admin_user" doc:"Name of the account owner that is made on first start."`

	RootKey  RootKeyConfig  `yaml:"root_key" doc:"Where the root key comes from: one source. Without any, a key file is made in the data directory on first start."`
	TLS      TLSConfig      `yaml:"tls" doc:"Certificates of the listener."`
	Limits   LimitsConfig   `yaml:"limits" doc:"Quotas and sizes."`
	Auth     AuthConfig     `yaml:"auth" doc:"Credentials."`
	Timeouts TimeoutsConfig `yaml:"timeouts" doc:"How long the server waits."`
	Log      LogConfig      `yaml:"log" doc:"What is written to standard error."`
	Cache    CacheConfig    `yaml:"cache" doc:"Memory for caches. No cache holds a value in the clear."`
}

// RootKeyConfig names one source of the root key (DESIGN section 4).
type RootKeyConfig struct {
	File           string `yaml:"file" doc:"File with 64 hex digits, mode 0600."`
	Env            string `yaml:"env" doc:"Name of an environment variable with 64 hex digits."`
	Credential     string `yaml:"credential" doc:"Name of a systemd credential (LoadCredential=) with 64 hex digits."`
	PassphraseFile string `yaml:"passphrase_file" doc:"File with a passphrase, mode 0600; the key is derived from it with argon2id."`
	PassphraseEnv  string `yaml:"passphrase_env" doc:"Name of an environment variable with a passphrase."`
}

// TLSConfig names the certificates of the listener.
type TLSConfig struct {
	Off         bool     `yaml:"off" doc:"Serve plain HTTP. Only for loopback or behind a proxy on the same host."`
	Certificate string   `yaml:"certificate" doc:"PEM file with the certificate chain. Without it, a private CA and a certificate are made in the data directory."`
	Key         string   `yaml:"key" doc:"PEM file with the private key. Both files are read again when they change."`
	Names       []string `yaml:"names" doc:"Further host names and addresses of the self-made certificate."`
}

// LimitsConfig holds quotas and sizes.
type LimitsConfig struct {
	SecretsPerProject int   `yaml:"secrets_per_project" doc:"Secrets in one project."`
	ValueBytes        int   `yaml:"value_bytes" doc:"Length of secret_string or secret_binary as sent. The published limit is 32768; the console manual says 65536."`
	BodyBytes         int64 `yaml:"body_bytes" doc:"Length of a request body."`
	RequestsPerSecond int   `yaml:"requests_per_second" doc:"Requests per second of each operation; over it 429. 0 bounds nothing; the cloud has 200."`
	DotsInNames       bool  `yaml:"dots_in_names" doc:"Let new secrets have a dot in their name, as the console manual allows."`
}

// AuthConfig holds what concerns credentials.
type AuthConfig struct {
	ClockTolerance       time.Duration `yaml:"clock_tolerance" doc:"How far X-Sdk-Date may be off, either side; 1m to 15m."`
	TokenTTL             time.Duration `yaml:"token_ttl" doc:"Life of a token."`
	AllowUnsignedPayload bool          `yaml:"allow_unsigned_payload" doc:"Accept X-Sdk-Content-Sha256: UNSIGNED-PAYLOAD on JSON operations."`
	DebugSignatures      bool          `yaml:"debug_signatures" doc:"Tell the canonical request, credentials masked, in the answer to a wrong signature."`
	TrustedProxies       []string      `yaml:"trusted_proxies" doc:"Networks whose X-Forwarded-For and X-Forwarded-Host are believed, as CIDR."`
}

// TimeoutsConfig holds how long the server waits.
type TimeoutsConfig struct {
	ReadHeader time.Duration `yaml:"read_header" doc:"For the header of a request."`
	Read       time.Duration `yaml:"read" doc:"For a whole request."`
	Write      time.Duration `yaml:"write" doc:"For a whole answer."`
	Idle       time.Duration `yaml:"idle" doc:"For the next request on a kept connection."`
	Request    time.Duration `yaml:"request" doc:"For one operation; over it 504."`
	Shutdown   time.Duration `yaml:"shutdown" doc:"For requests in flight when the server stops."`
}

// LogConfig holds what is logged.
type LogConfig struct {
	Level    string `yaml:"level" doc:"debug, info, warn or error."`
	Format   string `yaml:"format" doc:"json or text."`
	Requests bool   `yaml:"requests" doc:"One line for each request."`
}

// CacheConfig bounds memory.
type CacheConfig struct {
	RecordBytes int64 `yaml:"record_bytes" doc:"Decoded records."`
	BlockBytes  int64 `yaml:"block_bytes" doc:"Blocks of the embedded engine."`
}

// DefaultConfig returns the configuration of a server that is told nothing.
func DefaultConfig() Config {
	limits := csms.DefaultLimits()
	return Config{
		Listen: "127.0.0.1:9443", Data: "data", Region: "self-1", Domain: "coffer", AdminUser: "admin",
		Aliases: []string{"cn-north-4"},
		Limits:  LimitsConfig{SecretsPerProject: limits.SecretsPerProject, ValueBytes: limits.ValueBytes, BodyBytes: 6 << 20},
		Auth:    AuthConfig{ClockTolerance: 15 * time.Minute, TokenTTL: 24 * time.Hour},
		Timeouts: TimeoutsConfig{
			ReadHeader: 10 * time.Second, Read: time.Minute, Write: time.Minute, Idle: 5 * time.Minute,
			Request: 30 * time.Second, Shutdown: 30 * time.Second,
		},
		Log:   LogConfig{Level: "info", Format: "json", Requests: true},
		Cache: CacheConfig{RecordBytes: 64 << 20, BlockBytes: 64 << 20},
	}
}

// LoadConfig reads the file at path over the defaults. A key that Config does not
// have is an error, so that a misspelt one is not taken for a default.
func LoadConfig(path string) (Config, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return Config{}, fmt.Errorf("reading the configuration: %w", err)
	}
	c, err := parseConfig(text)
	if err != nil {
		return Config{}, fmt.Errorf("reading the configuration %s: %w", path, err)
	}
	return c, nil
}

func parseConfig(text []byte) (Config, error) {
	c := DefaultConfig()
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, err
	}
	return c, c.validate()
}

// validate reports every value that cannot work, naming its key.
func (c *Config) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.Listen != "", "listen is empty; give an address such as 127.0.0.1:9443")
	check(c.Data != "", "data is empty; give a directory")
	check(c.Region != "", "region is empty; give a region id such as self-1")
	check(c.Limits.SecretsPerProject > 0, "limits.secrets_per_project is %d; it must be positive", c.Limits.SecretsPerProject)
	check(c.Limits.RequestsPerSecond >= 0, "limits.requests_per_second is %d; it must not be negative", c.Limits.RequestsPerSecond)
	check(c.Limits.ValueBytes > 0 && c.Limits.ValueBytes <= maxValueBytes, "limits.value_bytes is %d; it takes 1 to %d", c.Limits.ValueBytes, maxValueBytes)
	check(c.Limits.BodyBytes >= 64<<10 && c.Limits.BodyBytes <= 12<<20, "limits.body_bytes is %d; it takes 65536 to 12582912", c.Limits.BodyBytes)
	check(c.Auth.ClockTolerance >= time.Minute && c.Auth.ClockTolerance <= 15*time.Minute, "auth.clock_tolerance is %s; it takes 1m to 15m", c.Auth.ClockTolerance)
	check(c.Auth.TokenTTL >= time.Minute, "auth.token_ttl is %s; it takes at least 1m", c.Auth.TokenTTL)
	check((c.TLS.Certificate == "") == (c.TLS.Key == ""), "tls.certificate and tls.key go together")
	check(c.Log.Format == "json" || c.Log.Format == "text", "log.format is %q; it takes json or text", c.Log.Format)
	check(c.RootKey.count() <= 1, "root_key names %d sources; give one", c.RootKey.count())
	for name, d := range c.Timeouts.all() {
		check(d > 0, "timeouts.%s is %s; it must be positive", name, d)
	}
	_, level := c.Log.level()
	_, proxies := c.Auth.proxies()
	return errors.Join(append(errs, level, proxies)...)
}

// proxies parses the networks of trusted proxies.
func (a *AuthConfig) proxies() ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(a.TrustedProxies))
	for _, text := range a.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("auth.trusted_proxies holds %q; it takes networks such as 10.0.0.0/8", text)
		}
		out = append(out, prefix)
	}
	return out, nil
}

// maxValueBytes keeps a sealed value under what every engine stores in one key.
const maxValueBytes = 512 << 10

func (t *TimeoutsConfig) all() map[string]time.Duration {
	return map[string]time.Duration{
		"read_header": t.ReadHeader, "read": t.Read, "write": t.Write, "idle": t.Idle,
		"request": t.Request, "shutdown": t.Shutdown,
	}
}

// count returns how many sources are named.
func (r *RootKeyConfig) count() int {
	n := 0
	for _, source := range []string{r.File, r.Env, r.Credential, r.PassphraseFile, r.PassphraseEnv} {
		if source != "" {
			n++
		}
	}
	return n
}
