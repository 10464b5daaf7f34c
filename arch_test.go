// Package coffer_test holds the house: who may import whom, and what may be done
// where. The picture is in ARCHITECTURE.md, the reasons are in docs/adr/0002.
package coffer_test

import (
	"testing"

	"coffer/internal/arch"
)

// arrows says what a package may import of ours. An arrow that is not here does not
// exist; a new one is a decision and goes with an ADR.
var arrows = []arch.Arrow{
	// The core: pure rules, and the port that every record goes through.
	{From: "internal/csms"},
	{From: "internal/iam", To: []string{"internal/csms"}},
	{From: "internal/wire", To: []string{"internal/csms"}},
	{From: "internal/password", To: []string{"internal/csms"}},

	// Ports, what is common to their engines, and the engines, which are leaves.
	{From: "internal/kv"},
	{From: "internal/kv/*", To: []string{"internal/kv"}},
	{From: "internal/notify"},
	{From: "internal/notify/smn", To: []string{"internal/notify", "internal/outgoing", "internal/auth/signature"}},
	{From: "internal/notify/*", To: []string{"internal/notify", "internal/outgoing"}},
	{From: "internal/rotate", To: []string{"internal/csms"}},
	{From: "internal/rotate/template"},
	{From: "internal/rotate/database", To: []string{"internal/csms", "internal/password"}},
	{From: "internal/rotate/servertest", To: []string{"internal/csms", "internal/rotate/database"}},
	{From: "internal/rotate/databasetest", To: []string{"internal/csms", "internal/password", "internal/rotate/database", "internal/rotate/servertest"}},
	{From: "internal/rotate/account", To: []string{"internal/csms", "internal/password", "internal/rotate", "internal/rotate/database"}},
	{From: "internal/rotate/function", To: []string{"internal/csms", "internal/outgoing", "internal/rotate"}},
	{From: "internal/rotate/exec", To: []string{"internal/csms", "internal/rotate", "internal/rotate/function"}},
	{From: "internal/rotate/huawei", To: []string{"internal/auth/signature", "internal/csms", "internal/outgoing", "internal/rotate", "internal/rotate/database", "internal/rotate/function"}},
	{From: "internal/rotate/*", To: []string{"internal/rotate/database"}},
	{From: "internal/outgoing"},
	{From: "internal/store", To: []string{"internal/csms", "internal/kv"}},
	{From: "internal/seal"},
	{From: "internal/seal/rootkey", To: []string{"internal/seal"}},
	{From: "internal/seal/sealtest", To: []string{"internal/seal"}},
	{From: "internal/seal/localkms", To: []string{"internal/seal", "internal/seal/rootkey", "internal/store", "internal/csms"}},

	// The form in which a secret leaves the store.
	{From: "internal/backup", To: []string{"internal/csms", "internal/seal"}},

	// Operations, and who asks for them.
	{From: "internal/auth/signature"},
	{From: "internal/auth/credential", To: []string{"internal/csms", "internal/store", "internal/seal"}},
	{From: "internal/auth", To: []string{"internal/csms", "internal/iam", "internal/store", "internal/seal", "internal/auth/signature", "internal/auth/credential", "internal/auth/keystone"}},
	{From: "internal/auth/keystone", To: []string{"internal/outgoing"}},
	{From: "internal/auth/oidc", To: []string{"internal/outgoing"}},
	{From: "internal/service", To: []string{"internal/csms", "internal/iam", "internal/store", "internal/seal", "internal/password", "internal/backup", "internal/notify", "internal/rotate", "internal/rotate/template"}},
	{From: "internal/service/identity", To: []string{"internal/csms", "internal/iam", "internal/store", "internal/seal", "internal/auth/credential"}},
	// The KMS API manages the keys of the embedded engine: an external one has its own.
	{From: "internal/service/eps", To: []string{"internal/csms", "internal/iam", "internal/store"}},
	{From: "internal/service/smn", To: []string{"internal/csms", "internal/iam", "internal/store"}},
	{From: "internal/service/kms", To: []string{"internal/csms", "internal/iam", "internal/store", "internal/seal", "internal/seal/localkms"}},

	// What drives them.
	{From: "internal/jobs", To: []string{"internal/csms", "internal/service", "internal/service/identity"}},
	{From: "internal/httpapi", To: []string{"internal/csms", "internal/iam", "internal/auth", "internal/wire", "internal/service", "internal/rotate", "internal/service/identity", "internal/service/kms", "internal/service/eps", "internal/service/smn", "internal/password"}},
	{From: "internal/app", To: production},

	// The other side of the wire.
	{From: "internal/client", To: []string{"internal/csms", "internal/wire", "internal/auth/signature"}},
	{From: "cmd/coffer", To: []string{"internal/app", "internal/client", "internal/wire", "internal/csms", "internal/auth/signature"}},
	{From: "bench/...", To: []string{"internal/client", "internal/wire", "internal/auth/signature"}},
	{From: "crash/...", To: []string{"internal/client", "internal/wire", "internal/auth/signature"}},

	// Code for tests; only test files import it.
	{From: "internal/testkit", To: production},
	{From: "internal/arch"},
	{From: "."},
}

