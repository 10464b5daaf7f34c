package wire

import "coffer/internal/csms"

// UserCommon is what the two forms of a user have in common. Members that the
// embedded IAM does not keep (mobile, email, updated_at) are left out.
type UserCommon struct {
	UserID        string            `json:"user_id"`
	OrgID         string            `json:"org_id"`
	UserName      string            `json:"user_name"`
	Name          string            `json:"name"`
	PwdMustModify bool              `json:"pwd_must_modify"`
	PwdChangeAt   TextMillis        `json:"pwd_change_at"` // "" for a user without a password
	CreatedAt     TextMillis        `json:"created_at"`
	Locked        TextBool          `json:"locked"`
	Relations     []UserOrgRelation `json:"user_org_relation_list"`
}

// UserOrgRelation says how a user belongs to an organisation.
type UserOrgRelation struct {
	OrgID        string `json:"org_id"`
	RelationType string `json:"relation_type"`
}

// UserListItem is a user in ListUsers, with texts for all but one member (G5).
type UserListItem struct {
	UserCommon
	Disabled  TextBool `json:"disabled"`
	Grade     string   `json:"grade"`
	Extension string   `json:"extension"`
}

// UserDetail is a user in ShowUserDetail, with typed members (G5).
type UserDetail struct {
	UserCommon
	Disabled  bool     `json:"disabled"`
	Grade     int      `json:"grade"`
	Extension struct{} `json:"extension"`
	DomainID  string   `json:"domain_id"`
}

// UserList is a page of users; total counts those of all pages (P10).
type UserList struct {
	Total int            `json:"total"`
	Users []UserListItem `json:"users"`
}

// ChangePasswordAnswer is the answer of UpdateUserPassword.
type ChangePasswordAnswer struct {
	UserID string `json:"user_id"`
}

// NewUserCommon returns what both forms of a user of a domain have. The relation to
// the organisation is that of a member, of which there is only one kind.
func NewUserCommon(id, domainID, name string, passwordTime, createTime csms.Millis) UserCommon {
	return UserCommon{
		UserID: id, OrgID: domainID, UserName: name, Name: name,
		PwdChangeAt: TextMillis(passwordTime), CreatedAt: TextMillis(createTime),
		Relations: []UserOrgRelation{{OrgID: domainID, RelationType: "member"}},
	}
}

// NewUserListItem returns the form of a user in a list.
func NewUserListItem(u UserCommon, enabled bool) UserListItem {
	return UserListItem{UserCommon: u, Disabled: TextBool(!enabled), Grade: "0", Extension: "{}"}
}

// NewUserDetail returns the form of a user by himself.
func NewUserDetail(u UserCommon, enabled bool) UserDetail {
	return UserDetail{UserCommon: u, Disabled: !enabled, DomainID: u.OrgID}
}
