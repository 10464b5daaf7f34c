package store

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
)

// noun tests the life of one kind of record: put, look up, rename, delete.
type noun[T any] struct {
	record  T
	rename  func(*T, string) // to another unique name
	clash   func(*T)         // makes it another record of the same unique name
	tx      func(*Tx) (*T, error)
	txName  func(*Tx, string) (*T, error) // nil where there is no name
	store   func(*Store) (*T, error)
	byName  func(*Store, string) (*T, error)
	list    func(*View) iter.Seq2[*T, error]
	put     func(*Tx, *T) error
	destroy func(*Tx, *T) error
}

func (n noun[T]) run(t *testing.T) {
	s, db := open(t, Options{})
	empty := contents(t, db)
	n.absent(t, s)

	update(t, s, func(tx *Tx) error { return n.put(tx, &n.record) })
	n.present(t, s, "first")
	if n.rename != nil {
		n.refusesClash(t, s)
		n.rename(&n.record, "second")
		update(t, s, func(tx *Tx) error { return n.put(tx, &n.record) })
		n.present(t, s, "second")
		if _, err := n.byName(s, "first"); !errors.Is(err, ErrNotFound) {
			t.Errorf("look-up of the former name: %v", err)
		}
	}
	if lines := findings(t, s); lines != nil {
		t.Errorf("findings: %q", lines)
	}
	update(t, s, func(tx *Tx) error { return n.destroy(tx, &n.record) })
	n.absent(t, s)
	if diff := cmp.Diff(empty, contents(t, db)); diff != "" {
		t.Errorf("deletion left something behind (-before +after):\n%s", diff)
	}
}

func (n noun[T]) present(t *testing.T, s *Store, name string) {
	t.Helper()
	check := func(how string, got *T, err error) {
		t.Helper()
		if diff := cmp.Diff(&n.record, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", how, err, diff)
		}
	}
	for range 2 {
		got, err := n.store(s)
		check("Store", got, err)
		if n.byName != nil {
			got, err = n.byName(s, name)
			check("Store by name", got, err)
		}
	}
	update(t, s, func(tx *Tx) error {
		got, err := n.tx(tx)
		check("Tx", got, err)
		if n.txName != nil {
			got, err = n.txName(tx, name)
			check("Tx by name", got, err)
		}
		return nil
	})
	if n.list == nil {
		return
	}
	view(t, s, func(v *View) error {
		for got, err := range n.list(v) {
			check("View", got, err)
			return nil
		}
		t.Error("View yields nothing")
		return nil
	})
}

func (n noun[T]) absent(t *testing.T, s *Store) {
	t.Helper()
	if _, err := n.store(s); !errors.Is(err, ErrNotFound) {
		t.Errorf("Store: %v", err)
	}
	if n.byName != nil {
		if _, err := n.byName(s, "first"); !errors.Is(err, ErrNotFound) {
			t.Errorf("Store by name: %v", err)
		}
	}
	update(t, s, func(tx *Tx) error {
		if _, err := n.tx(tx); !errors.Is(err, ErrNotFound) {
			t.Errorf("Tx: %v", err)
		}
		if n.txName != nil {
			if _, err := n.txName(tx, "first"); !errors.Is(err, ErrNotFound) {
				t.Errorf("Tx by name: %v", err)
			}
		}
		if err := n.destroy(tx, &n.record); !errors.Is(err, ErrNotFound) {
			t.Errorf("deletion: %v", err)
		}
		return nil
	})
}

func (n noun[T]) refusesClash(t *testing.T, s *Store) {
	t.Helper()
	other := n.record
	n.clash(&other)
	if err := s.Update(t.Context(), func(tx *Tx) error { return n.put(tx, &other) }); !errors.Is(err, ErrTaken) {
		t.Errorf("putting a second record of the same name: %v", err)
	}
}

