package keystone

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// ownToken is the token of the service user.
type ownToken struct {
	mu    sync.Mutex
	token string
}

func (o *ownToken) get() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.token
}

func (o *ownToken) set(token string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.token = token
}

// renew returns another token of the service user than the one that was refused. Of
// many who ask at once one logs in.
func (c *Client) renew(ctx context.Context, refused string) (string, error) {
	token, err, _ := c.asking.Do("", func() (any, error) {
		if own := c.own.get(); own != refused {
			return own, nil
		}
		token, err := c.logIn(ctx)
		if err == nil {
			c.own.set(token)
		}
		return token, err
	})
	return token.(string), err
}

// logIn gets a token of the service user.
func (c *Client) logIn(ctx context.Context) (string, error) {
	body, err := c.o.User.request()
	if err != nil {
		return "", err
	}
	defer clear(body)
	r, err := http.NewRequest(http.MethodPost, c.o.URL+"/auth/tokens?nocatalog", bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("asking %s: %w", c.o.URL, err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.o.Client.Send(ctx, r)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	token := answer.Header.Get("X-Subject-Token")
	if answer.Status != http.StatusCreated || token == "" {
		return "", fmt.Errorf("%w: status %d for the login of the service user %q", ErrUnavailable, answer.Status, c.o.User.Name)
	}
	return token, nil
}

// request is the body of the login. Its project is named with its domain, which a
// stock Keystone asks for.
func (u *User) request() ([]byte, error) {
	type named struct {
		Name     string `json:"name"`
		Domain   any    `json:"domain,omitempty"`
		Password string `json:"password,omitempty"`
	}
	in := map[string]any{"auth": map[string]any{
		"identity": map[string]any{
			"methods":  []string{"password"},
			"password": map[string]any{"user": named{Name: u.Name, Domain: named{Name: u.Domain}, Password: string(u.Password)}},
		},
		"scope": map[string]any{"project": named{Name: u.Project, Domain: named{Name: u.ProjectDomain}}},
	}}
	return json.Marshal(in)
}

// parseToken reads the description of a token.
func parseToken(body []byte) (*Token, error) {
	type ref struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	var in struct {
		Token struct {
			ExpiresAt time.Time `json:"expires_at"`
			User      struct {
				ref
				Domain ref `json:"domain"`
			} `json:"user"`
			Project ref   `json:"project"`
			Roles   []ref `json:"roles"`
		} `json:"token"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, errors.New("the description of the token is not the JSON of Keystone")
	}
	t := &Token{
		UserID: in.Token.User.ID, UserName: in.Token.User.Name, DomainID: in.Token.User.Domain.ID,
		ProjectID: in.Token.Project.ID, ExpiresAt: in.Token.ExpiresAt,
	}
	if t.UserID == "" || t.ExpiresAt.IsZero() {
		return nil, errors.New("the description of the token lacks its user or its end")
	}
	for _, r := range in.Token.Roles {
		t.Roles = append(t.Roles, r.Name)
	}
	return t, nil
}
