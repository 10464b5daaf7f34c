package wire

import "coffer/internal/csms"

// DatabaseTarget is a database server whose accounts are rotated. The API of it is
// Coffer's own; the cloud keeps its instances in other products.
type DatabaseTarget struct {
	InstanceID    string              `json:"instance_id"`
	Engine        csms.DatabaseEngine `json:"engine"`
	Host          string              `json:"host"`
	Port          int                 `json:"port"`
	Database      string              `json:"database"`
	TLSMode       csms.TLSMode        `json:"tls_mode"`
	CACertificate string              `json:"ca_certificate"`
	AdminSecret   string              `json:"admin_secret"`
	Accounts      []string            `json:"accounts"`
	CreateTime    Millis              `json:"create_time"`
	UpdateTime    Millis              `json:"update_time"`
	DeclaredBy    string              `json:"declared_by"`
}

// declaredBy tells who says that a target is there.
func declaredBy(t *csms.DatabaseTarget) string {
	if t.Declared {
		return "configuration"
	}
	return "api"
}

// NewDatabaseTarget returns the wire form of t.
func NewDatabaseTarget(t *csms.DatabaseTarget) DatabaseTarget {
	return DatabaseTarget{
		InstanceID: t.InstanceID, Engine: t.Engine, Host: t.Host, Port: t.Port, Database: t.Database,
		TLSMode: t.TLSMode, CACertificate: t.CA, AdminSecret: t.AdminSecret, Accounts: t.Accounts,
		CreateTime: Millis(t.CreateTime), UpdateTime: Millis(t.UpdateTime), DeclaredBy: declaredBy(t),
	}
}

// DatabaseTargetAnswer is {"database_target": ...}.
type DatabaseTargetAnswer struct {
	DatabaseTarget DatabaseTarget `json:"database_target"`
}

// DatabaseTargetList is a page of targets.
type DatabaseTargetList struct {
	DatabaseTargets []DatabaseTarget `json:"database_targets"`
	PageInfo        PageInfo         `json:"page_info"`
}

// CreateDatabaseTargetRequest is the body of CreateDatabaseTarget.
type CreateDatabaseTargetRequest struct {
	InstanceID    string              `json:"instance_id"`
	Engine        csms.DatabaseEngine `json:"engine"`
	Host          string              `json:"host"`
	Port          int                 `json:"port"`
	Database      string              `json:"database"`
	TLSMode       csms.TLSMode        `json:"tls_mode"` // "" for verify-full
	CACertificate string              `json:"ca_certificate"`
	AdminSecret   string              `json:"admin_secret"`
	Accounts      []string            `json:"accounts"`
}

// UpdateDatabaseTargetRequest is the body of UpdateDatabaseTarget. An absent or null
// member is unchanged; the instance id is not among them, for it is immutable.
type UpdateDatabaseTargetRequest struct {
	Engine        *csms.DatabaseEngine `json:"engine"`
	Host          *string              `json:"host"`
	Port          *int                 `json:"port"`
	Database      *string              `json:"database"`
	TLSMode       *csms.TLSMode        `json:"tls_mode"`
	CACertificate *string              `json:"ca_certificate"`
	AdminSecret   *string              `json:"admin_secret"`
	Accounts      *[]string            `json:"accounts"`
}
