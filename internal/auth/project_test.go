package auth_test

import (
	"errors"
	"net/http"
	"testing"

	"coffer/internal/auth"
	"coffer/internal/csms"
	"coffer/internal/store"
)

// N7, N8 and auth.md section 6: everything out of reach has one answer.
func TestEnterProject_refuses_what_is_out_of_reach(t *testing.T) {
	f := newFixture(t, auth.Options{})
	const unknown = "c00000000000000000000000000000ff"
	signed := func(hint string) request {
		q := get()
		q.header = []string{"User-Agent", "x"}
		if hint != "" {
			q.header = append(q.header, "X-Project-Id", hint)
		}
		return q
	}
	token := withToken(f.token(owner, toProject(vectorP)))
	tests := map[string]struct {
		q    request
		path string
	}{
		"unknown":              {signed(""), unknown},
		"of another domain":    {signed(""), foreign},
		"disabled":             {signed(""), closed},
		"malformed":            {signed(""), "a\x00b"},
		"X-Project-Id differs": {signed(second), vectorP},
		"of another token":     {token, second},
	}
	texts := map[string]bool{}
	for name, tt := range tests {
		c, err := f.send(tt.q, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		before := c.ProjectID
		err = f.EnterProject(t.Context(), &c, tt.path)
		e := (*csms.Error)(nil)
		if !errors.As(err, &e) || e.Code != csms.CodeForbidden || c.ProjectID != before {
			t.Errorf("%s: got %v and project %q, want %s", name, err, c.ProjectID, csms.CodeForbidden)
			continue
		}
		texts[e.Msg] = true
	}
	if len(texts) != 1 {
		t.Errorf("the answers can be told apart: %v", texts)
	}
}

func TestEnterProject_lets_a_key_into_every_project_of_its_domain(t *testing.T) {
	f := newFixture(t, auth.Options{})
	for _, id := range []string{vectorP, second} {
		q := get()
		q.header = nil
		c, err := f.send(q, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.EnterProject(t.Context(), &c, id); err != nil || c.ProjectID != id {
			t.Errorf("got project %q and %v, want %s", c.ProjectID, err, id)
		}
	}
}

// Auth.md section 6, 2: token project, else X-Project-Id, else the default project.
func TestEnterProject_chooses_on_paths_without_a_project(t *testing.T) {
	f := newFixture(t, auth.Options{})
	signed := request{method: "GET", target: "/v1/csms/agencies", key: ownerKey}
	hinted := signed
	hinted.header = []string{"X-Project-Id", second}
	tests := map[string]struct {
		q    request
		want string
	}{
		"token project":  {withToken(f.token(owner, toProject(second))), second},
		"X-Project-Id":   {hinted, second},
		"default":        {signed, vectorP},
		"domain token":   {withToken(f.token(owner, toDomain)), vectorP},
		"unscoped token": {withToken(f.token(owner, unscoped)), vectorP},
		"token and header": {request{
			method: "GET", target: "/v1/csms/agencies",
			header: []string{"X-Auth-Token", f.token(owner, toProject(second)), "X-Project-Id", second},
		}, second},
	}
	for name, tt := range tests {
		c, err := f.send(tt.q, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := f.EnterProject(t.Context(), &c, ""); err != nil || c.ProjectID != tt.want {
			t.Errorf("%s: got project %q and %v, want %s", name, c.ProjectID, err, tt.want)
		}
	}
}

func TestEnterProject_goes_without_a_default_project(t *testing.T) {
	for _, region := range []string{"self-9", "self-1_c"} { // none of that name, and a disabled one
		f := newFixture(t, auth.Options{Region: region})
		c, err := f.send(request{method: "GET", target: "/v1/csms/agencies", key: ownerKey}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.EnterProject(t.Context(), &c, ""); err != nil || c.ProjectID != "" {
			t.Errorf("region %s: got project %q and %v, want none", region, c.ProjectID, err)
		}
	}
}

// A hint out of reach is refused on every path, because it would stand in the caller.
func TestAuthenticate_refuses_hints_out_of_reach(t *testing.T) {
	f := newFixture(t, auth.Options{})
	token := f.token(owner, toProject(vectorP))
	for name, header := range map[string][2]string{
		"foreign project": {"X-Project-Id", foreign}, "disabled project": {"X-Project-Id", closed}, "other domain": {"X-Domain-Id", away},
	} {
		for _, q := range []request{{method: "GET", target: "/v3/auth/domains", key: ownerKey}, withToken(token)} {
			// added after signing, as Terraform does
			_, err := f.send(q, func(r *http.Request) { r.Header.Set(header[0], header[1]) })
			if csms.CodeOf(err) != csms.CodeForbidden {
				t.Errorf("%s: got %v, want %s", name, err, csms.CodeForbidden)
			}
		}
	}
	_, err := f.send(withToken(token), func(r *http.Request) { r.Header.Set("X-Project-Id", second) })
	if csms.CodeOf(err) != csms.CodeForbidden {
		t.Errorf("X-Project-Id beside a token of another project: got %v, want %s", err, csms.CodeForbidden)
	}
	if _, err := f.send(withToken(token), func(r *http.Request) { r.Header.Set("X-Domain-Id", home) }); err != nil {
		t.Errorf("X-Domain-Id of the caller: %v", err)
	}
}

// N13: the literal of a client without a project id.
func TestEnterProject_names_the_unfilled_placeholder(t *testing.T) {
	f := newFixture(t, auth.Options{})
	c, err := f.send(get(), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = f.EnterProject(t.Context(), &c, "{project_id}")
	if csms.CodeOf(err) != csms.CodeBadRequest || err.Error() != "APIGW.0201: API request error: project id missing in client configuration." {
		t.Errorf("got %v", err)
	}
}

// A project that was disabled after the token was issued.
func TestEnterProject_follows_the_project(t *testing.T) {
	f := newFixture(t, auth.Options{})
	token := withToken(f.token(owner, toProject(second)))
	f.update(func(tx *store.Tx) error {
		p, err := tx.Project(second)
		if err != nil {
			return err
		}
		p.Enabled = false
		return tx.PutProject(p)
	})
	c, err := f.send(token, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.EnterProject(t.Context(), &c, second); csms.CodeOf(err) != csms.CodeForbidden {
		t.Errorf("got %v, want %s", err, csms.CodeForbidden)
	}
}
