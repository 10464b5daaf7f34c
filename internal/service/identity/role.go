package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// Types of roles: where the service that a role is about has its resources.
const (
	RoleGlobal  = "AX" // in the domain, such as the IAM
	RoleProject = "XA" // in projects
	roleBoth    = "AA"
)

// RoleInfo is a policy as the older IAM shows it: a custom policy, or a system role or
// policy, which is built in.
type RoleInfo struct {
	ID            string          `json:"id"`
	Name          string          `json:"name"` // unique and not for people
	DisplayName   string          `json:"display_name"`
	Catalog       string          `json:"catalog"`
	Type          string          `json:"type"`
	Flag          string          `json:"flag,omitempty"` // fine_grained for a system policy
	Description   string          `json:"description"`
	DescriptionCN string          `json:"description_cn"`
	DomainID      *string         `json:"domain_id"` // null for a system role
	Policy        json.RawMessage `json:"policy"`
	References    *int            `json:"references,omitempty"` // how often a custom policy is given
	CreatedTime   string          `json:"created_time,omitempty"`
	UpdatedTime   string          `json:"updated_time,omitempty"`
	Links         SelfLink        `json:"links"`
}

// RoleList is a list of roles on the wire.
type RoleList struct {
	Roles []RoleInfo `json:"roles"`
	Links Links      `json:"links"`
	Total int        `json:"total_number"` // over all pages
}

// RoleAnswer is one role on the wire.
type RoleAnswer struct {
	Role RoleInfo `json:"role"`
}

// systemRoleID returns the id of a built-in policy where ids are 32 hex digits.
func systemRoleID(p *iam.Policy) string {
	sum := sha256.Sum256([]byte("role\x00" + p.Name()))
	return hex.EncodeToString(sum[:16])
}

// policyIDOf returns the id by which users and groups refer to a role: the name of a
// built-in one, which can be asked for by that too.
func policyIDOf(roleID string) string {
	if p, ok := systemRole(roleID); ok {
		return p.Name()
	}
	return roleID
}

func systemRole(id string) (*iam.Policy, bool) {
	for _, p := range iam.BuiltinPolicies() {
		if systemRoleID(p) == id {
			return p, true
		}
	}
	return iam.BuiltinPolicy(id)
}

// ownRole returns the policy id of a built-in role or of a policy of the caller's
// domain, or IAM.0004.
func ownRole(c *iam.Caller, roleID string, get func(string) (*store.Policy, error)) (string, error) {
	if p, ok := systemRole(roleID); ok {
		return p.Name(), nil
	}
	_, err := own(c, "role", roleID, get, func(p *store.Policy) string { return p.DomainID })
	return roleID, err
}

// systemRoleInfo describes a built-in policy. What the cloud has as roles have their
// names from there; the other names are ours.
func systemRoleInfo(p *iam.Policy, baseURL string) RoleInfo {
	info := RoleInfo{
		ID: systemRoleID(p), Name: iam.BuiltinRole(p.Name()), DisplayName: p.Name(), Catalog: "BASE", Type: roleBoth,
		Description: p.Name() + ", built in", Policy: p.Document(),
	}
	info.Links.Self = baseURL + "/v3/roles/" + info.ID
	if service, _, _ := strings.Cut(p.Name(), " "); service == "CSMS" || service == "KMS" {
		info.Catalog, info.Type = service, RoleProject
	}
	if info.Name == "secu_admin" {
		info.Type = RoleGlobal
	}
	if info.Name == "" {
		info.Name = "system_" + strings.ToLower(strings.ReplaceAll(p.Name(), " ", "_"))
	}
	if p.Version() != "1.0" {
		info.Flag = "fine_grained"
	}
	return info
}

func customRoleInfo(p *store.Policy, baseURL string) RoleInfo {
	info := RoleInfo{
		ID: p.ID, Name: "custom_" + p.ID, DisplayName: p.Name, Catalog: "CUSTOMED", Type: p.Type,
		Description: p.Description, DescriptionCN: p.DescriptionCN, DomainID: &p.DomainID, Policy: json.RawMessage(p.Document),
		CreatedTime: millis(p.CreateTime), UpdatedTime: millis(p.UpdateTime),
		Links: SelfLink{baseURL + "/v3.0/OS-ROLE/roles/" + p.ID},
	}
	if info.Type == "" {
		info.Type = RoleProject
	}
	return info
}

