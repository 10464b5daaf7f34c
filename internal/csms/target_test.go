package csms

import (
	"strings"
	"testing"
)

func sound() DatabaseTarget {
	return DatabaseTarget{
		InstanceID: "i", Engine: MySQL, Host: "db.example.org", Port: 3306, TLSMode: TLSVerifyFull, AdminSecret: "admin", Accounts: []string{"app"},
	}
}

// What a target takes, and what it does not, at the bounds.
func TestDatabaseTargetBounds(t *testing.T) {
	cases := map[string]struct {
		change func(*DatabaseTarget)
		ok     bool
	}{
		"as it is":                {func(*DatabaseTarget) {}, true},
		"an IPv6 address":         {func(d *DatabaseTarget) { d.Host = "2001:db8::1" }, true},
		"a host of 253":           {func(d *DatabaseTarget) { d.Host = strings.Repeat("h", 253) }, true},
		"a host of 254":           {func(d *DatabaseTarget) { d.Host = strings.Repeat("h", 254) }, false},
		"a host with a space":     {func(d *DatabaseTarget) { d.Host = "a b" }, false},
		"a host with parameters":  {func(d *DatabaseTarget) { d.Host = "h?sslmode=disable" }, false},
		"a host beyond ASCII":     {func(d *DatabaseTarget) { d.Host = "hö" }, false},
		"port 65535":              {func(d *DatabaseTarget) { d.Port = 65535 }, true},
		"a database of 128":       {func(d *DatabaseTarget) { d.Database = strings.Repeat("数", 128) }, true},
		"a database of 129":       {func(d *DatabaseTarget) { d.Database = strings.Repeat("d", 129) }, false},
		"a database with NUL":     {func(d *DatabaseTarget) { d.Database = "a\x00" }, false},
		"100 accounts":            {func(d *DatabaseTarget) { d.Accounts = strings.Split(strings.Repeat("a ", 99)+"a", " ") }, true},
		"101 accounts":            {func(d *DatabaseTarget) { d.Accounts = strings.Split(strings.Repeat("a ", 100)+"a", " ") }, false},
		"an account of 129":       {func(d *DatabaseTarget) { d.Accounts = []string{strings.Repeat("a", 129)} }, false},
		"an account with newline": {func(d *DatabaseTarget) { d.Accounts = []string{"a\n"} }, false},
		"hostile but printable":   {func(d *DatabaseTarget) { d.Accounts = []string{`a"; DROP ROLE b; --`} }, true},
	}
	for name, c := range cases {
		d := sound()
		c.change(&d)
		if err := d.Validate(); (err == nil) != c.ok || err != nil && CodeOf(err) != CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Only listed accounts are rotated, and a star stands only for itself or for all.
func TestAccountsOfATarget(t *testing.T) {
	d := sound()
	d.Accounts = []string{"app", "app_*"}
	for account, want := range map[string]bool{"app": true, "app_*": true, "app_1": false, "root": false, "": false, "*": false} {
		if got := d.Rotates(account); got != want {
			t.Errorf("Rotates(%q) = %t", account, got)
		}
	}
	d.Accounts = []string{AnyAccount}
	if !d.Rotates("root") {
		t.Error("a star does not stand for every account")
	}
}
