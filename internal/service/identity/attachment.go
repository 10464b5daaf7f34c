package identity

import (
	"context"
	"encoding/json"
	"slices"

	"coffer/internal/iam"
	"coffer/internal/store"
)

// MaxPolicies is how many policies are attached to a user at most.
const MaxPolicies = 20

// AttachPolicy gives a user of the caller's domain the rights of a policy, from his
// next request on. Attaching twice changes nothing.
func (s *Service) AttachPolicy(ctx context.Context, c *iam.Caller, userID, policyID string) error {
	if err := s.authorize(c, iam.AttachUserPolicyV5, userID); err != nil {
		return err
	}
	builtin, isBuiltin := iam.BuiltinPolicy(policyID)
	if isBuiltin {
		policyID = builtin.Name()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.updateUser(ctx, c, userID, func(tx *store.Tx, u *store.User, _ bool) error {
		if !isBuiltin {
			if _, err := ownPolicy(c, policyID, tx.Policy); err != nil {
				return err
			}
		}
		if slices.Contains(u.PolicyIDs, policyID) {
			return nil
		}
		if len(u.PolicyIDs) >= MaxPolicies {
			return conflictf("The user has %d policies, which is the most.", len(u.PolicyIDs))
		}
		u.PolicyIDs = append(u.PolicyIDs, policyID)
		return tx.PutUser(u)
	})
}

// DetachPolicy takes a policy from a user of the caller's domain, whether or not the
// policy still exists.
func (s *Service) DetachPolicy(ctx context.Context, c *iam.Caller, userID, policyID string) error {
	if err := s.authorize(c, iam.DetachUserPolicyV5, userID); err != nil {
		return err
	}
	if builtin, ok := iam.BuiltinPolicy(policyID); ok {
		policyID = builtin.Name()
	}
	return s.updateUser(ctx, c, userID, func(tx *store.Tx, u *store.User, _ bool) error {
		i := slices.Index(u.PolicyIDs, policyID)
		if i < 0 {
			return notFound("policy attached to the user", policyID)
		}
		u.PolicyIDs = slices.Delete(u.PolicyIDs, i, i+1)
		return tx.PutUser(u)
	})
}

// ListAttachedPolicies lists the policies of a user, inline ones last: of the caller
// himself, or of another one if he may see them.
func (s *Service) ListAttachedPolicies(ctx context.Context, c *iam.Caller, userID string) (PolicyList, error) {
	if userID != c.UserID {
		if err := s.authorize(c, iam.ListAttachedUserPoliciesV5, userID); err != nil {
			return PolicyList{}, err
		}
	}
	u, err := ownUser(c, userID, func(id string) (*store.User, error) { return s.store.User(ctx, id) })
	if err != nil {
		return PolicyList{}, err
	}
	out := PolicyList{Policies: []PolicyInfo{}}
	for _, id := range u.PolicyIDs {
		if p, ok := iam.BuiltinPolicy(id); ok {
			out.Policies = append(out.Policies, systemInfo(p))
			continue
		}
		p, err := orNil(s.store.Policy(ctx, id))
		if err != nil {
			return PolicyList{}, err
		}
		if p == nil {
			p = &store.Policy{ID: id, Document: store.Document("null")} // shown, so that it can be detached
		}
		out.Policies = append(out.Policies, policyInfo(p))
	}
	for _, inline := range u.Inline {
		out.Policies = append(out.Policies, PolicyInfo{Name: inline.Name, Type: PolicyInline, Document: json.RawMessage(inline.Document)})
	}
	return out, nil
}
