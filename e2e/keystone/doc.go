// Package keystone runs a built Coffer beside a real OpenStack Keystone, that of the
// Debian package, whose tokens it accepts (auth.md section 10).
//
// The rule that keeps it honest: what answers is Keystone itself. A proxy before it
// counts, and can be down; it invents nothing.
package keystone
