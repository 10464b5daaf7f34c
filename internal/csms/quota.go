package csms

// MaxImport is how many secrets one BatchImportSecrets takes (I3, Q22).
const MaxImport = 100

// Limits are the quotas that an operator may change; the published ones are the
// defaults (section 15 of the behaviour contract).
type Limits struct {
	SecretsPerProject int  // over it: CSMS.0202
	ValueBytes        int  // length of a value as sent (N6)
	DotsInNames       bool // new names may hold a dot (N2)
}

// DefaultLimits returns the published quotas.
func DefaultLimits() Limits {
	return Limits{SecretsPerProject: 500, ValueBytes: 32768}
}

// CheckSecretQuota reports whether a project that holds count secrets has room for
// one more; those scheduled for deletion count.
func (l Limits) CheckSecretQuota(count int) error {
	if count >= l.SecretsPerProject {
		return Errorf(CodeSecretQuota, "The project holds %d secrets; its quota is %d.", count, l.SecretsPerProject)
	}
	return nil
}