func TestRecords(t *testing.T) {
	ctx := t.Context()
	t.Run("domain", noun[Domain]{
		record: Domain{ID: "d1", Name: "first", OwnerID: "u1", Enabled: true, CreateTime: 1},
		rename: func(d *Domain, name string) { d.Name = name }, clash: func(d *Domain) { d.ID = "d2" },
		tx: func(tx *Tx) (*Domain, error) { return tx.Domain("d1") }, txName: (*Tx).DomainByName,
		store:  func(s *Store) (*Domain, error) { return s.Domain(ctx, "d1") },
		byName: func(s *Store, name string) (*Domain, error) { return s.DomainByName(ctx, name) },
		list:   (*View).Domains, put: (*Tx).PutDomain, destroy: (*Tx).DeleteDomain,
	}.run)
	t.Run("project", noun[Project]{
		record: Project{ID: "p1", DomainID: "d1", Name: "first", Enabled: true},
		rename: func(p *Project, name string) { p.Name = name }, clash: func(p *Project) { p.ID = "p2" },
		tx:     func(tx *Tx) (*Project, error) { return tx.Project("p1") },
		txName: func(tx *Tx, name string) (*Project, error) { return tx.ProjectByName("d1", name) },
		store:  func(s *Store) (*Project, error) { return s.Project(ctx, "p1") },
		byName: func(s *Store, name string) (*Project, error) { return s.ProjectByName(ctx, "d1", name) },
		list:   func(v *View) iter.Seq2[*Project, error] { return v.Projects("d1") },
		put:    (*Tx).PutProject, destroy: (*Tx).DeleteProject,
	}.run)
	t.Run("user", noun[User]{
		record: User{ID: "u1", DomainID: "d1", Name: "first", PasswordHash: "$argon2id$", PolicyIDs: []string{"x"}, Inline: []InlinePolicy{{"n", Document("{}")}}},
		rename: func(u *User, name string) { u.Name = name }, clash: func(u *User) { u.ID = "u2" },
		tx:     func(tx *Tx) (*User, error) { return tx.User("u1") },
		txName: func(tx *Tx, name string) (*User, error) { return tx.UserByName("d1", name) },
		store:  func(s *Store) (*User, error) { return s.User(ctx, "u1") },
		byName: func(s *Store, name string) (*User, error) { return s.UserByName(ctx, "d1", name) },
		list:   func(v *View) iter.Seq2[*User, error] { return v.Users("d1") },
		put:    (*Tx).PutUser, destroy: (*Tx).DeleteUser,
	}.run)
	t.Run("policy", noun[Policy]{
		record: Policy{ID: "y1", DomainID: "d1", Name: "first", Document: Document("{}")},
		rename: func(p *Policy, name string) { p.Name = name }, clash: func(p *Policy) { p.ID = "y2" },
		tx:     func(tx *Tx) (*Policy, error) { return tx.Policy("y1") },
		txName: func(tx *Tx, name string) (*Policy, error) { return tx.PolicyByName("d1", name) },
		store:  func(s *Store) (*Policy, error) { return s.Policy(ctx, "y1") },
		byName: func(s *Store, name string) (*Policy, error) { return s.PolicyByName(ctx, "d1", name) },
		list:   func(v *View) iter.Seq2[*Policy, error] { return v.Policies("d1") },
		put:    (*Tx).PutPolicy, destroy: (*Tx).DeletePolicy,
	}.run)
	t.Run("group", noun[Group]{
		record: Group{ID: "g1", DomainID: "d1", Name: "first", Assignments: []Assignment{{"y1", ScopeProject, "p1"}, {"y1", ScopeAll, ""}}},
		rename: func(g *Group, name string) { g.Name = name }, clash: func(g *Group) { g.ID = "g2" },
		tx:     func(tx *Tx) (*Group, error) { return tx.Group("g1") },
		txName: func(tx *Tx, name string) (*Group, error) { return tx.GroupByName("d1", name) },
		store:  func(s *Store) (*Group, error) { return s.Group(ctx, "g1") },
		byName: func(s *Store, name string) (*Group, error) { return s.GroupByName(ctx, "d1", name) },
		list:   func(v *View) iter.Seq2[*Group, error] { return v.Groups("d1") },
		put:    (*Tx).PutGroup, destroy: (*Tx).DeleteGroup,
	}.run)
	t.Run("access_key", noun[AccessKey]{
		record: AccessKey{AccessKey: "AK", UserID: "u1", SealedSecret: Sealed("s"), Temporary: &Temporary{ExpiresAt: 5, TokenHash: [32]byte{1}}},
		tx:     func(tx *Tx) (*AccessKey, error) { return tx.AccessKey("AK") },
		store:  func(s *Store) (*AccessKey, error) { return s.AccessKey(ctx, "AK") },
		list:   func(v *View) iter.Seq2[*AccessKey, error] { return v.AccessKeysOf("u1") },
		put:    (*Tx).PutAccessKey, destroy: (*Tx).DeleteAccessKey,
	}.run)
	t.Run("token", noun[Token]{
		record: Token{Hash: [32]byte{0, 7}, UserID: "u1", ExpiresAt: 5},
		tx:     func(tx *Tx) (*Token, error) { return tx.Token([32]byte{0, 7}) },
		store:  func(s *Store) (*Token, error) { return s.Token(ctx, [32]byte{0, 7}) },
		put:    (*Tx).PutToken, destroy: (*Tx).DeleteToken,
	}.run)
	t.Run("key", noun[Key]{
		record: Key{ID: "k1", ProjectID: "p1", Alias: "first", State: KeyPendingDeletion, DeletionTime: 9, Versions: []KeyVersion{{1, Sealed("w"), 2}}},
		rename: func(k *Key, alias string) { k.Alias = alias }, clash: func(k *Key) { k.ID = "k2" },
		tx:     func(tx *Tx) (*Key, error) { return tx.Key("p1", "k1") },
		txName: func(tx *Tx, alias string) (*Key, error) { return tx.KeyByAlias("p1", alias) },
		store:  func(s *Store) (*Key, error) { return s.Key(ctx, "p1", "k1") },
		byName: func(s *Store, alias string) (*Key, error) { return s.KeyByAlias(ctx, "p1", alias) },
		list:   func(v *View) iter.Seq2[*Key, error] { return v.Keys("p1") },
		put:    (*Tx).PutKey, destroy: (*Tx).DeleteKey,
	}.run)
	t.Run("grants", noun[csms.Grants]{
		record: csms.Grants{SecretID: "s1", List: []csms.Grant{
			{ID: "g1", Grantee: csms.Grantee{Type: csms.GranteeUser, ID: "u1"}, CreateTime: 1, UpdateTime: 2, ValidityTime: 3},
			{ID: "g2", Grantee: csms.Grantee{Type: csms.GranteeGroup, ID: "x"}, CreateTime: 4, UpdateTime: 4},
		}},
		tx:    func(tx *Tx) (*csms.Grants, error) { return tx.Grants("s1") },
		store: func(s *Store) (*csms.Grants, error) { return s.Grants(ctx, "s1") },
		put:   (*Tx).PutGrants, destroy: (*Tx).DeleteGrants,
	}.run)
	t.Run("topic", noun[Topic]{
		record: Topic{ProjectID: "p1", Name: "ops", ID: "first", Tags: []KeyTag{{"a", "b"}}, CreateTime: 1, LastMessage: 2},
		rename: func(o *Topic, id string) { o.ID = id }, clash: func(o *Topic) { o.Name = "other" },
		tx:     func(tx *Tx) (*Topic, error) { return tx.Topic("p1", "ops") },
		store:  func(s *Store) (*Topic, error) { return s.Topic(ctx, "p1", "ops") },
		byName: func(s *Store, id string) (*Topic, error) { return s.TopicByID(ctx, id) },
		list:   func(v *View) iter.Seq2[*Topic, error] { return v.Topics("p1") },
		put:    (*Tx).PutTopic, destroy: (*Tx).DeleteTopic,
	}.run)
	t.Run("enterprise_project", noun[EnterpriseProject]{
		record: EnterpriseProject{ID: "e1", DomainID: "d1", Name: "shop", Description: "x", Type: "prod", Enabled: true, CreateTime: 1, UpdateTime: 2},
		tx:     func(tx *Tx) (*EnterpriseProject, error) { return tx.EnterpriseProject("d1", "e1") },
		store:  func(s *Store) (*EnterpriseProject, error) { return s.EnterpriseProject(ctx, "d1", "e1") },
		put:    (*Tx).PutEnterpriseProject, destroy: (*Tx).DeleteEnterpriseProject,
	}.run)
	t.Run("database_target", noun[csms.DatabaseTarget]{
		record: csms.DatabaseTarget{
			ProjectID: "p1", InstanceID: "i1", Engine: csms.PostgreSQL, Host: "h", Port: 5432, Database: "d", TLSMode: csms.TLSVerifyFull, CA: "pem",
			AdminSecret: "admin", Accounts: []string{"a", "b"}, CreateTime: 1, UpdateTime: 2,
		},
		tx:    func(tx *Tx) (*csms.DatabaseTarget, error) { return tx.DatabaseTarget("p1", "i1") },
		store: func(s *Store) (*csms.DatabaseTarget, error) { return s.DatabaseTarget(ctx, "p1", "i1") },
		put:   (*Tx).PutDatabaseTarget, destroy: (*Tx).DeleteDatabaseTarget,
	}.run)
	t.Run("secrets_config", noun[SecretsConfig]{
		record: SecretsConfig{DomainID: "d1", ProjectID: "p1", CheckingSecretStrength: true},
		tx:     func(tx *Tx) (*SecretsConfig, error) { return tx.SecretsConfig("d1", "p1") },
		store:  func(s *Store) (*SecretsConfig, error) { return s.SecretsConfig(ctx, "d1", "p1") },
		put:    (*Tx).PutSecretsConfig, destroy: (*Tx).DeleteSecretsConfig,
	}.run)
}

