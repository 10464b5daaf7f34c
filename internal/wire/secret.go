package wire

import (
	"encoding/json"

	"coffer/internal/csms"
)

// Secret is the metadata of a secret: every field of the newest reference page,
// always present, null where nothing is set.
type Secret struct {
	ID                  string           `json:"id"`
	Name                string           `json:"name"`
	State               csms.State       `json:"state"`
	KMSKeyID            string           `json:"kms_key_id"`
	Description         string           `json:"description"`
	CreateTime          Millis           `json:"create_time"`
	UpdateTime          Millis           `json:"update_time"`
	ScheduledDeleteTime Millis           `json:"scheduled_delete_time"`
	SecretType          csms.Type        `json:"secret_type"`
	AutoRotation        bool             `json:"auto_rotation"`
	RotationPeriod      OrNull           `json:"rotation_period"`
	RotationConfig      OrNull           `json:"rotation_config"`
	RotationTime        Millis           `json:"rotation_time"`
	NextRotationTime    Millis           `json:"next_rotation_time"`
	LastUsedTime        Millis           `json:"last_used_time"`
	EventSubscriptions  []string         `json:"event_subscriptions"`
	EnterpriseProjectID string           `json:"enterprise_project_id"`
	RotationFuncURN     OrNull           `json:"rotation_func_urn"`
	DomainID            string           `json:"domain_id"`
	ReplicaType         csms.ReplicaType `json:"replica_type"`
	Replicas            []Replica        `json:"replicas"`
}

// Replica is one member of a multi-region group.
type Replica struct {
	ID          string           `json:"id"`
	KMSKeyID    string           `json:"kms_key_id"`
	ProjectID   string           `json:"project_id"`
	Region      string           `json:"region"`
	ReplicaType csms.ReplicaType `json:"replica_type"`
	Status      string           `json:"status,omitempty"` // absent for the primary
	CreatedAt   Millis           `json:"created_at"`
	UpdatedAt   Millis           `json:"updated_at"`
}

// NewSecret returns the wire form of s.
func NewSecret(s *csms.Secret) Secret {
	return Secret{
		ID: s.ID, Name: s.Name, State: s.State, KMSKeyID: s.KMSKeyID, Description: s.Description,
		CreateTime: Millis(s.CreateTime), UpdateTime: Millis(s.UpdateTime), ScheduledDeleteTime: Millis(s.ScheduledDeleteTime),
		SecretType: s.Type, AutoRotation: s.Rotation.Auto,
		RotationPeriod: OrNull(s.Rotation.Period), RotationConfig: OrNull(s.Rotation.Config),
		RotationTime: Millis(s.Rotation.Time), NextRotationTime: Millis(s.NextRotation()),
		LastUsedTime: Millis(s.LastUsedTime), EventSubscriptions: orEmpty(s.EventSubscriptions),
		EnterpriseProjectID: s.EnterpriseProjectID, RotationFuncURN: OrNull(s.Rotation.FuncURN),
		DomainID: s.DomainID, ReplicaType: s.ReplicaType(), Replicas: newReplicas(s.Replicas),
	}
}

func newReplicas(in []csms.Replica) []Replica {
	out := make([]Replica, 0, len(in))
	for _, r := range in {
		out = append(out, Replica{
			ID: r.ID, KMSKeyID: r.KMSKeyID, ProjectID: r.ProjectID, Region: r.Region, ReplicaType: r.Type,
			Status: string(r.Status), CreatedAt: Millis(r.CreatedAt), UpdatedAt: Millis(r.UpdatedAt),
		})
	}
	return out
}

// orEmpty makes an absent list an empty array, never null (P5, N17).
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// SecretAnswer is {"secret": ...}.
type SecretAnswer struct {
	Secret Secret `json:"secret"`
}

// SecretList is a page of secrets. Secrets is its only array (P5).
type SecretList struct {
	Secrets  []Secret `json:"secrets"`
	PageInfo PageInfo `json:"page_info"`
}

// PageInfo tells where a page lies. NextMarker is null on the last page, never ""
// (P4).
type PageInfo struct {
	NextMarker     OrNull `json:"next_marker"`
	PreviousMarker OrNull `json:"previous_marker"`
	CurrentCount   int    `json:"current_count"`
}

// NewPageInfo describes a page of count items from first to last, with more to
// follow or not (P4).
func NewPageInfo(first, last string, count int, more bool) PageInfo {
	p := PageInfo{PreviousMarker: OrNull(first), CurrentCount: count}
	if more {
		p.NextMarker = OrNull(last)
	}
	return p
}

// CreateSecretRequest is the body of CreateSecret.
type CreateSecretRequest struct {
	Name                *string  `json:"name"`
	KMSKeyID            *string  `json:"kms_key_id"`
	Description         string   `json:"description"`
	SecretBinary        Text     `json:"secret_binary"`
	SecretString        Text     `json:"secret_string"`
	SecretType          *string  `json:"secret_type"`
	AutoRotation        bool     `json:"auto_rotation"`
	RotationPeriod      string   `json:"rotation_period"`
	RotationConfig      string   `json:"rotation_config"`
	EventSubscriptions  []string `json:"event_subscriptions"`
	EnterpriseProjectID *string  `json:"enterprise_project_id"`
	RotationFuncURN     string   `json:"rotation_func_urn"`
}

// UpdateSecretRequest is the body of UpdateSecret. An absent or null member is
// unchanged, but for event_subscriptions, which null clears (N15).
type UpdateSecretRequest struct {
	KMSKeyID           *string `json:"kms_key_id"`
	Description        *string `json:"description"`
	AutoRotation       *bool   `json:"auto_rotation"`
	RotationPeriod     *string `json:"rotation_period"`
	EventSubscriptions List    `json:"event_subscriptions"`
	RotationFuncURN    *string `json:"rotation_func_urn"`
}

// List is an array of texts that tells absent from null: both null and [] are an
// empty list that is Set.
type List struct {
	Set   bool
	Items []string
}

// UnmarshalJSON reads an array or null.
func (l *List) UnmarshalJSON(b []byte) error {
	l.Set = true
	return json.Unmarshal(b, &l.Items)
}

// ScheduleRequest is the body of DeleteSecretForSchedule (DEL3).
type ScheduleRequest struct {
	RecoveryWindowInDays *int `json:"recovery_window_in_days"`
}

// BatchDeleteRequest is the body of BatchDeleteSecrets (DEL9).
type BatchDeleteRequest struct {
	InstanceID   string `json:"instance_id"`
	InstanceType string `json:"instance_type"`
}

// BatchDeleteAnswer tells what became of each match.
type BatchDeleteAnswer struct {
	Total          int            `json:"total"`
	SuccessSecrets []string       `json:"success_secrets"`
	FailedSecrets  []FailedSecret `json:"failed_secrets"`
}

// FailedSecret explains one secret that was not destroyed (Q11).
type FailedSecret struct {
	Name      string `json:"name"`
	ErrorCode string `json:"error_code"`
	ErrorMsg  string `json:"error_msg"`
}
