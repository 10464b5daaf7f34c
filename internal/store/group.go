package store

import (
	"context"
	"iter"

	"coffer/internal/csms"
)

// Group is a group of users. Who belongs to it stands in the users.
type Group struct {
	ID          string       `cbor:"1,keyasint"`
	DomainID    string       `cbor:"2,keyasint"`
	Name        string       `cbor:"3,keyasint"` // unique in the domain
	Description string       `cbor:"4,keyasint,omitempty"`
	Assignments []Assignment `cbor:"5,keyasint,omitempty"` // in the order in which they were made
	CreateTime  csms.Millis  `cbor:"6,keyasint"`
}

// Scope says where an assigned policy counts, with the words of the paths that assign
// it.
type Scope string

// Scopes of an assignment.
const (
	ScopeProject Scope = "project" // in one project
	ScopeDomain  Scope = "domain"  // in the services without regions, such as the IAM
	ScopeAll     Scope = "all"     // in every project, those to come too, and in the services without regions

	ScopeEnterprise Scope = "enterprise-project" // for what is in one enterprise project
)

// Assignment is a policy that counts in a scope. It is comparable.
type Assignment struct {
	PolicyID string `cbor:"1,keyasint"`
	Scope    Scope  `cbor:"2,keyasint"`
	ScopeID  string `cbor:"3,keyasint,omitempty"` // of the project or enterprise project; "" for the other scopes
}

var groupKind = plain(tableGroup,
	func(g *Group) key { return idKey(nil, tableGroup, g.ID) },
	func(g *Group) []row { return []row{unique(nameKey(nil, tableGroupName, g.DomainID, g.Name))} })

// userRows derives the rows of a user: his name, and his place in each of his groups.
func userRows(u *User) []row {
	rows := make([]row, 0, 1+len(u.GroupIDs))
	rows = append(rows, unique(nameKey(nil, tableUserName, u.DomainID, u.Name)))
	for _, group := range u.GroupIDs {
		rows = append(rows, row{key: nameKey(nil, tableGroupUser, group, u.ID)})
	}
	return rows
}

// userRefers returns the keys of the groups that a user says he is in.
func userRefers(u *User) []key {
	groups := make([]key, 0, len(u.GroupIDs))
	for _, id := range u.GroupIDs {
		groups = append(groups, idKey(nil, tableGroup, id))
	}
	return groups
}

// Group returns the group of that id, or ErrNotFound. It is shared and must not be
// changed.
func (s *Store) Group(ctx context.Context, id string) (*Group, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, idKey(buf[:0], tableGroup, id), groupKind.decode)
}

// GroupByName returns the group of a domain that has that name, or ErrNotFound.
func (s *Store) GroupByName(ctx context.Context, domain, name string) (*Group, error) {
	var buf [keyBuffer]byte
	return cachedByRow(ctx, s, nameKey(buf[:0], tableGroupName, domain, name), &groupKind,
		func(g *Group) bool { return g.DomainID == domain && g.Name == name })
}

// Group returns the group of that id.
func (t *Tx) Group(id string) (*Group, error) {
	return load(t, &groupKind, idKey(nil, tableGroup, id))
}

// GroupByName returns the group of a domain that has that name.
func (t *Tx) GroupByName(domain, name string) (*Group, error) {
	return loadByRow(t, &groupKind, nameKey(nil, tableGroupName, domain, name))
}

// PutGroup writes a group.
func (t *Tx) PutGroup(g *Group) error { return write(t, &groupKind, g) }

// DeleteGroup removes a group, and not the mention of it in users.
func (t *Tx) DeleteGroup(g *Group) error { return erase(t, &groupKind, groupKind.key(g)) }

// Groups yields the groups of a domain by name.
func (v *View) Groups(domain string) iter.Seq2[*Group, error] {
	return owners(v, &groupKind, start(nil, tableGroupName).text(domain).under())
}

// UsersOf yields the users in a group by id.
func (v *View) UsersOf(groupID string) iter.Seq2[*User, error] {
	return owners(v, &userKind, start(nil, tableGroupUser).text(groupID).under())
}