// production is everything but the composition root and what is for tests.
var production = []string{
	"internal/csms", "internal/iam", "internal/wire", "internal/kv", "internal/kv/memkv", "internal/kv/pebblekv", "internal/store",
	"internal/seal", "internal/seal/rootkey", "internal/seal/localkms", "internal/auth", "internal/auth/signature", "internal/auth/credential", "internal/auth/keystone", "internal/auth/oidc",
	"internal/service", "internal/service/identity", "internal/service/kms", "internal/service/eps", "internal/service/smn", "internal/password", "internal/backup", "internal/jobs", "internal/httpapi", "internal/client",
	"internal/notify", "internal/notify/webhook", "internal/notify/file", "internal/notify/syslog", "internal/notify/smtp", "internal/notify/nats", "internal/notify/smn",
	"internal/rotate", "internal/rotate/database", "internal/rotate/account", "internal/rotate/exec", "internal/rotate/function", "internal/rotate/huawei", "internal/rotate/sqlserver", "internal/rotate/template", "internal/rotate/postgresql", "internal/rotate/mysql",
	"internal/outgoing",
}

// testArrows says what test files may import on top. The pure core has no row: its
// tests need nothing.
var testArrows = []arch.Arrow{
	{From: "internal/kv/...", To: []string{"internal/kv/kvtest", "internal/kv/memkv"}},
	{From: "internal/store", To: []string{"internal/kv/*"}},
	{From: "internal/notify/...", To: []string{"internal/notify/notifytest", "internal/auth/signature"}},
	{From: "internal/rotate/account", To: append([]string{"internal/testkit"}, production...)},
	{From: "internal/rotate/...", To: []string{"internal/csms", "internal/rotate/databasetest", "internal/rotate/servertest"}},
	{From: "internal/seal/...", To: []string{"internal/seal/sealtest", "internal/kv", "internal/kv/memkv"}},
	{From: "internal/auth/credential", To: []string{"internal/kv/memkv", "internal/seal/sealtest"}},
	{From: "internal/auth", To: append([]string{"internal/testkit"}, production...)},
	{From: "internal/service/...", To: append([]string{"internal/testkit", "internal/seal/sealtest"}, production...)},
	{From: "internal/jobs", To: append([]string{"internal/testkit"}, production...)},
	{From: "internal/httpapi", To: append([]string{"internal/testkit", "internal/seal/sealtest"}, production...)},
	{From: "internal/client", To: append([]string{"internal/testkit"}, production...)},
	{From: "internal/testkit", To: production},
	{From: "internal/app", To: []string{"internal/testkit", "internal/client", "internal/rotate/servertest"}},
	{From: "cmd/coffer", To: append([]string{"internal/testkit", "internal/rotate/servertest"}, production...)},
	{From: "crash", To: []string{"internal/kv", "internal/kv/pebblekv"}},
	{From: "crash/rotation", To: []string{"internal/rotate/servertest"}},
	{From: ".", To: []string{"internal/arch"}},
}

// bans keep the outside world out of the house: what a function needs of it is an
// argument, so that a test can decide it.
var bans = []arch.Ban{
	{Import: "time", Names: []string{"Now", "Since", "Until", "Sleep"}, Edge: true, Fix: "take the instant, or a function that tells it, as an argument; wait on a timer or a channel"},
	{Import: "math/rand", Edge: true, Fix: "take randomness as an io.Reader"},
	{Import: "math/rand/v2", Edge: true, Fix: "take randomness as an io.Reader"},
	{Import: "crypto/rand", Edge: true, Fix: "take randomness as an io.Reader"},
	{
		Import: "github.com/google/uuid", Names: []string{"New", "NewString", "NewRandom", "NewUUID", "NewV6", "NewV7"},
		Edge: true, Fix: "draw the id with uuid.NewRandomFromReader from an io.Reader that is an argument",
	},
	{Import: "os", Names: []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}, Edge: true, Fix: "take the value as an argument; the environment is read at the edge"},
	{Import: "log", Fix: "take a *slog.Logger as an argument"},
}

func TestArchitecture(t *testing.T) {
	tree, err := arch.Load(t.Context(), ".")
	if err != nil {
		t.Fatal(err)
	}
	if tree.Module != "coffer" || len(tree.Packages) < 10 {
		t.Fatalf("found %d packages of module %s; the check would prove nothing", len(tree.Packages), tree.Module)
	}
	rules := arch.Rules{
		Arrows:     arrows,
		TestArrows: testArrows,
		Bans:       bans,
		Edge:       []string{"internal/app", "cmd/..."},
		Suites:     []string{"internal/kv/kvtest", "internal/notify/notifytest", "internal/rotate/databasetest", "internal/rotate/servertest", "internal/seal/sealtest", "internal/testkit", "bench/...", "crash/..."},
		BadNames:   []string{"util", "utils", "common", "helper", "helpers", "model", "models", "types", "misc", "base", "shared", "lib"},
		MaxFile:    500,
		MaxFunc:    80,
	}
	for _, v := range rules.Check(tree) {
		t.Error(v)
	}
}
