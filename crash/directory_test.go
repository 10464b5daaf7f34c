package crash

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"coffer/internal/client"
)

// directory is what is known of the users, access keys and policies that a test has
// made. What is not known is empty; see learn.
type directory struct {
	Users    map[string]*user   // by name
	Policies map[string]*policy // by name
}

type user struct {
	ID, Description string
	Enabled         bool
	Keys            map[string]bool // active, by access key; "" is one whose answer was lost
	Policies        []string        // names, in the order attached
}

type policy struct{ ID, Document string }

func newDirectory() *directory {
	return &directory{Users: map[string]*user{}, Policies: map[string]*policy{}}
}

func (d *directory) clone() *directory {
	c := newDirectory()
	for name, u := range d.Users {
		own := *u
		own.Keys, own.Policies = maps.Clone(u.Keys), slices.Clone(u.Policies)
		c.Users[name] = &own
	}
	for name, p := range d.Policies {
		own := *p
		c.Policies[name] = &own
	}
	return c
}

// learn fills in the ids that d does not know.
func (d *directory) learn(from *directory) {
	for name, u := range d.Users {
		said, ok := from.Users[name]
		if !ok {
			continue
		}
		learn(&u.ID, said.ID)
		if active, open := u.Keys[""]; open {
			u.learnKey(active, said)
		}
	}
	for name, p := range d.Policies {
		if said, ok := from.Policies[name]; ok {
			learn(&p.ID, said.ID)
		}
	}
}

// learnKey takes the one access key that only the server knows for the one whose
// answer was lost.
func (u *user) learnKey(active bool, said *user) {
	for key := range said.Keys {
		if _, known := u.Keys[key]; !known {
			delete(u.Keys, "")
			u.Keys[key] = active
			return
		}
	}
}

// observeDirectory reads all users, keys and policies that owned chooses by name.
func observeDirectory(ctx context.Context, c *client.Client, owned func(name string) bool) (*directory, error) {
	d := newDirectory()
	var users struct {
		Users []struct {
			ID, Name, Description string
			Enabled               bool
		} `json:"users"`
	}
	if _, err := c.Do(ctx, http.MethodGet, "/v3/users", nil, &users); err != nil {
		return nil, fmt.Errorf("listing users: %w", err)
	}
	for _, u := range users.Users {
		if !owned(u.Name) {
			continue
		}
		own := &user{ID: u.ID, Description: u.Description, Enabled: u.Enabled, Keys: map[string]bool{}, Policies: []string{}}
		if err := own.observe(ctx, c); err != nil {
			return nil, err
		}
		d.Users[u.Name] = own
	}
	policies, err := observePolicies(ctx, c, "/v5/policies")
	for _, p := range policies.Policies {
		if owned(p.Name) {
			d.Policies[p.Name] = &policy{p.ID, p.Document}
		}
	}
	return d, err
}

func (u *user) observe(ctx context.Context, c *client.Client) error {
	var keys struct {
		Credentials []struct{ Access, Status string } `json:"credentials"`
	}
	if _, err := c.Do(ctx, http.MethodGet, "/v3.0/OS-CREDENTIAL/credentials?user_id="+url.QueryEscape(u.ID), nil, &keys); err != nil {
		return fmt.Errorf("listing the access keys of %s: %w", u.ID, err)
	}
	for _, k := range keys.Credentials {
		u.Keys[k.Access] = k.Status == "active"
	}
	attached, err := observePolicies(ctx, c, "/v5/users/"+u.ID+"/attached-policies")
	for _, p := range attached.Attached {
		u.Policies = append(u.Policies, p.Name)
	}
	return err
}

// policies is a list of policies, whatever it is called.
type policies struct {
	Policies []policyAnswer `json:"policies"`
	Attached []policyAnswer `json:"attached_policies"`
}

type policyAnswer struct {
	ID       string `json:"policy_id"`
	Name     string `json:"policy_name"`
	Document string `json:"policy_document"`
}

func observePolicies(ctx context.Context, c *client.Client, path string) (policies, error) {
	var list policies
	if _, err := c.Do(ctx, http.MethodGet, path, nil, &list); err != nil {
		return list, fmt.Errorf("listing policies: %w", err)
	}
	return list, nil
}

// whoAmI returns the id of the user that the server takes the caller for.
func whoAmI(ctx context.Context, c *client.Client) (string, error) {
	var answer struct {
		PrincipalID string `json:"principal_id"`
	}
	_, err := c.Do(ctx, http.MethodGet, "/v5/caller-identity", nil, &answer)
	return answer.PrincipalID, err
}
