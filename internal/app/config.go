package app

import (
	"time"

	"coffer/internal/csms"
)

// Config is the configuration of `coffer server`: one YAML file, of which every key
// is listed here. The reference page is printed from this struct (`coffer server
// --print-config`). A key that the file does not have keeps the value of
// DefaultConfig. Secrets never stand in it, only the places that hold them.
type Config struct {
	Listen    string   `yaml:"listen" doc:"Address and port of the one listener."`
	PublicURL string   `yaml:"public_url" doc:"URL under which clients reach the server, such as https://secrets.example.org, for version discovery and the token catalog. When empty it is the one that the client used."`
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

	Keystone  KeystoneConfig   `yaml:"keystone" doc:"An external Keystone whose tokens count beside those of Coffer. Off while url is empty."`
	Issuers   []IssuerConfig   `yaml:"issuers" doc:"OpenID Connect issuers whose ID tokens log users in, such as the API server of a Kubernetes cluster."`
	Sinks     []SinkConfig     `yaml:"sinks" doc:"Where notifications go: each item binds the topic of events to one target. A topic without a sink makes INVALID records."`
	Functions []FunctionConfig `yaml:"functions" doc:"Functions that rotate secrets: each item binds a rotation_func_urn to a URL, a function of the cloud or a program."`
	Targets   []TargetConfig   `yaml:"database_targets" doc:"Databases whose accounts are rotated, beside those of the API, which cannot change these."`

	CloudDatabases []CloudDatabaseConfig `yaml:"cloud_databases" doc:"Instances of RDS and TaurusDB of the cloud whose accounts are rotated through its API."`

	Outgoing OutgoingConfig `yaml:"outgoing" doc:"Calls that the server makes to others."`
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
	Names       []string `yaml:"names" doc:"Host names and addresses that the self-made certificate is valid for, beside localhost, those of listen and of public_url."`
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
