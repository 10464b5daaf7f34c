package auth

import (
	"net/http"
	"net/netip"
	"strings"
)

// locate finds out where the request comes from. What a proxy says about it counts
// only if the peer is a trusted one (auth.md section 9).
func (t *attempt) locate(trusted []netip.Prefix) {
	t.secure = t.r.TLS != nil
	peer, err := netip.ParseAddrPort(t.r.RemoteAddr)
	if err != nil {
		return
	}
	t.source = peer.Addr().Unmap()
	if !within(trusted, t.source) {
		return
	}
	t.proxied = true
	t.source = forwardedFor(t.r.Header["X-Forwarded-For"], t.source, trusted)
	if proto := t.r.Header["X-Forwarded-Proto"]; len(proto) == 1 {
		t.secure = strings.EqualFold(proto[0], "https")
	}
}

// forwardedFor returns the nearest address in X-Forwarded-For that is no trusted
// proxy. Every proxy appends the peer it saw, so the list is read from its end, and
// what stands before the first stranger was written by him. An entry that is no
// address ends the list.
func forwardedFor(values []string, nearest netip.Addr, trusted []netip.Prefix) netip.Addr {
	for i := len(values) - 1; i >= 0; i-- {
		for list := values[i]; list != ""; {
			cut := strings.LastIndexByte(list, ',')
			addr, err := parseAddr(strings.TrimSpace(list[cut+1:]))
			if err != nil {
				return nearest
			}
			nearest = addr
			if !within(trusted, nearest) {
				return nearest
			}
			list = list[:max(cut, 0)]
		}
	}
	return nearest
}

// parseAddr reads an address, with or without a port.
func parseAddr(text string) (netip.Addr, error) {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap(), nil
	}
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return addr.Unmap().WithZone(""), err
}

func within(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// Source returns the address a request comes from: the peer, or what a trusted
// proxy says of it.
func (a *Authenticator) Source(r *http.Request) netip.Addr {
	t := attempt{r: r}
	t.locate(a.o.TrustedProxies)
	return t.source
}
