package wire

import "coffer/internal/csms"

// Rotation tells how the rotations of a secret go. The API of it is Coffer's own.
type Rotation struct {
	SecretName       string        `json:"secret_name"`
	SecretType       csms.Type     `json:"secret_type"`
	SecretSubType    OrNull        `json:"secret_sub_type"`
	State            csms.State    `json:"state"`
	AutoRotation     bool          `json:"auto_rotation"`
	RotationPeriod   OrNull        `json:"rotation_period"`
	RotationFuncURN  OrNull        `json:"rotation_func_urn"`
	RotationTime     Millis        `json:"rotation_time"`
	NextRotationTime Millis        `json:"next_rotation_time"`
	FailedTasks      int           `json:"failed_tasks"` // in a row, up to now
	Bound            *Binding      `json:"bound"`        // null where nothing is
	BindingCode      OrNull        `json:"binding_code"` // why nothing is
	BindingMsg       OrNull        `json:"binding_msg"`  // likewise
	Task             *RotationTask `json:"task"`         // that runs, or the last one; null before the first
}

// RotationTask is a task with what ListSecretTask does not tell.
type RotationTask struct {
	SecretTask
	Step    OrNull `json:"step"` // the last one that is done
	EndTime Millis `json:"end_time"`
	NextTry Millis `json:"next_try"` // of a task that runs
}

// Binding is what is bound to a secret.
type Binding struct {
	Kind        string `json:"kind"`
	InstanceID  OrNull `json:"instance_id"`
	Engine      OrNull `json:"engine"`
	Address     string `json:"address"`
	AdminSecret OrNull `json:"admin_secret"`
}

// RotationAnswer is {"rotation": ...}.
type RotationAnswer struct {
	Rotation Rotation `json:"rotation"`
}

// RotationList is a page of rotations.
type RotationList struct {
	Rotations []Rotation `json:"rotations"`
	PageInfo  PageInfo   `json:"page_info"`
}

// PreviewRotationRequest is the body of PreviewRotation.
type PreviewRotationRequest struct {
	SecretName string `json:"secret_name"`
}

// RotationPreview tells what a rotation would do.
type RotationPreview struct {
	SecretName    string    `json:"secret_name"`
	SecretType    csms.Type `json:"secret_type"`
	SecretSubType OrNull    `json:"secret_sub_type"`
	Bound         *Binding  `json:"bound"`
	VersionID     OrNull    `json:"version_id"` // whose account would get a new password
	Account       OrNull    `json:"account"`
	Password      *Password `json:"password"` // null where Coffer makes none
	Ready         bool      `json:"ready"`    // no check has failed
	Findings      []Finding `json:"findings"`
}

// Password says what new passwords are like.
type Password struct {
	Length   int    `json:"length"`
	Specials string `json:"specials"` // beside letters and digits
}

// Finding is the result of one check.
type Finding struct {
	Check  string `json:"check"`
	Status string `json:"status"`
	Code   OrNull `json:"error_code"` // with which a task would fail
	Msg    OrNull `json:"error_msg"`
	Mend   OrNull `json:"mend"` // what would mend it
}

// RotationPreviewAnswer is {"rotation_preview": ...}.
type RotationPreviewAnswer struct {
	RotationPreview RotationPreview `json:"rotation_preview"`
}

// TargetCheck is the result of CheckDatabaseTarget.
type TargetCheck struct {
	InstanceID string    `json:"instance_id"`
	Ready      bool      `json:"ready"`
	Findings   []Finding `json:"findings"`
}

// TargetCheckAnswer is {"target_check": ...}.
type TargetCheckAnswer struct {
	TargetCheck TargetCheck `json:"target_check"`
}
