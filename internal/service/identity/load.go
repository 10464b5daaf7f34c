package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"coffer/internal/auth/credential"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// Identity is one entry of the file that --iam names.
type Identity struct {
	Name      string     `yaml:"name"`
	Password  Credential `yaml:"password"`   // "" for none
	AccessKey string     `yaml:"access_key"` // with SecretKey or not at all
	SecretKey string     `yaml:"secret_key"`
	Policies  []Document `yaml:"policies"`
}

// Format keeps the credentials out of whatever prints the entry.
func (i Identity) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "identity %s", i.Name) }

// Document is a policy document as JSON text, or the name of a built-in policy.
type Document string

// UnmarshalYAML reads a document that is written as YAML, or a text.
func (d *Document) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err == nil {
		*d = Document(text)
		return nil
	}
	var tree map[string]any
	if err := unmarshal(&tree); err != nil {
		return err
	}
	out, err := json.Marshal(tree)
	if err != nil {
		return fmt.Errorf("reading a policy: %w", err)
	}
	*d = Document(out)
	return nil
}

// loaded is an Identity that was found valid.
type loaded struct {
	Identity
	policyIDs []string
	inline    []store.InlinePolicy
}

// LoadIdentities makes the users of a file, or gives those that exist the password,
// access key and policies it names; policies it does not name are taken away. It is
// idempotent: what is right is not touched, so tokens stay valid. Users that are not
// in the file stay as they are. All entries are checked before anything is written;
// errors name the entry.
func (s *Service) LoadIdentities(ctx context.Context, entries []Identity) error {
	if s.home == "" {
		return errors.New("identity: identities loaded before the account was made")
	}
	d, err := s.store.Domain(ctx, s.home)
	if err != nil {
		return fmt.Errorf("reading the domain: %w", err)
	}
	all, err := checkEntries(entries)
	if err != nil {
		return err
	}
	for i := range all {
		if err := s.load(ctx, d, &all[i]); err != nil {
			return fmt.Errorf("users[%d] %q: %w", i, all[i].Name, err)
		}
	}
	return nil
}

// checkEntries checks every entry and reports all that is wrong.
func checkEntries(entries []Identity) ([]loaded, error) {
	var errs []error
	names, keys := map[string]bool{}, map[string]bool{}
	out := make([]loaded, len(entries))
	for i, e := range entries {
		out[i].Identity = e
		err := out[i].check()
		switch {
		case err != nil:
		case names[e.Name]:
			err = errors.New("the name stands twice")
		case e.AccessKey != "" && keys[e.AccessKey]:
			err = errors.New("the access_key stands twice")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("users[%d] %q: %w", i, e.Name, err))
		}
		names[e.Name], keys[e.AccessKey] = true, true
	}
	return out, errors.Join(errs...)
}

func (l *loaded) check() error {
	if err := checkName("name", l.Name); err != nil {
		return err
	}
	if l.Password != "" {
		if err := CheckPassword(l.Name, l.Password); err != nil {
			return err
		}
	}
	if l.AccessKey != "" || l.SecretKey != "" {
		if err := credential.CheckAccessKey(l.AccessKey, l.SecretKey); err != nil {
			return err
		}
	}
	for i, text := range l.Policies {
		if builtin, ok := iam.BuiltinPolicy(string(text)); ok {
			l.policyIDs = append(l.policyIDs, builtin.Name())
			continue
		}
		name := fmt.Sprintf("%s-%d", l.Name, i+1)
		document, err := checkDocument(name, []byte(text))
		if err != nil {
			return fmt.Errorf("policies[%d]: %w", i, err)
		}
		l.inline = append(l.inline, store.InlinePolicy{Name: name, Document: document})
	}
	return nil
}

// load makes one user what his entry says.
func (s *Service) load(ctx context.Context, d *store.Domain, l *loaded) error {
	u, err := orNil(s.store.UserByName(ctx, d.ID, l.Name))
	if err != nil {
		return err
	}
	if u == nil {
		return s.loadNew(ctx, d, l)
	}
	if u.ID == d.OwnerID {
		return errors.New("this is the owner of the account, who is not made by the file")
	}
	if err := s.ensurePassword(ctx, u, l.Password); err != nil {
		return err
	}
	if err := s.ensurePolicies(ctx, u, l); err != nil {
		return err
	}
	return s.ensureKey(ctx, u, l.AccessKey, l.SecretKey)
}

func (s *Service) loadNew(ctx context.Context, d *store.Domain, l *loaded) error {
	u, err := s.newUser(ctx, d.ID, NewUser{Name: l.Name, Password: l.Password})
	if err != nil {
		return err
	}
	u.PolicyIDs, u.Inline = l.policyIDs, l.inline
	if l.AccessKey == "" {
		return s.store.Update(ctx, func(tx *store.Tx) error { return tx.PutUser(u) })
	}
	k, err := s.sealedKey(u, l.AccessKey, l.SecretKey)
	if err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.AccessKey(l.AccessKey); !errors.Is(err, store.ErrNotFound) {
			return errors.Join(err, keyTaken(l.AccessKey))
		}
		return errors.Join(tx.PutUser(u), tx.PutAccessKey(k))
	})
}

func (s *Service) ensurePolicies(ctx context.Context, u *store.User, l *loaded) error {
	if slices.Equal(u.PolicyIDs, l.policyIDs) && slices.EqualFunc(u.Inline, l.inline, sameInline) {
		return nil
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		user, err := tx.User(u.ID)
		if err != nil {
			return err
		}
		user.PolicyIDs, user.Inline = l.policyIDs, l.inline
		return tx.PutUser(user)
	})
}

func sameInline(a, b store.InlinePolicy) bool {
	return a.Name == b.Name && bytes.Equal(a.Document, b.Document) //nolint:forbidigo // documents, not credentials
}
