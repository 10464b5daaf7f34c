package crash

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"coffer/internal/client"

	"github.com/google/go-cmp/cmp"
)

// registrar changes users, access keys, policies and tokens, one request at a time,
// as the owner of the account.
type registrar struct {
	chance  *rand.Rand
	tally   *tally
	known   *directory // as acknowledged
	pending *registration
	serial  int
	keys    map[string]string // secret keys that were told, by access key; also of keys that are gone
	holder  tokens
}

// registration is one request to the IAM. The directory is what it makes of the one
// before; told is what its answer adds to that.
type registration struct {
	what         string
	method, path string
	body         any
	apply        func(*directory)
	told         func(*directory, *registered)
}

// registered is whatever a registration is answered with.
type registered struct {
	User       struct{ ID string }
	Credential struct{ Access, Secret string }
	Policy     struct {
		ID string `json:"policy_id"`
	}
}

func newRegistrar(counts *tally) *registrar {
	return &registrar{chance: chance("registrar"), tally: counts, known: newDirectory(), keys: map[string]string{}}
}

func (r *registrar) owns(name string) bool { return strings.HasPrefix(name, "registered-") }

func (r *registrar) freshName() string {
	r.serial++
	return fmt.Sprintf("registered-%06d", r.serial)
}

// step does one thing. An error that is not errRefused leaves its outcome open.
func (r *registrar) step(ctx context.Context, p *process, c *client.Client) error {
	if r.chance.IntN(3) == 0 {
		return r.holder.step(ctx, p, r.chance, r.tally)
	}
	r.pending = r.next()
	var told registered
	_, err := c.Do(ctx, r.pending.method, r.pending.path, r.pending.body, &told)
	if refused := (*client.Error)(nil); errors.As(err, &refused) {
		return fmt.Errorf("%w: %s: %w", errRefused, r.pending.what, err)
	}
	if err != nil {
		return err
	}
	after := r.applied()
	if r.pending.told != nil {
		r.pending.told(after, &told)
	}
	r.known, r.pending = after, nil
	r.tally.acknowledged.Add(1)
	return nil
}

func (r *registrar) applied() *directory {
	after := r.known.clone()
	r.pending.apply(after)
	return after
}

// next chooses a registration that the server must accept.
func (r *registrar) next() *registration {
	users, policies := slices.Sorted(maps.Keys(r.known.Users)), slices.Sorted(maps.Keys(r.known.Policies))
	if len(users) < 2 || len(users) < 6 && r.chance.IntN(6) == 0 {
		return createUser(r.freshName())
	}
	if len(policies) < 2 || len(policies) < 5 && r.chance.IntN(8) == 0 {
		return createPolicy(r.freshName(), r.document())
	}
	name := users[r.chance.IntN(len(users))]
	policy := policies[r.chance.IntN(len(policies))]
	switch u := r.known.Users[name]; r.chance.IntN(10) {
	case 0:
		return deleteUser(name, u)
	case 1:
		return enableUser(name, u, !u.Enabled)
	case 2, 3:
		return r.attachOrDetach(name, u, policy)
	case 4:
		return r.replaceOrDelete(policy)
	default:
		return r.anyKey(name, u)
	}
}

func (r *registrar) document() string {
	return fmt.Sprintf(`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:get"],"Resource":["csms:*:*:secret:name-%d"]}]}`, r.chance.Uint32())
}

func (r *registrar) attachOrDetach(name string, u *user, policy string) *registration {
	id := r.known.Policies[policy].ID
	body := map[string]any{"user_id": u.ID}
	if slices.Contains(u.Policies, policy) {
		return &registration{
			what: "DetachUserPolicyV5", method: http.MethodPost, path: "/v5/policies/" + id + "/detach-user", body: body,
			apply: func(d *directory) {
				own := d.Users[name]
				own.Policies = slices.DeleteFunc(own.Policies, func(p string) bool { return p == policy })
			},
		}
	}
	return &registration{
		what: "AttachUserPolicyV5", method: http.MethodPost, path: "/v5/policies/" + id + "/attach-user", body: body,
		apply: func(d *directory) { d.Users[name].Policies = append(d.Users[name].Policies, policy) },
	}
}

// replaceOrDelete deletes a policy that is attached to nobody, at times, or gives it
// another document.
func (r *registrar) replaceOrDelete(name string) *registration {
	attached := false
	for _, u := range r.known.Users {
		attached = attached || slices.Contains(u.Policies, name)
	}
	id := r.known.Policies[name].ID
	if !attached && r.chance.IntN(2) == 0 {
		return &registration{
			what: "DeletePolicyV5", method: http.MethodDelete, path: "/v5/policies/" + id,
			apply: func(d *directory) { delete(d.Policies, name) },
		}
	}
	document := r.document()
	return &registration{
		what: "CreatePolicyVersionV5", method: http.MethodPost, path: "/v5/policies/" + id + "/versions",
		body:  map[string]any{"policy_document": document},
		apply: func(d *directory) { d.Policies[name].Document = document },
	}
}

