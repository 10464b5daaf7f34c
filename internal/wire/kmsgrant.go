package wire

// The shapes of grants on keys and of aliases.

// CreateGrantRequest is the body of CreateKeyGrant.
type CreateGrantRequest struct {
	KeyRef
	GranteePrincipal     string   `json:"grantee_principal"`
	GranteePrincipalType string   `json:"grantee_principal_type"`
	Operations           []string `json:"operations"`
	Name                 string   `json:"name"`
	RetiringPrincipal    string   `json:"retiring_principal"`
}

// GrantID is the answer of CreateKeyGrant.
type GrantID struct {
	GrantID string `json:"grant_id"`
}

// GrantRef is the body of RetireKeyGrant and RevokeKeyGrant.
type GrantRef struct {
	KeyRef
	GrantID string `json:"grant_id"`
}

// ListKeyGrantsRequest is the body of ListKeyGrants and ListRetirableKeyGrants, which
// takes no key.
type ListKeyGrantsRequest struct {
	KeyRef
	Limit  Digits `json:"limit"`
	Marker Digits `json:"marker"`
}

// KeyGrant is a grant on a key.
type KeyGrant struct {
	KeyID                string     `json:"key_id"`
	GrantID              string     `json:"grant_id"`
	GranteePrincipal     string     `json:"grantee_principal"`
	GranteePrincipalType string     `json:"grantee_principal_type"`
	Operations           []string   `json:"operations"`
	IssuingPrincipal     string     `json:"issuing_principal"`
	CreationDate         TextMillis `json:"creation_date"`
	Name                 string     `json:"name,omitempty"`
	RetiringPrincipal    string     `json:"retiring_principal,omitempty"`
}

// KeyGrantList is a page of grants. The total is a number, as the SDK has it.
type KeyGrantList struct {
	Grants     []KeyGrant `json:"grants"`
	NextMarker string     `json:"next_marker"`
	Truncated  TextBool   `json:"truncated"`
	Total      int        `json:"total"`
}

// CreateAliasRequest is the body of CreateKeyAlias.
type CreateAliasRequest struct {
	KeyRef
	Alias string `json:"alias"`
}

// AssociateAliasRequest is the body of AssociateKeyAlias.
type AssociateAliasRequest struct {
	TargetKeyID string `json:"target_key_id"`
	Alias       string `json:"alias"`
}

// DeleteAliasesRequest is the body of DeleteKeyAliases.
type DeleteAliasesRequest struct {
	KeyRef
	Aliases []string `json:"aliases"`
}

// AliasEntity is an alias of a key.
type AliasEntity struct {
	DomainID   string     `json:"domain_id"`
	KeyID      string     `json:"key_id"`
	Alias      string     `json:"alias"`
	AliasURN   string     `json:"alias_urn"`
	CreateTime TextMillis `json:"create_time"`
	UpdateTime TextMillis `json:"update_time"`
}

// AliasList is a page of aliases.
type AliasList struct {
	Aliases  []AliasEntity `json:"aliases"`
	PageInfo AliasPage     `json:"page_info"`
}

// AliasPage tells of a page of aliases. The marker is "" on the last page.
type AliasPage struct {
	NextMarker   string `json:"next_marker"`
	CurrentCount int    `json:"current_count"`
}
