package crash

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"coffer/internal/client"
)

// tokens are those of one user. The first is got with his password, the others for
// the first.
type tokens struct {
	user, password, domain string
	first                  string
	live                   map[string]bool // all that were told; false once revoked
	revoking               string          // in flight
}

// begin makes the user and gets the first token.
func (k *tokens) begin(ctx context.Context, t *testing.T, p *process, owner *client.Client, domain string) {
	t.Helper()
	k.user, k.password, k.domain, k.live = "holder", "Holder-of-T0kens", domain, map[string]bool{}
	body := map[string]any{"user": map[string]any{"name": k.user, "password": k.password}}
	if _, err := owner.Do(ctx, http.MethodPost, "/v3/users", body, nil); err != nil {
		t.Fatal(err)
	}
	var err error
	if k.first, err = issueToken(ctx, p.connect(t, client.Config{}), k.byPassword()); err != nil {
		t.Fatal(err)
	}
	k.live[k.first] = true
}

func (k *tokens) byPassword() map[string]any {
	return map[string]any{"methods": []string{"password"}, "password": map[string]any{"user": map[string]any{
		"name": k.user, "password": k.password, "domain": map[string]any{"name": k.domain},
	}}}
}

func issueToken(ctx context.Context, c *client.Client, identity map[string]any) (string, error) {
	header, err := c.Do(ctx, http.MethodPost, "/v3/auth/tokens?nocatalog=true", map[string]any{"auth": map[string]any{"identity": identity}}, nil)
	return header.Get("X-Subject-Token"), err
}

// step gets a token or revokes one. A token whose answer is lost is known to nobody.
func (k *tokens) step(ctx context.Context, p *process, chance *rand.Rand, counts *tally) error {
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(k.live)), func(token string) bool { return token == k.first || !k.live[token] })
	var err error
	if len(others) > 3 || len(others) > 0 && chance.IntN(2) == 0 {
		err = k.revoke(ctx, p, others[chance.IntN(len(others))])
	} else {
		err = k.issue(ctx, p)
	}
	if err == nil {
		counts.acknowledged.Add(1)
	}
	return err
}

func (k *tokens) issue(ctx context.Context, p *process) error {
	answer, err := send(ctx, p, request{
		method: http.MethodPost, path: "/v3/auth/tokens?nocatalog=true",
		body: fmt.Sprintf(`{"auth":{"identity":{"methods":["token"],"token":{"id":%q}}}}`, k.first),
	})
	if err != nil {
		return err
	}
	if answer.status != http.StatusCreated {
		return fmt.Errorf("%w: a token is answered with %d %s", errRefused, answer.status, answer.body)
	}
	k.live[answer.header.Get("X-Subject-Token")] = true
	return nil
}

func (k *tokens) revoke(ctx context.Context, p *process, token string) error {
	k.revoking = token
	answer, err := send(ctx, p, request{
		method: http.MethodDelete, path: "/v3/auth/tokens",
		header: http.Header{"X-Auth-Token": {k.first}, "X-Subject-Token": {token}},
	})
	if err != nil {
		return err
	}
	if answer.status != http.StatusNoContent {
		return fmt.Errorf("%w: revoking a token is answered with %d %s", errRefused, answer.status, answer.body)
	}
	k.live[token], k.revoking = false, ""
	return nil
}

// check shows every token: one that was told and not revoked works, one that was
// revoked does not.
func (k *tokens) check(t *testing.T, p *process, counts *tally) error {
	var errs []error
	for _, token := range slices.Sorted(maps.Keys(k.live)) {
		_, err := whoAmI(t.Context(), p.connect(t, client.Config{Token: token}))
		works := err == nil
		if err != nil && !isStatus(err, http.StatusUnauthorized) {
			errs = append(errs, err)
			continue
		}
		if token == k.revoking {
			k.live[token], k.revoking = works, ""
			counts.settled(!works)
		}
		if works != k.live[token] {
			errs = append(errs, fmt.Errorf("a token of %s works: %t, and should: %t", k.user, works, k.live[token]))
		}
		if !works {
			delete(k.live, token)
		}
	}
	return errors.Join(errs...)
}
