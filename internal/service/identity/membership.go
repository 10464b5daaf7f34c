package identity

import (
	"context"
	"errors"
	"slices"

	"coffer/internal/iam"
	"coffer/internal/store"
)

// MaxGroups is how many groups a user is in at most, as in the cloud: each costs every
// request of his a look-up.
const MaxGroups = 10

// AddUserToGroup makes a user of the caller's domain a member of one of its groups: he
// has what is assigned to it from his next request on. Adding him twice changes nothing.
func (s *Service) AddUserToGroup(ctx context.Context, c *iam.Caller, groupID, userID string) error {
	if err := s.authorize(c, iam.AddUserToGroupV5, groupID); err != nil {
		return err
	}
	s.mu.Lock() // DeleteGroup goes by a list of members
	defer s.mu.Unlock()
	if _, err := s.ownGroup(ctx, c, groupID); err != nil {
		return err
	}
	return s.updateUser(ctx, c, userID, func(tx *store.Tx, u *store.User, _ bool) error {
		if _, err := ownGroup(c, groupID, tx.Group); err != nil {
			return err
		}
		if slices.Contains(u.GroupIDs, groupID) {
			return nil
		}
		if len(u.GroupIDs) >= MaxGroups {
			return conflictf("The user is in %d groups, which is the most.", len(u.GroupIDs))
		}
		u.GroupIDs = append(u.GroupIDs, groupID)
		return tx.PutUser(u)
	})
}

// RemoveUserFromGroup ends a membership: he loses what is assigned to the group from
// his next request on. IAM.0004 if he is not in the group.
func (s *Service) RemoveUserFromGroup(ctx context.Context, c *iam.Caller, groupID, userID string) error {
	if err := s.authorize(c, iam.RemoveUserFromGroupV5, groupID); err != nil {
		return err
	}
	if _, err := s.ownGroup(ctx, c, groupID); err != nil {
		return err
	}
	return s.updateUser(ctx, c, userID, func(tx *store.Tx, u *store.User, _ bool) error {
		i := slices.Index(u.GroupIDs, groupID)
		if i < 0 {
			return notFound("user in the group", userID)
		}
		u.GroupIDs = slices.Delete(u.GroupIDs, i, i+1)
		return tx.PutUser(u)
	})
}

// CheckUserInGroup returns nil if the user is in the group, else IAM.0004.
func (s *Service) CheckUserInGroup(ctx context.Context, c *iam.Caller, groupID, userID string) error {
	if err := s.authorize(c, iam.KeystoneCheckUserInGroup, groupID); err != nil {
		return err
	}
	if _, err := s.ownGroup(ctx, c, groupID); err != nil {
		return err
	}
	u, err := ownUser(c, userID, func(id string) (*store.User, error) { return s.store.User(ctx, id) })
	if err != nil {
		return err
	}
	if !slices.Contains(u.GroupIDs, groupID) {
		return notFound("user in the group", userID)
	}
	return nil
}

// ListUsersForGroup lists the members of a group of the caller's domain, by id.
func (s *Service) ListUsersForGroup(ctx context.Context, c *iam.Caller, groupID, baseURL string) (UserList, error) {
	if err := s.authorize(c, iam.KeystoneListUsersForGroupByAdmin, groupID); err != nil {
		return UserList{}, err
	}
	if _, err := s.ownGroup(ctx, c, groupID); err != nil {
		return UserList{}, err
	}
	members, err := s.usersOf(ctx, groupID)
	return userList(members, "/v3/groups/"+groupID+"/users", baseURL), err
}

// ListGroupsForUser lists the groups of a user in the order in which he joined: of the
// caller himself, or of another one if he may see them.
func (s *Service) ListGroupsForUser(ctx context.Context, c *iam.Caller, userID, baseURL string) (GroupList, error) {
	if userID != c.UserID {
		if err := s.authorize(c, iam.KeystoneListGroupsForUser, userID); err != nil {
			return GroupList{}, err
		}
	}
	u, err := ownUser(c, userID, func(id string) (*store.User, error) { return s.store.User(ctx, id) })
	if err != nil {
		return GroupList{}, err
	}
	groups := make([]*store.Group, 0, len(u.GroupIDs))
	for _, id := range u.GroupIDs {
		g, err := s.store.Group(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return GroupList{}, err
		}
		groups = append(groups, g)
	}
	return groupList(groups, "/v3/users/"+userID+"/groups", baseURL), nil
}
