package mysql

import (
	"strings"
	"testing"
)

// The vectors were made by the C library of GNU, which cuts salts off after 16 bytes. That
// MySQL does not is seen with the real server, by the suite.
func TestShaCrypt(t *testing.T) {
	for _, c := range []struct {
		password, salt string
		rounds         int
		want           string
	}{
		{"Hello world!", "saltstring", 5000, "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"},
		{"we have a short salt string but not a short password", "short", 77777, "JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/"},
		{strings.Repeat("a", 70), "0123456789abcdef", 1000, "RbY3XRfNETl7BhCwjiddwNphl5hjiZig.CeKP6Rxp13"},
	} {
		if got := shaCrypt([]byte(c.password), []byte(c.salt), c.rounds); got != c.want {
			t.Errorf("%q with %q: %s; want %s", c.password, c.salt, got, c.want)
		}
	}
}

func TestHolds(t *testing.T) {
	salt := strings.Repeat("s", saltLength)
	digest := shaCrypt([]byte("right"), []byte(salt), 5000)
	for _, m := range []method{
		{native, nativeHash([]byte("right"))},
		{ed25519, ed25519Hash([]byte("right"))},
		{"caching_sha2_password", "$A$005$" + salt + digest},
		{"sha256_password", "$5$" + salt + "$" + digest},
	} {
		if !m.holds([]byte("right")) || m.holds([]byte("wrong")) || m.holds(nil) {
			t.Errorf("%s does not tell passwords apart", m.plugin)
		}
	}
	for _, stored := range []string{"", "$A$005$", "$A$0x5$" + salt + digest, "$A$005$" + salt + digest + "x", "$B$005$" + salt + digest, "THISISACOMBINATION"} {
		if (method{"caching_sha2_password", stored}).holds([]byte("right")) || (method{"sha256_password", stored}).holds([]byte("right")) {
			t.Errorf("%q holds the password", stored)
		}
	}
	if (method{"unix_socket", ""}).holds(nil) {
		t.Error("a method without a password holds the empty one")
	}
}
