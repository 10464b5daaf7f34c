package csms

import (
	"crypto/x509"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// DatabaseEngine is the kind of a database server.
type DatabaseEngine string

// The kinds of database servers whose accounts are rotated (neighbours.md 3.4).
const (
	MySQL      DatabaseEngine = "mysql"
	MariaDB    DatabaseEngine = "mariadb"
	PostgreSQL DatabaseEngine = "postgresql"
	SQLServer  DatabaseEngine = "sqlserver"
)

var databaseEngines = []DatabaseEngine{MySQL, MariaDB, PostgreSQL, SQLServer}

// TLSMode says how far the certificate of a database server is checked, with the words
// of libpq.
type TLSMode string

// The modes of TLS to a database server. None falls back to a weaker one.
const (
	TLSDisable    TLSMode = "disable"     // no TLS: only for loopback or a private network
	TLSRequire    TLSMode = "require"     // TLS, any certificate
	TLSVerifyCA   TLSMode = "verify-ca"   // a certificate of a known CA, for any name
	TLSVerifyFull TLSMode = "verify-full" // a certificate of a known CA for the host
)

var tlsModes = []TLSMode{TLSDisable, TLSRequire, TLSVerifyCA, TLSVerifyFull}

// AnyAccount among the accounts of a target stands for every account.
const AnyAccount = "*"

// Bounds of a target. They are ours: the cloud keeps its instances in other products.
const (
	maxHost     = 253
	maxDatabase = 128
	maxCA       = 65536 // bytes
	maxAccounts = 100
	maxAccount  = 128
)

// DatabaseTarget is a database server whose accounts are rotated: what
// rotation_config.InstanceId names where no cloud instance does (neighbours.md 4.2).
type DatabaseTarget struct {
	ProjectID  string
	InstanceID string // unique in the project and immutable

	Engine      DatabaseEngine
	Host        string
	Port        int
	Database    string // that a login names; "" for the usual one of the engine
	TLSMode     TLSMode
	CA          string   // PEM; "" for the CAs of the system
	AdminSecret string   // secret of the project whose current value is {"username","password"} of the administrator
	Accounts    []string // that may be rotated; AnyAccount among them for every one

	CreateTime Millis // zero for a declared one
	UpdateTime Millis // likewise

	Declared bool // by the configuration of the server, and not by the API; not stored
}

// UsualPort returns the port that servers of kind e listen on if they are told nothing;
// zero for an unknown kind.
func (e DatabaseEngine) UsualPort() int {
	return map[DatabaseEngine]int{MySQL: 3306, MariaDB: 3306, PostgreSQL: 5432, SQLServer: 1433}[e]
}

// CheckChangeable refuses a change by the API of a target that the configuration declares.
func (t *DatabaseTarget) CheckChangeable() error {
	if !t.Declared {
		return nil
	}
	return Invalidf("The database target %s is declared in the configuration of the server, under database_targets; change it there.", t.InstanceID)
}

// Rotates reports whether t lets the password of account be changed. A secret may name
// any account, so without this list whoever may make one could take over every account
// of the server.
func (t *DatabaseTarget) Rotates(account string) bool {
	return slices.Contains(t.Accounts, AnyAccount) || slices.Contains(t.Accounts, account)
}

// Validate reports the first part of t that breaks a rule, as CSMS.0002.
func (t *DatabaseTarget) Validate() error {
	checks := []func() error{
		func() error { return CheckInstanceID("instance_id", t.InstanceID) },
		t.checkServer, t.checkTLS,
		func() error { return CheckName("admin_secret", t.AdminSecret) },
		func() error { return checkAccounts(t.Accounts) },
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (t *DatabaseTarget) checkServer() error {
	switch {
	case !slices.Contains(databaseEngines, t.Engine):
		return Invalidf("engine must be mysql, mariadb, postgresql or sqlserver.")
	case t.Host == "" || len(t.Host) > maxHost || strings.ContainsFunc(t.Host, notInHost):
		return Invalidf("host must be a host name or an address of at most %d characters, without a port.", maxHost)
	case t.Port < 1 || t.Port > 65535:
		return Invalidf("port must be a number from 1 to 65535.")
	case utf8.RuneCountInString(t.Database) > maxDatabase || strings.ContainsFunc(t.Database, unicode.IsControl):
		return Invalidf("database must have at most %d characters, and no control characters.", maxDatabase)
	default:
		return nil
	}
}

// notInHost is what neither a name nor an address of either version has. A slash would
// name a Unix socket to some drivers.
func notInHost(r rune) bool {
	return !(r < utf8.RuneSelf && isAlnum(byte(r))) && !strings.ContainsRune("-_.:", r)
}

func (t *DatabaseTarget) checkTLS() error {
	if !slices.Contains(tlsModes, t.TLSMode) {
		return Invalidf("tls_mode must be disable, require, verify-ca or verify-full.")
	}
	if t.CA == "" {
		return nil
	}
	if len(t.CA) > maxCA || !x509.NewCertPool().AppendCertsFromPEM([]byte(t.CA)) {
		return Invalidf("ca_certificate must be certificates in PEM, at most %d bytes.", maxCA)
	}
	return nil
}

func checkAccounts(accounts []string) error {
	if n := len(accounts); n == 0 || n > maxAccounts {
		return Invalidf("accounts has %d items; it takes 1 to %d names, or %q for every account.", n, maxAccounts, AnyAccount)
	}
	for _, a := range accounts {
		if n := utf8.RuneCountInString(a); n == 0 || n > maxAccount || strings.ContainsFunc(a, unicode.IsControl) {
			return Invalidf("accounts must hold names of 1 to %d characters, without control characters.", maxAccount)
		}
	}
	return nil
}

// CheckInstanceID reports an instance id that does not match ^[a-zA-Z0-9_-]{1,64}$.
func CheckInstanceID(field, id string) error {
	if isName(id, false) {
		return nil
	}
	return Invalidf("%s must match ^[a-zA-Z0-9_-]{1,64}$.", field)
}

// DatabaseTargetPatch is a change of a target; a nil field leaves its value alone.
type DatabaseTargetPatch struct {
	Engine      *DatabaseEngine
	Host        *string
	Port        *int
	Database    *string
	TLSMode     *TLSMode
	CA          *string
	AdminSecret *string
	Accounts    *[]string
}

// Update applies p; the result has still to pass Validate. An empty patch changes
// nothing, update_time included.
func (t *DatabaseTarget) Update(p DatabaseTargetPatch, now Millis) {
	if p == (DatabaseTargetPatch{}) {
		return
	}
	assign(&t.Engine, p.Engine)
	assign(&t.Host, p.Host)
	assign(&t.Port, p.Port)
	assign(&t.Database, p.Database)
	assign(&t.TLSMode, p.TLSMode)
	assign(&t.CA, p.CA)
	assign(&t.AdminSecret, p.AdminSecret)
	assign(&t.Accounts, p.Accounts)
	t.UpdateTime = now
}
