package app

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// Addr returns the address the server listens on, with the port that was chosen for
// port 0.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL returns the address as clients reach it: the public one, or else one that
// works on this host.
func (s *Server) URL() string {
	if s.config.PublicURL != "" {
		return strings.TrimRight(s.config.PublicURL, "/")
	}
	u := url.URL{Scheme: "https", Host: reachable(s.Addr())}
	if s.cert == nil {
		u.Scheme = "http"
	}
	return u.String()
}

// reachable returns an address to connect to for one to listen on: all addresses
// include the loopback.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip, bad := netip.ParseAddr(host); err == nil && (host == "" || bad == nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}

// hosts are the names and addresses that a self-made certificate is valid for, each
// once.
func (c *Config) hosts() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	public := ""
	if u, err := url.Parse(c.PublicURL); err == nil {
		public = u.Hostname()
	}
	for _, host := range append([]string{c.listenHost(), public}, c.TLS.Names...) {
		if host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// listenHost is the host of the address to listen on, without a zone; the name of
// this machine where that is every address.
func (c *Config) listenHost() string {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return ""
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "", err == nil && ip.IsUnspecified():
		name, _ := os.Hostname() // without a name there is one host less
		return name
	case err == nil:
		return ip.WithZone("").String()
	default:
		return host
	}
}

// exposed reports whether other machines can reach the listener.
func (s *Server) exposed() bool {
	addr, ok := s.listener.Addr().(*net.TCPAddr)
	return ok && !addr.IP.IsLoopback()
}
