package main

import (
	"testing"
	"time"
)

// TestSkew protects the 15 minutes of auth.md 5.5, in both directions.
func TestSkew(t *testing.T) {
	for ahead, want := range map[time.Duration]string{
		0: passed, 59 * time.Second: passed, -59 * time.Second: passed,
		time.Minute: warned, -14 * time.Minute: warned,
		15 * time.Minute: failed, -15 * time.Minute: failed, 25 * time.Hour: failed,
	} {
		got := skew(ahead)
		if got.Result != want {
			t.Errorf("%s ahead: %s, want %s", ahead, got.Result, want)
		}
		if (got.Advice == "") != (want == passed) {
			t.Errorf("%s ahead: the advice is %q", ahead, got.Advice)
		}
	}
}

// TestSameServer: the SDKs take an address without a scheme for https.
func TestSameServer(t *testing.T) {
	c := &cli{terminal: terminal{getenv: func(string) string { return "" }}, endpoint: "https://secrets.example.test:8443"}
	for address, want := range map[string]bool{
		"https://secrets.example.test:8443":  true,
		"https://Secrets.example.test:8443/": true,
		"secrets.example.test:8443":          true,
		"http://secrets.example.test:8443":   false,
		"https://secrets.example.test":       false,
		"https://other.example.test:8443":    false,
		"://":                                false,
	} {
		if got := sameServer(address, c.server()); got != want {
			t.Errorf("%q: %t, want %t", address, got, want)
		}
	}
}
