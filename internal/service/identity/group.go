package identity

import (
	"context"
	"errors"
	"iter"
	"slices"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// GroupInfo is a group of users on the wire.
type GroupInfo struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	DomainID    string      `json:"domain_id"`
	Description string      `json:"description"`
	CreateTime  csms.Millis `json:"create_time"`
	Links       SelfLink    `json:"links"`
}

// GroupList is a list of groups on the wire.
type GroupList struct {
	Groups []GroupInfo `json:"groups"`
	Links  Links       `json:"links"`
}

// GroupAnswer is one group on the wire.
type GroupAnswer struct {
	Group GroupInfo `json:"group"`
}

func groupInfo(g *store.Group, baseURL string) GroupInfo {
	return GroupInfo{
		ID: g.ID, Name: g.Name, DomainID: g.DomainID, Description: g.Description, CreateTime: g.CreateTime,
		Links: SelfLink{baseURL + "/v3/groups/" + g.ID},
	}
}

func groupList(records []*store.Group, self, baseURL string) GroupList {
	out := GroupList{Groups: make([]GroupInfo, 0, len(records)), Links: Links{Self: baseURL + self}}
	for _, g := range records {
		out.Groups = append(out.Groups, groupInfo(g, baseURL))
	}
	return out
}

// GroupFilter chooses groups; an empty member does not.
type GroupFilter struct {
	Name     string
	DomainID string
}

// ListGroups lists the groups of the caller's domain by name.
func (s *Service) ListGroups(ctx context.Context, c *iam.Caller, f GroupFilter, baseURL string) (GroupList, error) {
	if err := s.authorize(c, iam.ListGroupsV5, ""); err != nil {
		return GroupList{}, err
	}
	records, err := collect(ctx, s.store, func(v *store.View) iter.Seq2[*store.Group, error] { return v.Groups(c.DomainID) },
		func(g *store.Group) bool {
			return (f.Name == "" || g.Name == f.Name) && (f.DomainID == "" || g.DomainID == f.DomainID)
		})
	return groupList(records, "/v3/groups", baseURL), err
}

// ShowGroup returns a group of the caller's domain, or IAM.0004.
func (s *Service) ShowGroup(ctx context.Context, c *iam.Caller, id, baseURL string) (GroupAnswer, error) {
	if err := s.authorize(c, iam.ShowGroupV5, id); err != nil {
		return GroupAnswer{}, err
	}
	g, err := s.ownGroup(ctx, c, id)
	if err != nil {
		return GroupAnswer{}, err
	}
	return GroupAnswer{groupInfo(g, baseURL)}, nil
}

// NewGroup is the request of CreateGroup.
type NewGroup struct {
	Name        string `json:"name"`
	DomainID    string `json:"domain_id"` // that of the caller if empty
	Description string `json:"description"`
}

// CreateGroup makes a group without members and rights in the caller's domain.
func (s *Service) CreateGroup(ctx context.Context, c *iam.Caller, n NewGroup, baseURL string) (GroupAnswer, error) {
	if err := s.authorize(c, iam.CreateGroupV5, ""); err != nil {
		return GroupAnswer{}, err
	}
	if err := checkDomain(c, n.DomainID); err != nil {
		return GroupAnswer{}, err
	}
	if err := errors.Join(checkLongName("name", n.Name), checkDescription(n.Description)); err != nil {
		return GroupAnswer{}, err
	}
	id, err := s.newID()
	if err != nil {
		return GroupAnswer{}, err
	}
	g := &store.Group{ID: id, DomainID: c.DomainID, Name: n.Name, Description: n.Description, CreateTime: s.o.Now()}
	if err := s.putGroup(ctx, func(*store.Tx) (*store.Group, error) { return g, nil }); err != nil {
		return GroupAnswer{}, err
	}
	return GroupAnswer{groupInfo(g, baseURL)}, nil
}

// putGroup stores the group that make returns.
func (s *Service) putGroup(ctx context.Context, make func(*store.Tx) (*store.Group, error)) error {
	name := ""
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		g, err := make(tx)
		if err != nil {
			return err
		}
		name = g.Name
		return tx.PutGroup(g)
	})
	if errors.Is(err, store.ErrTaken) {
		return conflictf("A group called %s exists.", name)
	}
	return err
}

// GroupPatch is the request of UpdateGroup; nil leaves a member as it is.
type GroupPatch struct {
	Name        *string `json:"name"`
	Description *string `json:"description"`
}

// UpdateGroup changes name and description of a group of the caller's domain.
func (s *Service) UpdateGroup(ctx context.Context, c *iam.Caller, id string, p GroupPatch, baseURL string) (GroupAnswer, error) {
	if err := s.authorize(c, iam.UpdateGroupV5, id); err != nil {
		return GroupAnswer{}, err
	}
	if p.Name != nil {
		if err := checkLongName("name", *p.Name); err != nil {
			return GroupAnswer{}, err
		}
	}
	if p.Description != nil {
		if err := checkDescription(*p.Description); err != nil {
			return GroupAnswer{}, err
		}
	}
	var out GroupAnswer
	err := s.putGroup(ctx, func(tx *store.Tx) (*store.Group, error) {
		g, err := ownGroup(c, id, tx.Group)
		if err != nil {
			return nil, err
		}
		set(&g.Name, p.Name)
		set(&g.Description, p.Description)
		out = GroupAnswer{groupInfo(g, baseURL)}
		return g, nil
	})
	return out, err
}

// DeleteGroup removes a group with what is assigned to it. Its members stay, and lose
// what it gave them from their next request on.
func (s *Service) DeleteGroup(ctx context.Context, c *iam.Caller, id string) error {
	if err := s.authorize(c, iam.DeleteGroupV5, id); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	members, err := s.usersOf(ctx, id)
	if err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		g, err := ownGroup(c, id, tx.Group)
		if err != nil {
			return err
		}
		for _, member := range members {
			if err := leave(tx, member.ID, id); err != nil {
				return err
			}
		}
		return tx.DeleteGroup(g)
	})
}

// leave takes a user who may be gone by now out of a group that goes.
func leave(tx *store.Tx, userID, groupID string) error {
	u, err := orNil(tx.User(userID))
	if u == nil || err != nil {
		return err
	}
	u.GroupIDs = slices.DeleteFunc(u.GroupIDs, func(id string) bool { return id == groupID })
	return tx.PutUser(u)
}

func (s *Service) usersOf(ctx context.Context, groupID string) ([]*store.User, error) {
	return collect(ctx, s.store, func(v *store.View) iter.Seq2[*store.User, error] { return v.UsersOf(groupID) },
		func(*store.User) bool { return true })
}

func (s *Service) ownGroup(ctx context.Context, c *iam.Caller, id string) (*store.Group, error) {
	return ownGroup(c, id, func(id string) (*store.Group, error) { return s.store.Group(ctx, id) })
}

func ownGroup(c *iam.Caller, id string, get func(string) (*store.Group, error)) (*store.Group, error) {
	return own(c, "group", id, get, func(g *store.Group) string { return g.DomainID })
}