func millis(t csms.Millis) string { return strconv.FormatInt(int64(t), 10) }

// roleInfo describes the role that users and groups refer to by policyID. One that is
// gone is shown by its id, so that it can be taken away.
func (s *Service) roleInfo(ctx context.Context, policyID, baseURL string) (RoleInfo, error) {
	if p, ok := iam.BuiltinPolicy(policyID); ok {
		return systemRoleInfo(p, baseURL), nil
	}
	p, err := orNil(s.store.Policy(ctx, policyID))
	if err != nil {
		return RoleInfo{}, err
	}
	if p == nil {
		p = &store.Policy{ID: policyID, Document: store.Document("null")}
	}
	return customRoleInfo(p, baseURL), nil
}

// RoleFilter chooses a page of roles; an empty member does not.
type RoleFilter struct {
	DomainID       string // custom policies of the domain; "" for what is built in
	Name           string
	DisplayName    string // a name, or part of names if no role is called so
	Catalog        string
	Type           string
	PermissionType string // policy or role, of what is built in
	Page           Page
}

// Page is a part of a list, numbered from 1. The zero value is the whole list.
type Page struct{ Number, Size int }

// MaxPage is the most that a page of roles holds.
const MaxPage = 300

func (p Page) check() error {
	if p == (Page{}) {
		return nil
	}
	if p.Number < 1 || p.Size < 1 || p.Size > MaxPage {
		return invalidf("page takes numbers from 1, and per_page 1 to %d.", MaxPage)
	}
	return nil
}

// cut returns the page of list; one after the end is empty.
func (p Page) cut(list []RoleInfo) []RoleInfo {
	if p == (Page{}) {
		return list
	}
	first := min((min(p.Number, len(list)+1)-1)*p.Size, len(list))
	return list[first:min(first+p.Size, len(list))]
}

func (f *RoleFilter) keeps(r *RoleInfo) bool {
	kind := "role"
	if r.Flag != "" {
		kind = "policy"
	}
	return (f.Name == "" || f.Name == r.Name) && (f.Catalog == "" || f.Catalog == r.Catalog) &&
		(f.Type == "" || f.Type == r.Type) && (f.PermissionType == "" || f.DomainID != "" || f.PermissionType == kind)
}

// choose returns the roles of list that f is after.
func (f *RoleFilter) choose(list []RoleInfo) []RoleInfo {
	kept, named := []RoleInfo{}, []RoleInfo{}
	for i := range list {
		if !f.keeps(&list[i]) {
			continue
		}
		if list[i].DisplayName == f.DisplayName {
			named = append(named, list[i])
		}
		if strings.Contains(list[i].DisplayName, f.DisplayName) {
			kept = append(kept, list[i])
		}
	}
	if len(named) > 0 {
		return named
	}
	return kept
}

// ListRoles lists the built-in roles and policies, or the custom policies of the
// caller's domain if the filter names it.
func (s *Service) ListRoles(ctx context.Context, c *iam.Caller, f RoleFilter, baseURL string) (RoleList, error) {
	if err := s.authorize(c, iam.ListPoliciesV5, ""); err != nil {
		return RoleList{}, err
	}
	if err := f.Page.check(); err != nil {
		return RoleList{}, err
	}
	all := []RoleInfo{}
	switch f.DomainID {
	case "":
		for _, p := range iam.BuiltinPolicies() {
			all = append(all, systemRoleInfo(p, baseURL))
		}
	case c.DomainID:
		var err error
		if all, err = s.customRoles(ctx, c, baseURL); err != nil {
			return RoleList{}, err
		}
	}
	all = f.choose(all)
	return RoleList{Roles: f.Page.cut(all), Links: Links{Self: baseURL + "/v3/roles"}, Total: len(all)}, nil
}

// ShowRole returns a built-in role or a custom policy of the caller's domain.
func (s *Service) ShowRole(ctx context.Context, c *iam.Caller, id, baseURL string) (RoleAnswer, error) {
	if err := s.authorize(c, iam.GetPolicyV5, id); err != nil {
		return RoleAnswer{}, err
	}
	if p, ok := systemRole(id); ok {
		return RoleAnswer{systemRoleInfo(p, baseURL)}, nil
	}
	return s.showCustomRole(ctx, c, id, baseURL)
}
