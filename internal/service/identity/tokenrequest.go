package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// KeystoneError is the answer of a token operation to what it refuses (auth.md 3.2,
// 3.3). It stands on the wire as the member "error" of an object. A 401 goes with a
// WWW-Authenticate header.
type KeystoneError struct {
	Code    int    `json:"code"` // also the HTTP status
	Message string `json:"message"`
	Title   string `json:"title"`
}

// Error returns status and message.
func (e *KeystoneError) Error() string { return fmt.Sprintf("keystone %d: %s", e.Code, e.Message) }

// Unauthorized is the one answer to every login that fails, whatever the cause: an
// unknown user or scope, a wrong password, a void token, a disabled method.
func Unauthorized() error {
	return &KeystoneError{Code: 401, Title: "Unauthorized", Message: "The request you have made requires authentication."}
}

func badRequest(format string, args ...any) error {
	return &KeystoneError{Code: 400, Title: "Bad Request", Message: fmt.Sprintf(format, args...)}
}

func forbiddenAction(action string) error {
	return &KeystoneError{Code: 403, Title: "Forbidden", Message: "You are not authorized to perform the requested action: " + action + "."}
}

func noSuchToken() error {
	return &KeystoneError{Code: 404, Title: "Not Found", Message: "Could not find token: it is unknown, expired or revoked."}
}

func tooManyTries() error {
	return &KeystoneError{Code: 429, Title: "Too Many Requests", Message: "Too many failed attempts. Try again later; a token is valid for hours and may be kept."}
}

// TokenRequest is the body of POST /v3/auth/tokens.
type TokenRequest struct {
	Auth *TokenAuth `json:"auth"`
}

// TokenAuth is a proof of identity and the scope that is asked for.
type TokenAuth struct {
	Identity *TokenIdentity `json:"identity"`
	Scope    Scope          `json:"scope"`
}

// TokenIdentity is a proof of identity by one method.
type TokenIdentity struct {
	Methods  []string        `json:"methods"`
	Password *PasswordMethod `json:"password"`
	Token    *TokenMethod    `json:"token"`

	AssumeRole *AssumeRole `json:"assume_role"`
}

// PasswordMethod names a user by id, or by name and domain.
type PasswordMethod struct {
	User *struct {
		ID       string     `json:"id"`
		Name     string     `json:"name"`
		Domain   *Ref       `json:"domain"`
		Password Credential `json:"password"`
	} `json:"user"`
}

// TokenMethod is a token that is exchanged for another scope.
type TokenMethod struct {
	ID Credential `json:"id"`
}

// Ref names a domain by id, else by name.
type Ref struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (r *Ref) empty() bool { return r == nil || r.ID == "" && r.Name == "" }

// Scope is what a token shall be valid for: a project, a domain, or nothing.
type Scope struct {
	Project *ScopeProject
	Domain  *Ref
}

// ScopeProject names a project by id, or by name, in a domain or, without one, in
// that of the user.
type ScopeProject struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain *Ref   `json:"domain"`
}

// errScope refuses a scope of a kind that there is not here.
var errScope = errors.New("scope")

// UnmarshalJSON reads a scope; null, {} and "unscoped" are none.
func (s *Scope) UnmarshalJSON(b []byte) error {
	*s = Scope{}
	if b = bytes.TrimSpace(b); string(b) == "null" || string(b) == `"unscoped"` {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return errScope
	}
	for name, value := range members {
		var err error
		switch name {
		case "project":
			err = json.Unmarshal(value, &s.Project)
		case "domain":
			err = json.Unmarshal(value, &s.Domain)
		default:
			err = errScope
		}
		if err != nil {
			return errScope
		}
	}
	return nil
}

// ParseTokenRequest reads and checks the body of POST /v3/auth/tokens. What is wrong
// with it is a KeystoneError of 400.
func ParseTokenRequest(body []byte) (TokenRequest, error) {
	var q TokenRequest
	err := json.Unmarshal(body, &q)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return TokenRequest{}, badRequest("%s has the wrong type.", wrong.Field)
	}
	if errors.Is(err, errScope) {
		return TokenRequest{}, badRequest("Expecting to find project or domain in scope.")
	}
	if err != nil {
		return TokenRequest{}, badRequest("Expecting to find valid JSON in the request body.")
	}
	err = q.check()
	return q, err
}

// check reports missing members in the order in which they are read.
func (q *TokenRequest) check() error {
	switch {
	case q.Auth == nil:
		return badRequest("Expecting to find auth in the request body.")
	case q.Auth.Identity == nil:
		return badRequest("Expecting to find identity in auth.")
	case len(q.Auth.Identity.Methods) == 0:
		return badRequest("Expecting to find methods in identity.")
	}
	if err := q.Auth.Identity.check(); err != nil {
		return err
	}
	return q.Auth.Scope.check()
}

// check asks for the members of the methods known here; others are refused later,
// as a login that fails.
func (i *TokenIdentity) check() error {
	for _, method := range i.Methods {
		if method == assumeMethod {
			if what := i.AssumeRole.missing(); what != "" {
				return badRequest("Expecting to find %s.", what)
			}
		}
		if method != "password" {
			continue
		}
		switch {
		case i.Password == nil:
			return badRequest("Expecting to find password in identity.")
		case i.Password.User == nil:
			return badRequest("Expecting to find user in password.")
		case i.Password.User.ID == "" && i.Password.User.Name == "":
			return badRequest("Expecting to find id or name in user.")
		case i.Password.User.ID == "" && i.Password.User.Domain.empty():
			return badRequest("Expecting to find domain in user.")
		case i.Password.User.Password == "":
			return badRequest("Expecting to find password in user.")
		}
	}
	return nil
}

func (s *Scope) check() error {
	switch {
	case s.Project != nil && s.Domain != nil:
		return badRequest("Expecting to find either project or domain in scope, not both.")
	case s.Project != nil && s.Project.ID == "" && s.Project.Name == "":
		return badRequest("Expecting to find id or name in project.")
	case s.Project != nil && s.Project.Domain != nil && s.Project.Domain.empty():
		return badRequest("Expecting to find id or name in domain.")
	case s.Domain != nil && s.Domain.empty():
		return badRequest("Expecting to find id or name in domain.")
	}
	return nil
}