// The same name may stand in two domains, and one transaction may swap two names.
func TestNamesAreUniquePerDomain(t *testing.T) {
	s, _ := open(t, Options{})
	a, b := &User{ID: "a", DomainID: "d1", Name: "x"}, &User{ID: "b", DomainID: "d1", Name: "y"}
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.PutUser(a), tx.PutUser(b), tx.PutUser(&User{ID: "c", DomainID: "d2", Name: "x"}))
	})
	update(t, s, func(tx *Tx) error {
		a.Name, b.Name = "z", "x"
		if err := errors.Join(tx.PutUser(a), tx.PutUser(b)); err != nil {
			return err
		}
		a.Name = "y"
		return tx.PutUser(a)
	})
	for name, id := range map[string]string{"x": "b", "y": "a"} {
		if u, err := s.UserByName(t.Context(), "d1", name); err != nil || u.ID != id {
			t.Errorf("user %s: %+v, %v; want %s", name, u, err, id)
		}
	}
	if lines := findings(t, s); lines != nil {
		t.Errorf("findings: %q", lines)
	}
}

func TestDueIsInOrderOfTimeUpToTheInstant(t *testing.T) {
	s, _ := open(t, Options{})
	token := [32]byte{0, 1, 2}
	update(t, s, func(tx *Tx) error {
		gone := newSecret("id1", "gone")
		gone.State, gone.ScheduledDeleteTime = csms.PendingDelete, 300
		old := newSecret("id2", "old")
		old.Versions = append(old.Versions, csms.Version{Number: 2, ExpireTime: 100}, csms.Version{Number: 3, ExpireTime: 50, Expired: true})
		return errors.Join(
			putNew(tx, gone), putNew(tx, old),
			tx.PutValue("id2", 2, nil), tx.PutValue("id2", 3, nil),
			tx.PutToken(&Token{Hash: token, ExpiresAt: 200}),
			tx.PutAccessKey(&AccessKey{AccessKey: "AK", UserID: "u", Temporary: &Temporary{ExpiresAt: 400}}),
			tx.PutAccessKey(&AccessKey{AccessKey: "AK2", UserID: "u"}),
			tx.PutKey(&Key{ID: "k1", ProjectID: "p1", State: KeyPendingDeletion, DeletionTime: math.MaxInt64}),
			tx.PutKey(&Key{ID: "k2", ProjectID: "p1", State: KeyDisabled, DeletionTime: 1, NextRotation: 1}),
			tx.PutKey(&Key{ID: "k3", ProjectID: "p1", State: KeyEnabled, NextRotation: 500}),
			tx.PutKey(&Key{ID: "k4", ProjectID: "p1", State: KeyEnabled}),
		)
	})
	want := []Due{
		{At: 100, Kind: DueVersionExpiry, Project: "p1", Name: "old", SecretID: "id2", Version: 2},
		{At: 200, Kind: DueTokenExpiry, TokenHash: token},
		{At: 300, Kind: DuePurge, Project: "p1", Name: "gone", SecretID: "id1"},
		{At: 400, Kind: DueAccessKeyExpiry, AccessKey: "AK"},
		{At: 500, Kind: DueKeyRotation, Project: "p1", KeyID: "k3"},
		{At: math.MaxInt64, Kind: DueKeyDeletion, Project: "p1", KeyID: "k1"},
	}
	for until, n := range map[csms.Millis]int{-1: 0, 99: 0, 100: 1, 299: 2, 300: 3, 400: 4, math.MaxInt64 - 1: 5, math.MaxInt64: 6} {
		if diff := cmp.Diff(want[:n], due(t, s, until), cmp.Transformer("list", func(d []Due) string { return fmt.Sprint(d) })); diff != "" {
			t.Errorf("due until %d (-want +got):\n%s", until, diff)
		}
	}
}

func due(t testing.TB, s *Store, until csms.Millis) []Due {
	t.Helper()
	var out []Due
	view(t, s, func(v *View) error {
		for d, err := range v.Due(until) {
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return nil
	})
	return out
}

func TestListsAreByName(t *testing.T) {
	s, _ := open(t, Options{})
	update(t, s, func(tx *Tx) error {
		for i, name := range []string{"c", "a", "b"} {
			if err := tx.PutProject(&Project{ID: fmt.Sprint(i), DomainID: "d1", Name: name}); err != nil {
				return err
			}
		}
		return tx.PutProject(&Project{ID: "other", DomainID: "d", Name: "a"})
	})
	var got []string
	view(t, s, func(v *View) error {
		for p, err := range v.Projects("d1") {
			if err != nil {
				return err
			}
			got = append(got, p.Name)
		}
		return nil
	})
	if !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("Projects: %q", got)
	}
}
