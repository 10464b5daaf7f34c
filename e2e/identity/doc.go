// Package identity runs a built Coffer beside those who say who somebody is: a real
// OpenStack Keystone, that of the Debian package, and an OpenID Connect issuer on
// loopback whose tokens the official SDK shows.
//
// The rule that keeps it honest: what answers for Keystone is Keystone itself, and what
// asks for the issuer's users is the SDK. A proxy before Keystone counts, and can be
// down; it invents nothing.
package identity
