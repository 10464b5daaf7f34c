// Package function rotates secrets through a function that is called by HTTP
// (neighbours.md 3.3): one signed POST that says which secret, and holds no value.
//
// The rule that keeps it honest: the function does the work through the API of Coffer,
// as anybody would. That it says so counts for nothing; what counts is that SYSCURRENT
// has moved, and whoever calls the engine looks.
package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"coffer/internal/csms"
	"coffer/internal/outgoing"
	"coffer/internal/rotate"
)

// The codes of this engine. A function may answer with codes of its own.
const (
	CodeUnreachable rotate.Code = "FUNCTION_UNREACHABLE" // no answer: name, address, TLS, time
	CodeAddress     rotate.Code = "FUNCTION_ADDRESS"     // the address may not be called
	CodeFailed      rotate.Code = "FUNCTION_FAILED"      // the function says that it failed, and no code that can be shown
)

// Timeout bounds a call: as long as a function of the cloud may run.
const Timeout = 300 * time.Second

// maxText is what is shown of a text of the function, in characters.
const maxText = 512

// Options of an engine. URL, Client and Now are required.
type Options struct {
	URL      string
	Secret   []byte           // to sign with, as webhook.ParseSecret returns it; empty for no signature
	Client   *outgoing.Client // with this package's Timeout
	Now      func() time.Time // wall time
	Endpoint string           // where the function reaches Coffer, such as https://coffer.example.org
}

// Function is a rotate.Engine that stores by itself.
type Function struct {
	o    Options
	host string
}

// New returns the function of o. It owns the client.
func New(o Options) (*Function, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return nil, errors.New("function: url must be an http or https URL with a host and without a user")
	}
	o.Secret = bytes.Clone(o.Secret)
	return &Function{o: o, host: u.Host}, nil
}

// request is the body, version 1.
type request struct {
	Version        string `json:"version"`
	TaskID         string `json:"task_id"`
	Attempt        int    `json:"attempt"`
	OperateType    string `json:"operate_type"`
	Region         string `json:"region"`
	DomainID       string `json:"domain_id"`
	ProjectID      string `json:"project_id"`
	SecretID       string `json:"secret_id"`
	SecretName     string `json:"secret_name"`
	SecretType     string `json:"secret_type"`
	RotationConfig string `json:"rotation_config"`
	Endpoint       string `json:"csms_endpoint"`
	CurrentVersion string `json:"current_version"`
	IdempotencyKey string `json:"idempotency_key"`
}

func (f *Function) request(r *rotate.Rotation) request {
	return request{
		Version: "1", TaskID: r.TaskID, Attempt: r.Attempt, OperateType: string(r.OperateType),
		Region: r.Region, DomainID: r.DomainID, ProjectID: r.ProjectID,
		SecretID: r.SecretID, SecretName: r.SecretName, SecretType: string(r.SecretType), RotationConfig: r.Config,
		Endpoint: f.o.Endpoint, CurrentVersion: r.CurrentVersion, IdempotencyKey: r.IdempotencyKey(),
	}
}

// Change calls the function and returns when it has answered. A function must take the
// same idempotency key twice: a call whose answer was lost comes again.
func (f *Function) Change(ctx context.Context, r *rotate.Rotation, _ *rotate.Values) error {
	body, err := json.Marshal(f.request(r))
	if err != nil {
		return fmt.Errorf("function: writing the request: %w", err)
	}
	call, err := http.NewRequestWithContext(ctx, http.MethodPost, f.o.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("function: making the request: %w", err)
	}
	call.Header.Set("Content-Type", "application/json; charset=UTF-8")
	call.Header.Set("User-Agent", "coffer")
	outgoing.Sign(call.Header, f.o.Secret, r.IdempotencyKey(), f.o.Now(), body)
	status, answer, err := f.o.Client.Do(ctx, call)
	switch {
	case errors.Is(err, outgoing.ErrAddress):
		return &rotate.Error{Code: CodeAddress, Msg: "The address of the function at " + f.host + " may not be called.", Final: true, Err: err}
	case err != nil:
		return &rotate.Error{Code: CodeUnreachable, Msg: "The function at " + f.host + " does not answer.", Err: err}
	}
	return f.judge(status, answer)
}

// Binding returns the function.
func (f *Function) Binding() rotate.Binding {
	return rotate.Binding{Kind: rotate.BoundFunction, Address: f.host}
}

// Preview does not call the function, which would rotate.
func (f *Function) Preview(context.Context, *rotate.Rotation, csms.Plaintext) *rotate.Preview {
	return &rotate.Preview{Findings: []rotate.Finding{
		rotate.NotLooked(rotate.CheckFunction, "A function knows no preview, so it was not called. Which account it changes, it decides itself."),
	}}
}

// Close ends idle connections.
func (f *Function) Close() { f.o.Client.Close() }

// Codes that are shown as they are.
var codeForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// judge returns nil for status 200 without an error in the answer. An answer that is no
// JSON object is none with an error.
func (f *Function) judge(status int, answer []byte) error {
	var said struct {
		Code string `json:"error_code"`
		Msg  string `json:"error_msg"`
	}
	_ = json.Unmarshal(answer, &said)
	if status == http.StatusOK && said.Code == "" && said.Msg == "" {
		return nil
	}
	code := CodeFailed
	switch {
	case status == http.StatusConflict:
		code = rotate.CodeNotApplied
	case codeForm.MatchString(said.Code):
		code = rotate.Code(said.Code)
	}
	text := shown(said.Msg)
	if text == "" {
		text = fmt.Sprintf("The function at %s answers %d.", f.host, status)
	}
	return rotate.Failf(code, "%s", text)
}

// shown returns what may be shown of a text: one line of at most maxText characters.
func shown(text string) string {
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "?"))
	for utf8.RuneCountInString(text) > maxText {
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	return strings.TrimSpace(text)
}
