package wire

import "coffer/internal/csms"

// RotateSecretAnswer names the task that was begun. VersionID is null: which version is
// made is not known yet.
type RotateSecretAnswer struct {
	VersionID      OrNull `json:"version_id"`
	SecretName     string `json:"secret_name"`
	RotationTaskID string `json:"rotation_task_id"`
}

// SecretTask is one rotation.
type SecretTask struct {
	TaskID          string           `json:"task_id"`
	SecretName      string           `json:"secret_name"`
	RotationFuncURN OrNull           `json:"rotation_func_urn"`
	TaskStatus      csms.TaskStatus  `json:"task_status"`
	OperateType     csms.OperateType `json:"operate_type"`
	TaskTime        Millis           `json:"task_time"`
	AttemptNums     int              `json:"attempt_nums"`
	TaskErrorCode   OrNull           `json:"task_error_code"` // of the last try, also while the task runs
	TaskErrorMsg    OrNull           `json:"task_error_msg"`
}

// NewSecretTask returns the wire form of t.
func NewSecretTask(t *csms.Task) SecretTask {
	return SecretTask{
		TaskID: t.ID, SecretName: t.SecretName, RotationFuncURN: OrNull(t.FuncURN), TaskStatus: t.Status,
		OperateType: t.OperateType, TaskTime: Millis(t.CreateTime), AttemptNums: t.Attempt,
		TaskErrorCode: OrNull(t.ErrorCode), TaskErrorMsg: OrNull(t.ErrorMsg),
	}
}

// SecretTaskList is a page of tasks. Its marker stands at the top level (P9).
type SecretTaskList struct {
	Total      int          `json:"total"` // of all that the filter chooses
	Tasks      []SecretTask `json:"tasks"`
	NextMarker OrNull       `json:"next_marker"`
}

// FunctionTemplatesAnswer holds the source of a rotation function.
type FunctionTemplatesAnswer struct {
	FunctionTemplates string `json:"function_templates"`
}
