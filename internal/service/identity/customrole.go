package identity

import (
	"context"
	"encoding/json"
	"iter"
	"slices"

	"coffer/internal/iam"
	"coffer/internal/store"
)

// NewRole is the request of CreateCustomPolicy, which is the older IAM's form of
// CreatePolicy.
type NewRole struct {
	DisplayName   string          `json:"display_name"`
	Type          string          `json:"type"` // RoleGlobal or RoleProject; it limits nothing
	Description   string          `json:"description"`
	DescriptionCN string          `json:"description_cn"`
	Policy        json.RawMessage `json:"policy"`
}

// CreateRole makes a custom policy in the caller's domain; it is the same as one of
// CreatePolicy.
func (s *Service) CreateRole(ctx context.Context, c *iam.Caller, n NewRole, baseURL string) (RoleAnswer, error) {
	if err := s.authorize(c, iam.CreatePolicyV5, ""); err != nil {
		return RoleAnswer{}, err
	}
	if err := checkRoleType(n.Type); err != nil {
		return RoleAnswer{}, err
	}
	if err := checkDescription(n.DescriptionCN); err != nil {
		return RoleAnswer{}, err
	}
	p, err := s.newPolicy(c, NewPolicy{Name: n.DisplayName, Description: n.Description, Document: n.Policy})
	if err != nil {
		return RoleAnswer{}, err
	}
	p.Type, p.DescriptionCN = n.Type, n.DescriptionCN
	if err := s.addPolicy(ctx, p); err != nil {
		return RoleAnswer{}, err
	}
	return RoleAnswer{customRoleInfo(p, baseURL)}, nil
}

func checkRoleType(t string) error {
	if t != RoleGlobal && t != RoleProject {
		return invalidf("type takes %s or %s.", RoleGlobal, RoleProject)
	}
	return nil
}

// RolePatch is the request of UpdateCustomPolicy; nil leaves a member as it is.
type RolePatch struct {
	DisplayName   *string         `json:"display_name"`
	Type          *string         `json:"type"`
	Description   *string         `json:"description"`
	DescriptionCN *string         `json:"description_cn"`
	Policy        json.RawMessage `json:"policy"`
}

// UpdateRole changes a custom policy of the caller's domain. It counts for the next
// request of everybody who has it.
func (s *Service) UpdateRole(ctx context.Context, c *iam.Caller, id string, p RolePatch, baseURL string) (RoleAnswer, error) {
	record, err := s.updatePolicy(ctx, c, id, PolicyPatch{
		Description: p.Description, Document: p.Policy, name: p.DisplayName, kind: p.Type, descriptionCN: p.DescriptionCN,
	})
	if err != nil {
		return RoleAnswer{}, err
	}
	return RoleAnswer{customRoleInfo(record, baseURL)}, nil
}

// ShowCustomRole returns a custom policy of the caller's domain, or IAM.0004.
func (s *Service) ShowCustomRole(ctx context.Context, c *iam.Caller, id, baseURL string) (RoleAnswer, error) {
	if err := s.authorize(c, iam.GetPolicyV5, id); err != nil {
		return RoleAnswer{}, err
	}
	return s.showCustomRole(ctx, c, id, baseURL)
}

func (s *Service) showCustomRole(ctx context.Context, c *iam.Caller, id, baseURL string) (RoleAnswer, error) {
	p, err := own(c, "role", id, func(id string) (*store.Policy, error) { return s.store.Policy(ctx, id) },
		func(p *store.Policy) string { return p.DomainID })
	if err != nil {
		return RoleAnswer{}, err
	}
	info := customRoleInfo(p, baseURL)
	var references int
	err = s.store.View(ctx, func(v *store.View) error {
		counts, err := referencesIn(v, c.DomainID)
		references = counts[id]
		return err
	})
	info.References = &references
	return RoleAnswer{info}, err
}

// ListCustomRoles lists the custom policies of the caller's domain by name.
func (s *Service) ListCustomRoles(ctx context.Context, c *iam.Caller, p Page, baseURL string) (RoleList, error) {
	if err := s.authorize(c, iam.ListPoliciesV5, ""); err != nil {
		return RoleList{}, err
	}
	if err := p.check(); err != nil {
		return RoleList{}, err
	}
	all, err := s.customRoles(ctx, c, baseURL)
	return RoleList{Roles: p.cut(all), Links: Links{Self: baseURL + "/v3.0/OS-ROLE/roles"}, Total: len(all)}, err
}

// customRoles returns the custom policies of the caller's domain by name, with their
// references.
func (s *Service) customRoles(ctx context.Context, c *iam.Caller, baseURL string) ([]RoleInfo, error) {
	out := []RoleInfo{}
	err := s.store.View(ctx, func(v *store.View) error {
		counts, err := referencesIn(v, c.DomainID)
		if err != nil {
			return err
		}
		for p, err := range v.Policies(c.DomainID) {
			if err != nil {
				return err
			}
			info, references := customRoleInfo(p, baseURL), counts[p.ID]
			info.References = &references
			out = append(out, info)
		}
		return nil
	})
	return out, err
}

// referencesIn counts, by policy id, the users of a domain who have it and the assignments of it.
func referencesIn(v *store.View, domainID string) (map[string]int, error) {
	counts := map[string]int{}
	for u, err := range v.Users(domainID) {
		if err != nil {
			return nil, err
		}
		for _, id := range u.PolicyIDs {
			counts[id]++
		}
		countAssigned(counts, u.Assignments)
	}
	for g, err := range v.Groups(domainID) {
		if err != nil {
			return nil, err
		}
		countAssigned(counts, g.Assignments)
	}
	return counts, nil
}

func countAssigned(counts map[string]int, list []store.Assignment) {
	for _, a := range list {
		counts[a.PolicyID]++
	}
}

func isAssigned(list []store.Assignment, policyID string) bool {
	return slices.ContainsFunc(list, func(a store.Assignment) bool { return a.PolicyID == policyID })
}

// havers returns the names of the users and groups of a domain that have a policy.
func (s *Service) havers(ctx context.Context, domainID, policyID string) ([]string, error) {
	var names []string
	users, err := collect(ctx, s.store, func(v *store.View) iter.Seq2[*store.User, error] { return v.Users(domainID) },
		func(u *store.User) bool {
			return slices.Contains(u.PolicyIDs, policyID) || isAssigned(u.Assignments, policyID)
		})
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		names = append(names, "the user "+u.Name)
	}
	groups, err := collect(ctx, s.store, func(v *store.View) iter.Seq2[*store.Group, error] { return v.Groups(domainID) },
		func(g *store.Group) bool {
			return isAssigned(g.Assignments, policyID)
		})
	for _, g := range groups {
		names = append(names, "the group "+g.Name)
	}
	return names, err
}
