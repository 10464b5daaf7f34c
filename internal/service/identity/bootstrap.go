package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"iter"
	"log/slog"

	"coffer/internal/auth/credential"
	"coffer/internal/store"
)

// BootstrapInput is the account that a server starts with. DomainName, Region and
// UserName are required; what else is empty is generated.
type BootstrapInput struct {
	DomainID   string
	DomainName string
	ProjectID  string
	Region     string // name of the default project
	UserName   string // owner of the account
	Password   string
	AccessKey  string // with SecretKey or not at all
	SecretKey  string
}

// Bootstrapped is the account of a server. The credentials are those that were given
// or made by this call; existing ones are not told.
type Bootstrapped struct {
	Created   bool // by this call
	DomainID  string
	ProjectID string
	UserID    string
	UserName  string
	Password  string
	AccessKey string
	SecretKey string
}

// Format keeps the credentials out of whatever prints the account.
func (b Bootstrapped) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "domain %s, project %s, user %s", b.DomainID, b.ProjectID, b.UserID)
}

// Bootstrap makes domain, default project, owner and his access key, once. Later it
// returns what exists, and makes only what is given and missing: a project for a new
// Region, the given password, the given access key. It refuses to start with another
// account than the one in the store.
func (s *Service) Bootstrap(ctx context.Context, in BootstrapInput) (Bootstrapped, error) {
	if err := in.check(); err != nil {
		return Bootstrapped{}, err
	}
	d, err := s.account(ctx, in)
	if err != nil {
		return Bootstrapped{}, err
	}
	out := Bootstrapped{Password: in.Password, AccessKey: in.AccessKey, SecretKey: in.SecretKey}
	if d == nil {
		err = s.create(ctx, in, &out)
	} else {
		err = s.complete(ctx, d, in, &out)
	}
	if err != nil {
		return Bootstrapped{}, err
	}
	s.home = out.DomainID
	return out, nil
}

func (in *BootstrapInput) check() error {
	for what, name := range map[string]string{"domain name": in.DomainName, "region": in.Region, "user name": in.UserName} {
		if err := checkName(what, name); err != nil {
			return err
		}
	}
	if in.Password != "" {
		if err := CheckPassword(in.UserName, Credential(in.Password)); err != nil {
			return err
		}
	}
	if in.AccessKey == "" && in.SecretKey == "" {
		return nil
	}
	return credential.CheckAccessKey(in.AccessKey, in.SecretKey)
}

// account returns the domain of in, or nil in an empty store.
func (s *Service) account(ctx context.Context, in BootstrapInput) (*store.Domain, error) {
	all, err := collect(ctx, s.store, func(v *store.View) iter.Seq2[*store.Domain, error] { return v.Domains() },
		func(*store.Domain) bool { return true })
	if err != nil || len(all) == 0 {
		return nil, err
	}
	for _, d := range all {
		if d.Name != in.DomainName {
			continue
		}
		if in.DomainID != "" && in.DomainID != d.ID {
			return nil, fmt.Errorf("identity: the domain %s has the id %s, not %s", d.Name, d.ID, in.DomainID)
		}
		return d, nil
	}
	return nil, fmt.Errorf("identity: the store belongs to the domain %s, not to %s", all[0].Name, in.DomainName)
}

// create makes the account in one transaction.
func (s *Service) create(ctx context.Context, in BootstrapInput, out *Bootstrapped) error {
	var err error
	if out.DomainID, err = s.given(in.DomainID); err != nil {
		return err
	}
	if out.Password, err = s.givenPassword(in.Password); err != nil {
		return err
	}
	if out.AccessKey, out.SecretKey, err = s.givenKey(in.AccessKey, in.SecretKey); err != nil {
		return err
	}
	u, err := s.newUser(ctx, out.DomainID, NewUser{Name: in.UserName, Password: Credential(out.Password)})
	if err != nil {
		return err
	}
	p, err := s.newProject(out.DomainID, in)
	if err != nil {
		return err
	}
	k, err := s.sealedKey(u, out.AccessKey, out.SecretKey)
	if err != nil {
		return err
	}
	d := &store.Domain{ID: out.DomainID, Name: in.DomainName, OwnerID: u.ID, Enabled: true, CreateTime: u.CreateTime}
	out.Created, out.ProjectID, out.UserID, out.UserName = true, p.ID, u.ID, u.Name
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.PutDomain(d), tx.PutProject(p), tx.PutUser(u), tx.PutAccessKey(k))
	})
	if err != nil {
		return fmt.Errorf("storing the account: %w", err)
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "account made", slog.String("domain_id", d.ID), slog.String("project_id", p.ID),
		slog.String("user_id", u.ID), slog.String("access_key", k.AccessKey))
	return nil
}

func (s *Service) given(id string) (string, error) {
	if id != "" {
		return id, nil
	}
	return s.newID()
}

