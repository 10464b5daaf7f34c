package wire

// CreateSecretReplicaRequest is the body of CreateSecretReplica (M1).
type CreateSecretReplicaRequest struct {
	Region   string `json:"region"`
	KMSKeyID string `json:"kms_key_id"` // "" for the default key of the region
}

// SupportRegions are the regions that can hold copies (M3).
type SupportRegions struct {
	Regions []string `json:"regions"`
	Total   int      `json:"total"`
}

// NewSupportRegions returns the answer that lists regions, also none (M7).
func NewSupportRegions(regions []string) SupportRegions {
	return SupportRegions{Regions: orEmpty(regions), Total: len(regions)}
}
