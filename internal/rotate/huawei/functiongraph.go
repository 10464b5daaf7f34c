package huawei

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"coffer/internal/outgoing"
	"coffer/internal/rotate"
	"coffer/internal/rotate/function"
)

// FunctionGraph invokes a function of the cloud. It is a rotate.Engine that stores by
// itself: the function works through the API at endpoint, as the agency that it has.
type FunctionGraph struct {
	c        *Client
	urn      string
	endpoint string
}

// NewFunctionGraph returns the function of that URN, which c reaches.
func NewFunctionGraph(c *Client, urn, endpoint string) *FunctionGraph {
	return &FunctionGraph{c: c, urn: urn, endpoint: endpoint}
}

// Change invokes the function and returns when it has answered. The request brings no key.
func (f *FunctionGraph) Change(ctx context.Context, r *rotate.Rotation, _ *rotate.Values) error {
	body, err := function.Request(r, f.endpoint, nil)
	if err != nil {
		return err
	}
	path := "/v2/" + url.PathEscape(f.c.o.Project) + "/fgs/functions/" + url.PathEscape(f.urn) + "/invocations"
	answer, err := f.c.call(ctx, http.MethodPost, path, http.Header{"X-Cff-Request-Version": {"v1"}}, body)
	switch {
	case errors.Is(err, outgoing.ErrAddress):
		return &rotate.Error{Code: function.CodeAddress, Msg: "FunctionGraph at " + f.c.host + " may not be called.", Final: true, Err: err}
	case err != nil:
		return &rotate.Error{Code: function.CodeUnreachable, Msg: "FunctionGraph at " + f.c.host + " does not answer.", Err: err}
	}
	return f.judge(answer)
}

// Close ends idle connections.
func (f *FunctionGraph) Close() { f.c.Close() }

// judge returns nil for status 200 without an error, of FunctionGraph or of the function.
func (f *FunctionGraph) judge(answer *outgoing.Answer) error {
	if answer.Status != http.StatusOK {
		return f.refusal(answer)
	}
	var invoked struct {
		Status int             `json:"status"`
		Result json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal(answer.Body, &invoked); err != nil {
		return rotate.Failf(function.CodeFailed, "FunctionGraph answers with something else than the result of an invocation.")
	}
	said := function.Read(answer.Body, nil) // of FunctionGraph
	if !said.Failed {
		said = function.Read(result(invoked.Result), nil) // of the function
	}
	switch {
	case !said.Failed && (invoked.Status == 0 || invoked.Status == http.StatusOK):
		return nil
	case said.Msg == "":
		said.Msg = fmt.Sprintf("The function ended with status %d.", invoked.Status)
	}
	return rotate.Failf(said.Code, "%s", said.Msg)
}

// result returns what the function has returned: version v1 brings a text.
func result(raw json.RawMessage) []byte {
	if !bytes.HasPrefix(raw, []byte(`"`)) {
		return raw
	}
	var text string
	_ = json.Unmarshal(raw, &text)
	return []byte(text)
}

// refusal is the failure of an invocation that reached no function.
func (f *FunctionGraph) refusal(answer *outgoing.Answer) error {
	said := function.Read(answer.Body, nil)
	if said.Msg == "" {
		said.Msg = fmt.Sprintf("FunctionGraph answers %d.", answer.Status)
	}
	if answer.Status == http.StatusNotFound {
		return rotate.Finalf(rotate.CodeFunctionNotFound, "FunctionGraph does not have the function %s.", f.urn)
	}
	return rotate.Failf(said.Code, "%s", said.Msg)
}
