package auth_test

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"testing"

	"coffer/internal/auth"
)

// Auth.md section 9: X-Forwarded-* counts from trusted proxies only.
func TestAuthenticate_finds_the_source_address(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"no proxy":            {"203.0.113.5:1", nil, "203.0.113.5"},
		"stranger claims":     {"203.0.113.5:1", []string{"198.51.100.1"}, "203.0.113.5"},
		"proxy without claim": {"10.0.0.1:1", nil, "10.0.0.1"},
		"one proxy":           {"10.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		"forged in front":     {"10.0.0.1:1", []string{"1.2.3.4, 198.51.100.1"}, "198.51.100.1"},
		"two proxies":         {"10.0.0.1:1", []string{"1.2.3.4, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		"two headers":         {"10.0.0.1:1", []string{"1.2.3.4", "198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		"proxies only":        {"10.0.0.1:1", []string{"10.0.0.3,10.0.0.2"}, "10.0.0.3"},
		"with port":           {"10.0.0.1:1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		"IPv6":                {"[fd00::1]:1", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 in brackets":    {"[fd00::1]:1", []string{"[2001:db8::7]"}, "2001:db8::7"},
		"mapped IPv4":         {"[::ffff:10.0.0.1]:1", []string{"198.51.100.1"}, "198.51.100.1"},
		"rubbish":             {"10.0.0.1:1", []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		"empty":               {"10.0.0.1:1", []string{""}, "10.0.0.1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, auth.Options{TrustedProxies: proxies})
			c, err := f.send(get(), func(r *http.Request) {
				r.RemoteAddr = tt.peer
				if tt.forwarded != nil {
					r.Header["X-Forwarded-For"] = tt.forwarded
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := c.SourceIP.String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAuthenticate_tells_whether_the_request_came_over_TLS(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	tests := map[string]struct {
		proxies []netip.Prefix
		change  func(*http.Request)
		want    bool
	}{
		"plain":               {nil, nil, false},
		"TLS":                 {nil, func(r *http.Request) { r.TLS = &tls.ConnectionState{} }, true},
		"proxy says https":    {proxies, func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") }, true},
		"proxy says http":     {proxies, func(r *http.Request) { r.TLS = &tls.ConnectionState{}; r.Header.Set("X-Forwarded-Proto", "http") }, false},
		"stranger says https": {nil, func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") }, false},
	}
	for name, tt := range tests {
		c, err := newFixture(t, auth.Options{TrustedProxies: tt.proxies}).send(get(), tt.change)
		if err != nil || c.Secure != tt.want {
			t.Errorf("%s: got %v and %v, want %v", name, c.Secure, err, tt.want)
		}
	}
}