// anyKey makes an access key while there is room, else changes or deletes one.
func (r *registrar) anyKey(name string, u *user) *registration {
	if len(u.Keys) < 2 {
		return r.createKey(name, u)
	}
	key := slices.Sorted(maps.Keys(u.Keys))[r.chance.IntN(len(u.Keys))]
	path := "/v3.0/OS-CREDENTIAL/credentials/" + key
	if r.chance.IntN(2) == 0 {
		return &registration{
			what: "DeletePermanentAccessKey", method: http.MethodDelete, path: path,
			apply: func(d *directory) { delete(d.Users[name].Keys, key) },
		}
	}
	active := !u.Keys[key]
	status := map[bool]string{true: "active", false: "inactive"}[active]
	return &registration{
		what: "UpdatePermanentAccessKey", method: http.MethodPut, path: path,
		body:  map[string]any{"credential": map[string]any{"status": status}},
		apply: func(d *directory) { d.Users[name].Keys[key] = active },
	}
}

func (r *registrar) createKey(name string, u *user) *registration {
	return &registration{
		what: "CreatePermanentAccessKey", method: http.MethodPost, path: "/v3.0/OS-CREDENTIAL/credentials",
		body:  map[string]any{"credential": map[string]any{"user_id": u.ID}},
		apply: func(d *directory) { d.Users[name].Keys[""] = true },
		told: func(d *directory, a *registered) {
			delete(d.Users[name].Keys, "")
			d.Users[name].Keys[a.Credential.Access] = true
			r.keys[a.Credential.Access] = a.Credential.Secret
		},
	}
}

func createUser(name string) *registration {
	return &registration{
		what: "KeystoneCreateUser", method: http.MethodPost, path: "/v3/users",
		body: map[string]any{"user": map[string]any{"name": name, "description": "of " + name}},
		apply: func(d *directory) {
			d.Users[name] = &user{Description: "of " + name, Enabled: true, Keys: map[string]bool{}, Policies: []string{}}
		},
		told: func(d *directory, a *registered) { d.Users[name].ID = a.User.ID },
	}
}

func deleteUser(name string, u *user) *registration {
	return &registration{
		what: "KeystoneDeleteUser", method: http.MethodDelete, path: "/v3/users/" + u.ID,
		apply: func(d *directory) { delete(d.Users, name) },
	}
}

func enableUser(name string, u *user, to bool) *registration {
	return &registration{
		what: "KeystoneUpdateUser", method: http.MethodPatch, path: "/v3/users/" + u.ID,
		body:  map[string]any{"user": map[string]any{"enabled": to}},
		apply: func(d *directory) { d.Users[name].Enabled = to },
	}
}

func createPolicy(name, document string) *registration {
	return &registration{
		what: "CreatePolicyV5", method: http.MethodPost, path: "/v5/policies",
		body:  map[string]any{"policy_name": name, "policy_document": document},
		apply: func(d *directory) { d.Policies[name] = &policy{Document: document} },
		told:  func(d *directory, a *registered) { d.Policies[name].ID = a.Policy.ID },
	}
}

// check holds the directory against the server, then proves each access key and each
// token by using it.
func (r *registrar) check(t *testing.T, p *process, c *client.Client) error {
	got, err := observeDirectory(t.Context(), c, r.owns)
	if err != nil {
		return err
	}
	if err := r.settle(got); err != nil {
		return err
	}
	return errors.Join(r.proveKeys(t, p), r.holder.check(t, p, r.tally))
}

// settle finds out what became of the request in flight.
func (r *registrar) settle(got *directory) error {
	without := compareDirectories(r.known, got)
	if r.pending == nil {
		if without != "" {
			return fmt.Errorf("the directory is not as acknowledged: %s", without)
		}
		return nil
	}
	after := r.applied()
	with := compareDirectories(after, got)
	switch {
	case without == "":
	case with == "":
		after.learn(got)
		r.known = after
	default:
		return fmt.Errorf("a %s in flight is half there.\nIf it did not happen: %s\nIf it did: %s", r.pending.what, without, with)
	}
	r.tally.settled(without != "")
	r.pending = nil
	return nil
}

func compareDirectories(want, got *directory) string {
	want = want.clone()
	want.learn(got)
	if diff := cmp.Diff(want, got); diff != "" {
		return "(-want +got)\n" + diff
	}
	return ""
}

// proveKeys signs with every key whose secret was told: it works if the key is
// active and its user enabled, and is refused otherwise, also if it is gone.
func (r *registrar) proveKeys(t *testing.T, p *process) error {
	owners := map[string]*user{}
	for _, u := range r.known.Users {
		for key := range u.Keys {
			owners[key] = u
		}
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(r.keys)) {
		id, err := whoAmI(t.Context(), p.connect(t, client.Config{AccessKey: key, SecretKey: r.keys[key]}))
		u := owners[key]
		switch works := u != nil && u.Enabled && u.Keys[key]; {
		case works && (err != nil || id != u.ID):
			errs = append(errs, fmt.Errorf("the access key %s of %s is taken for one of %q: %w", key, u.ID, id, err))
		case !works && !isStatus(err, http.StatusUnauthorized):
			errs = append(errs, fmt.Errorf("the access key %s should not work and is answered with %q, %w", key, id, err))
		}
		if u == nil {
			delete(r.keys, key) // proven gone once
		}
	}
	return errors.Join(errs...)
}
