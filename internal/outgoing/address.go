package outgoing

import (
	"fmt"
	"net/netip"
)

// refused are the ranges that hold services of this host, its network or its cloud,
// which a name from outside must not lead to. Loopback and link-local addresses, the
// unspecified and multicast are recognised by netip.
var refused = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.100.100.200/32"), // metadata of a cloud, outside link-local
	netip.MustParsePrefix("fd00:ec2::254/128"),  // likewise
	netip.MustParsePrefix("255.255.255.255/32"),
}

// translated are ranges of addresses that stand for IPv4 ones, in their last four
// bytes.
var translated = []netip.Prefix{netip.MustParsePrefix("64:ff9b::/96")}

// check reports an address, with its port, that nothing may be sent to.
func check(address string, allow []netip.Prefix) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrAddress, address)
	}
	addr := ap.Addr().Unmap().WithZone("")
	if contains(translated, addr) {
		bytes := addr.As16()
		addr = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	if contains(allow, addr) {
		return nil
	}
	if addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsUnspecified() || addr.IsMulticast() || contains(refused, addr) {
		return fmt.Errorf("%w: %s", ErrAddress, addr)
	}
	return nil
}

func contains(networks []netip.Prefix, addr netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}
