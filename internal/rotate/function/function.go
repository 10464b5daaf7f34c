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
	"time"

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

// Options of an engine. URL, Client and Now are required.
type Options struct {
	URL      string
	Secret   []byte           // to sign with, as webhook.ParseSecret returns it; empty for no signature
	Client   *outgoing.Client // with this package's Timeout
	Now      func() time.Time // wall time
	Endpoint string           // where the function reaches Coffer, such as https://coffer.example.org

	// Credential makes the key that the function is given for one call; nil for a function
	// that has a key of its own.
	Credential func(ctx context.Context, r *rotate.Rotation) (*Credential, error)
}

// Credential is a temporary key for the secret of one rotation.
type Credential struct {
	Access        string `json:"access"`
	Secret        string `json:"secret"`
	SecurityToken string `json:"securitytoken"`
	ExpiresAt     string `json:"expires_at"`
}

// Format keeps the key out of whatever prints it.
func (c Credential) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "temporary access key %s", c.Access) }

// texts are what of c is not shown.
func (c *Credential) texts() []string {
	if c == nil {
		return nil
	}
	return []string{c.Secret, c.SecurityToken}
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

	Credential *Credential `json:"credential,omitempty"`
}

// Request returns the body of the call for r (neighbours.md 3.3, version 1), which is the
// same for whatever brings it to a function. credential is nil for none.
func Request(r *rotate.Rotation, endpoint string, credential *Credential) ([]byte, error) {
	body, err := json.Marshal(request{
		Version: "1", TaskID: r.TaskID, Attempt: r.Attempt, OperateType: string(r.OperateType),
		Region: r.Region, DomainID: r.DomainID, ProjectID: r.ProjectID,
		SecretID: r.SecretID, SecretName: r.SecretName, SecretType: string(r.SecretType), RotationConfig: r.Config,
		Endpoint: endpoint, CurrentVersion: r.CurrentVersion, IdempotencyKey: r.IdempotencyKey(), Credential: credential,
	})
	if err != nil {
		return nil, fmt.Errorf("function: writing the request: %w", err)
	}
	return body, nil
}

// credential returns the key for one call, nil for none.
func (f *Function) credential(ctx context.Context, r *rotate.Rotation) (*Credential, error) {
	if f.o.Credential == nil {
		return nil, nil //nolint:nilnil // a function may have a key of its own
	}
	c, err := f.o.Credential(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("function: making the key: %w", err)
	}
	return c, nil
}

// Change calls the function and returns when it has answered. A function must take the
// same idempotency key twice: a call whose answer was lost comes again.
func (f *Function) Change(ctx context.Context, r *rotate.Rotation, _ *rotate.Values) error {
	key, err := f.credential(ctx, r)
	if err != nil {
		return err
	}
	body, err := Request(r, f.o.Endpoint, key)
	if err != nil {
		return err
	}
	defer clear(body)
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
	return f.judge(status, answer, key)
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

// judge returns nil for status 200 without an error in the answer.
func (f *Function) judge(status int, answer []byte, key *Credential) error {
	said := Read(answer, key)
	if status == http.StatusOK && !said.Failed {
		return nil
	}
	if status == http.StatusConflict {
		said.Code = rotate.CodeNotApplied
	}
	if said.Msg == "" {
		said.Msg = fmt.Sprintf("The function at %s answers %d.", f.host, status)
	}
	return rotate.Failf(said.Code, "%s", said.Msg)
}
