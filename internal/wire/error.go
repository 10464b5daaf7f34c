package wire

// Error is the flat error body (W7); the gateway adds the request id (W9).
type Error struct {
	Code      string `json:"error_code"`
	Msg       string `json:"error_msg"`
	RequestID string `json:"request_id,omitempty"`
}

// WrappedError is the body of tag, event and rotation operations (W8).
type WrappedError struct {
	Error Error `json:"error"`
}
