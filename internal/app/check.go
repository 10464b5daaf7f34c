package app

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// maxValueBytes keeps a sealed value under what every engine stores in one key.
const maxValueBytes = 512 << 10

// minTimeout is below what any timeout can sensibly be, and above what a number
// without a unit gives, which YAML takes for nanoseconds.
const minTimeout = 100 * time.Millisecond

// check reports every value that cannot work, naming its key.
func (c *Config) check() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.Data != "", "data is empty; give a directory")
	for _, region := range append([]string{c.Region}, c.Aliases...) {
		check(isRegion(region), "region or region_aliases holds %q; a region id takes letters, digits, '-' and '_', such as self-1", region)
	}
	check(c.Domain != "", "domain is empty; give a name for the account")
	check(c.AdminUser != "", "admin_user is empty; give a name for the account owner")
	check((c.TLS.Certificate == "") == (c.TLS.Key == ""), "tls.certificate and tls.key go together")
	check(!c.TLS.Off || c.TLS.Certificate == "", "tls.off and tls.certificate exclude each other")
	check(c.Limits.SecretsPerProject > 0, "limits.secrets_per_project is %d; it must be positive", c.Limits.SecretsPerProject)
	check(c.Limits.ValueBytes > 0 && c.Limits.ValueBytes <= maxValueBytes, "limits.value_bytes is %d; it takes 1 to %d", c.Limits.ValueBytes, maxValueBytes)
	check(c.Limits.BodyBytes >= 64<<10 && c.Limits.BodyBytes <= 12<<20, "limits.body_bytes is %d; it takes 65536 to 12582912", c.Limits.BodyBytes)
	check(c.Auth.ClockTolerance >= time.Minute && c.Auth.ClockTolerance <= 15*time.Minute, "auth.clock_tolerance is %s; it takes 1m to 15m", c.Auth.ClockTolerance)
	check(c.Auth.TokenTTL >= time.Minute, "auth.token_ttl is %s; it takes at least 1m", c.Auth.TokenTTL)
	check(c.Log.Format == "json" || c.Log.Format == "text", "log.format is %q; it takes json or text", c.Log.Format)
	check(c.Cache.RecordBytes > 0 && c.Cache.BlockBytes > 0, "cache.record_bytes and cache.block_bytes must be positive")
	for _, t := range c.Timeouts.all() {
		check(t.is >= minTimeout, "timeouts.%s is %s; it takes at least %s, written with its unit", t.key, t.is, minTimeout)
	}
	_, level := c.Log.level()
	_, proxies := c.Auth.proxies()
	return errors.Join(append(errs, checkListen(c.Listen), checkPublicURL(c.PublicURL), c.RootKey.check(), c.Keystone.check(), c.checkIssuers(), level, proxies, c.checkSinks(), c.checkFunctions(), c.checkCloudDatabases(), c.checkTargets())...)
}

// isRegion reports whether name can be a region id, which becomes a part of resource
// names and of environment variables of SDKs.
func isRegion(name string) bool {
	return name != "" && len(name) <= 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// checkListen reports an address that is not host and port. An empty one would
// listen on any port of any address.
func checkListen(listen string) error {
	_, port, err := net.SplitHostPort(listen)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || port == "" {
		return fmt.Errorf("listen is %q; it takes an address with a port, such as 127.0.0.1:9443 or [::1]:9443, or :9443 for all addresses", listen)
	}
	return nil
}

func checkPublicURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return fmt.Errorf("public_url is %q; it takes scheme, host and port, such as https://secrets.example.org", text)
	}
	return nil
}

// check reports more than one source, naming them.
func (r *RootKeyConfig) check() error {
	var given []string
	for _, source := range []struct{ key, is string }{
		{"file", r.File},
		{"env", r.Env},
		{"credential", r.Credential},
		{"passphrase_file", r.PassphraseFile},
		{"passphrase_env", r.PassphraseEnv},
	} {
		if source.is != "" {
			given = append(given, source.key)
		}
	}
	if len(given) > 1 {
		return fmt.Errorf("root_key names %d sources (%s); keep the one that the store was made with", len(given), strings.Join(given, ", "))
	}
	return nil
}

// proxies parses the networks of trusted proxies.
func (a *AuthConfig) proxies() ([]netip.Prefix, error) {
	return parseNetworks("auth.trusted_proxies", a.TrustedProxies)
}

func parseNetworks(key string, texts []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%s holds %q; it takes networks such as 10.0.0.0/8", key, text)
		}
		out = append(out, prefix)
	}
	return out, nil
}

// timeout is one row of the section timeouts.
type timeout struct {
	key string
	is  time.Duration
}

func (t *TimeoutsConfig) all() []timeout {
	return []timeout{
		{"read_header", t.ReadHeader},
		{"read", t.Read},
		{"write", t.Write},
		{"idle", t.Idle},
		{"request", t.Request},
		{"shutdown", t.Shutdown},
	}
}