func (s *Service) givenPassword(password string) (string, error) {
	if password != "" {
		return password, nil
	}
	// 40 characters of 62 would do for a key; the first 24 hold 142 bits.
	_, random, err := credential.NewAccessKey(s.o.Rand)
	if err != nil {
		return "", err
	}
	defer random.Wipe()
	return string(random[:24]), nil
}

func (s *Service) givenKey(accessKey, secret string) (string, string, error) {
	if accessKey != "" {
		return accessKey, secret, nil
	}
	accessKey, random, err := credential.NewAccessKey(s.o.Rand)
	if err != nil {
		return "", "", err
	}
	defer random.Wipe()
	return accessKey, string(random), nil
}

func (s *Service) newProject(domainID string, in BootstrapInput) (*store.Project, error) {
	id, err := s.given(in.ProjectID)
	if err != nil {
		return nil, err
	}
	return &store.Project{ID: id, DomainID: domainID, ParentID: domainID, Name: in.Region, Enabled: true, CreateTime: s.o.Now()}, nil
}

// sealedKey returns an active permanent key of u, which is not stored yet.
func (s *Service) sealedKey(u *store.User, accessKey, secret string) (*store.AccessKey, error) {
	k := &store.AccessKey{AccessKey: accessKey, UserID: u.ID, DomainID: u.DomainID, Active: true, CreateTime: s.o.Now()}
	text := []byte(secret)
	defer clear(text)
	var err error
	k.SealedSecret, err = credential.SealSecret(s.box, k, text)
	return k, err
}

// complete makes what is given and missing in an account that exists.
func (s *Service) complete(ctx context.Context, d *store.Domain, in BootstrapInput, out *Bootstrapped) error {
	owner, err := s.store.User(ctx, d.OwnerID)
	if err != nil {
		return fmt.Errorf("reading the owner of the domain %s: %w", d.Name, err)
	}
	out.DomainID, out.UserID, out.UserName = d.ID, owner.ID, owner.Name
	if out.ProjectID, err = s.completeProject(ctx, d, in); err != nil {
		return err
	}
	if err := s.ensurePassword(ctx, owner, Credential(in.Password)); err != nil {
		return err
	}
	return s.ensureKey(ctx, owner, in.AccessKey, in.SecretKey)
}

// completeProject returns the id of the default project of the region, and makes it
// if there is none.
func (s *Service) completeProject(ctx context.Context, d *store.Domain, in BootstrapInput) (string, error) {
	p, err := orNil(s.store.ProjectByName(ctx, d.ID, in.Region))
	if err != nil {
		return "", err
	}
	if p != nil {
		if in.ProjectID != "" && in.ProjectID != p.ID {
			return "", fmt.Errorf("identity: the project %s has the id %s, not %s", p.Name, p.ID, in.ProjectID)
		}
		return p.ID, nil
	}
	if p, err = s.newProject(d.ID, in); err != nil {
		return "", err
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		if old, err := tx.Project(p.ID); !errors.Is(err, store.ErrNotFound) {
			if err == nil {
				err = fmt.Errorf("identity: the id %s is that of the project %s", p.ID, old.Name)
			}
			return err
		}
		return tx.PutProject(p)
	})
	if err == nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "project made for a region that had none", slog.String("region", in.Region), slog.String("project_id", p.ID))
	}
	return p.ID, err
}

// ensurePassword gives u the password, unless it is his, or empty.
func (s *Service) ensurePassword(ctx context.Context, u *store.User, password Credential) error {
	if password == "" {
		return nil
	}
	ok, err := s.passwords.verify(ctx, u.PasswordHash, password)
	if err != nil || ok {
		return err
	}
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	now := s.o.Now()
	return s.store.Update(ctx, func(tx *store.Tx) error {
		user, err := tx.User(u.ID)
		if err != nil {
			return err
		}
		(&UserPatch{}).apply(user, hash, now)
		return tx.PutUser(user)
	})
}

// ensureKey gives u the access key, unless it is empty, or is his with that secret.
func (s *Service) ensureKey(ctx context.Context, u *store.User, accessKey, secret string) error {
	if accessKey == "" {
		return nil
	}
	if same, err := s.hasKey(ctx, u, accessKey, secret); err != nil || same {
		return err
	}
	k, err := s.sealedKey(u, accessKey, secret)
	if err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx *store.Tx) error { return tx.PutAccessKey(k) })
}

// hasKey reports whether u has the access key with that secret in working order. One
// of another user is an error.
func (s *Service) hasKey(ctx context.Context, u *store.User, accessKey, secret string) (bool, error) {
	k, err := orNil(s.store.AccessKey(ctx, accessKey))
	if err != nil || k == nil {
		return false, err
	}
	if k.UserID != u.ID || !permanent(k) {
		return false, keyTaken(accessKey)
	}
	known, err := credential.OpenSecret(s.box, k)
	if err != nil {
		return false, err
	}
	defer known.Wipe()
	return k.Active && subtle.ConstantTimeCompare(known, []byte(secret)) == 1, nil
}

func keyTaken(accessKey string) error {
	return conflictf("access_key %s belongs to another user.", accessKey)
}
