package wire

import "coffer/internal/csms"

// GrantRequest is the body of CreateGrants and UpdateGrant.
type GrantRequest struct {
	ResourceID      string           `json:"resource_id"`
	Type            csms.GrantTarget `json:"type"`
	GranteeType     csms.GranteeType `json:"grantee_type"`
	GranteeTargetID string           `json:"grantee_target_id"`
	ValidityTime    string           `json:"validity_time"` // decimal text (TS7)
}

// Grant is a grant in the answers of CreateGrants and UpdateGrant: camelCase, unlike
// the rest of the API (G2).
type Grant struct {
	UUID         string           `json:"uuid"`
	ResourceID   string           `json:"resourceId"`
	Type         csms.GrantTarget `json:"type"`
	GranteeUser  string           `json:"granteeUser"` // id of the grantee
	CreateTime   Millis           `json:"createTime"`
	UpdateTime   Millis           `json:"updateTime"`
	ValidityTime Millis           `json:"validityTime"` // null for no end
}

// GrantAnswer is {"data": ...}.
type GrantAnswer struct {
	Data Grant `json:"data"`
}

// GrantList is the answer of ListGrants: one object with the grantees of a resource,
// in snake_case (G2).
type GrantList struct {
	Data GrantedResource `json:"data"`
}

// GrantedResource is a secret with its grantees; the times are those of the secret.
type GrantedResource struct {
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	Type        csms.GrantTarget `json:"type"`
	GranteeUser []GrantUser      `json:"grantee_user"`
	CreateTime  Millis           `json:"create_time"`
	UpdateTime  Millis           `json:"update_time"`
}

// GrantUser is a grantee with the times of his grant.
type GrantUser struct {
	UserID       string `json:"user_id"`
	UserName     string `json:"user_name"`
	CreateTime   Millis `json:"create_time"`
	ValidityTime Millis `json:"validity_time"` // null for no end
}
