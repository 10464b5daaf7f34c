package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/wire"
)

// statuses is the one table from code to HTTP status (behaviour.md 17). A code that
// is not in it is a 400.
var statuses = map[csms.Code]int{
	csms.CodeInternal:        http.StatusInternalServerError,
	csms.CodeNotFound:        http.StatusNotFound,
	csms.CodeSecretNotFound:  http.StatusNotFound,
	csms.CodeNotEnabled:      http.StatusForbidden,
	csms.CodeForbidden:       http.StatusForbidden,
	csms.CodeNoSuchAPI:       http.StatusNotFound,
	csms.CodeBodyTooLarge:    http.StatusRequestEntityTooLarge,
	csms.CodeURITooLarge:     http.StatusRequestURITooLong,
	csms.CodeHeadersTooLarge: 494,
	csms.CodeUnauthenticated: http.StatusUnauthorized,
	csms.CodeThrottled:       http.StatusTooManyRequests,
	csms.CodeProject:         http.StatusForbidden,
	csms.CodeBackendTimeout:  http.StatusGatewayTimeout,
	csms.CodeIAMUnavailable:  http.StatusServiceUnavailable,
	csms.CodeIAMForbidden:    http.StatusForbidden,
	csms.CodeIAMNotFound:     http.StatusNotFound,
	csms.CodeIAMConflict:     http.StatusConflict,
	csms.CodeEPSInternal:     http.StatusInternalServerError,
	csms.CodeEPSForbidden:    http.StatusForbidden,
	csms.CodeEPSNotFound:     http.StatusNotFound,
	csms.CodeEPSConflict:     http.StatusConflict,
	csms.CodeKMSInternal:     http.StatusInternalServerError,
	csms.CodeKMSKeyNotFound:  http.StatusNotFound,
	csms.CodeKMSForbidden:    http.StatusForbidden,
	csms.CodeSMNNotFound:     http.StatusNotFound,
	csms.CodeSMNTemplate:     http.StatusNotFound,
	csms.CodeSMNForbidden:    http.StatusForbidden,
	csms.CodeSMNInternal:     http.StatusInternalServerError,

	csms.CodeKMSAliasNotFound: http.StatusNotFound,
	csms.CodeKMSGrantNotFound: http.StatusNotFound,
}

func statusOf(code csms.Code) int {
	if status, ok := statuses[code]; ok {
		return status
	}
	return http.StatusBadRequest
}

// maxMessage bounds error_msg (ER3).
const maxMessage = 512

// clientGone is the status, in log and metrics, of a request whose client did not
// wait for the answer.
const clientGone = 499

// fail answers err. What is no csms.Error is logged here, once, and answered with a
// fixed text.
func (a *API) fail(x *exchange, err error) {
	if k, ok := keystone(x, err); ok && x.status == 0 {
		a.failKeystone(x, k)
		return
	}
	e := (*csms.Error)(nil)
	switch {
	case errors.As(err, &e):
	case errors.Is(err, context.Canceled) && x.r.Context().Err() != nil:
		x.status = clientGone // there is nobody to answer, and it is no failure of ours
		return
	case errors.Is(err, context.DeadlineExceeded):
		e = &csms.Error{Code: csms.CodeBackendTimeout, Msg: "Backend timeout.", Err: err}
	default:
		e = &csms.Error{Code: csms.CodeInternal, Msg: "Internal error.", Err: err}
	}
	x.code = e.Code
	if status := statusOf(e.Code); status >= http.StatusInternalServerError {
		a.Logger.ErrorContext(x.ctx, "request failed", slog.String("request_id", x.requestID),
			slog.String("operation", x.route.Name), slog.Any("error", err))
	}
	if x.status != 0 {
		return // the answer has begun; nothing can be added
	}
	body, err := wire.Marshal(envelope(x, e))
	if err != nil {
		body = []byte(`{"error_code":"CSMS.0001","error_msg":"Internal error."}`)
	}
	_ = x.send(statusOf(e.Code), body)
}

// envelope returns the body of an error: flat with the request id for the gateway
// (W9), else as the operation has it: flat (W7), wrapped (W8), or that of SMN.
func envelope(x *exchange, e *csms.Error) any {
	code, _, _ := strings.Cut(string(e.Code), "/")
	flat := wire.Error{Code: code, Msg: cut(e.Msg)}
	switch {
	case strings.HasPrefix(code, "APIGW."), strings.HasPrefix(code, "IAM."):
		flat.RequestID = x.requestID
		return flat
	case strings.HasPrefix(code, "SMN."):
		return wire.SMNError{RequestID: x.requestID, Code: code, Message: flat.Msg}
	case x.route.Wrapped:
		return wire.WrappedError{Error: flat}
	default:
		return flat
	}
}

func cut(msg string) string {
	if len(msg) <= maxMessage {
		return msg
	}
	return strings.ToValidUTF8(msg[:maxMessage], "")
}
