package auth_test

import (
	"log/slog"
	"net/http"
	"testing"

	"coffer/internal/auth"
	"coffer/internal/store"
)

// The read path: Authenticate and EnterProject for a GET with the headers of the Go
// SDK, logger on at info as in production.
func BenchmarkAuthenticate(b *testing.B) {
	f := newFixture(b, auth.Options{Logger: slog.New(slog.NewTextHandler(discard{}, nil))})
	signed := get()
	signed.key = readerKey
	wrong := f.received(signed)
	wrong.Header.Set("User-Agent", "another")
	unknown := get()
	unknown.key = "UNKNOWNACCESSKEY0001"
	f.putGroup(store.Assignment{PolicyID: "CSMS ReadOnlyAccess", Scope: store.ScopeProject, ScopeID: vectorP}, store.Assignment{PolicyID: policyID, Scope: store.ScopeAll})
	f.putPolicy(allowGet)
	f.update(func(tx *store.Tx) error {
		return tx.PutUser(&store.User{ID: "member", DomainID: home, Name: "member", Enabled: true, GroupIDs: []string{groupID}})
	})
	f.putKey("MEMBERACCESSKEY00001", "member", nil)
	member := get()
	member.key = "MEMBERACCESSKEY00001"
	cases := []struct {
		name string
		r    *http.Request
		good bool
	}{
		{"signature", f.received(signed), true},
		{"token", f.received(withToken(f.token(reader, toProject(vectorP)))), true},
		{"member", f.received(member), true},
		{"wrong", wrong, false},
		{"unknown", f.received(unknown), false},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				who, err := f.Authenticate(b.Context(), c.r, nil)
				if err == nil {
					err = f.EnterProject(b.Context(), &who, vectorP)
				}
				if (err == nil) != c.good {
					b.Fatal(err)
				}
			}
		})
		if c.good {
			b.Run(c.name+"/parallel", func(b *testing.B) {
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := f.Authenticate(b.Context(), c.r, nil); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
