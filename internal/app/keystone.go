package app

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"coffer/internal/auth"
	"coffer/internal/auth/keystone"
	"coffer/internal/iam"
	"coffer/internal/outgoing"
)

// KeystoneConfig names a Keystone whose tokens count (auth.md section 10).
type KeystoneConfig struct {
	URL           string `yaml:"url" doc:"URL of its API, with /v3 at the end, such as https://keystone.example.org:5000/v3."`
	User          string `yaml:"user" doc:"Service user whose token validates others; he needs the role admin or service there. When empty each token is validated by itself."`
	UserDomain    string `yaml:"user_domain" doc:"Name of his domain."`
	Project       string `yaml:"project" doc:"Name of the project that he logs in to."`
	ProjectDomain string `yaml:"project_domain" doc:"Name of the domain of that project."`
	PasswordFile  string `yaml:"password_file" doc:"File, mode 0600, with his password."`
	PasswordEnv   string `yaml:"password_env" doc:"Name of an environment variable with his password, instead of a file."`
	CAFile        string `yaml:"ca_file" doc:"PEM file with the CA of Keystone, instead of those of the system."`

	Projects []KeystoneProject `yaml:"projects" doc:"Which project of Coffer a project of Keystone is. One that is not listed has the same id on both sides."`
	Roles    []KeystoneRole    `yaml:"roles" doc:"What roles of Keystone grant in the project of a token. When empty: admin Tenant Administrator, member CSMS FullAccess, reader CSMS ReadOnlyAccess."`
}

// KeystoneProject maps one project.
type KeystoneProject struct {
	KeystoneID string `yaml:"keystone_id" doc:"Id of the project in Keystone."`
	ProjectID  string `yaml:"project_id" doc:"Id of the project in Coffer."`
}

// KeystoneRole maps one role.
type KeystoneRole struct {
	Role   string `yaml:"role" doc:"Name of the role in Keystone."`
	Policy string `yaml:"policy" doc:"Built-in policy, such as CSMS FullAccess."`
}

// defaultKeystoneRoles are those of auth.md section 10.
var defaultKeystoneRoles = []KeystoneRole{
	{"admin", "Tenant Administrator"}, {"member", "CSMS FullAccess"}, {"reader", "CSMS ReadOnlyAccess"},
}

// check reports what cannot work, naming its key.
func (c *KeystoneConfig) check() error {
	if c.URL == "" {
		return nil
	}
	var errs []error
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || !strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/v3") {
		errs = append(errs, fmt.Errorf("keystone.url is %q; it takes a URL that ends in /v3, such as https://keystone.example.org:5000/v3", c.URL))
	}
	secrets := 0
	for _, name := range []string{c.PasswordFile, c.PasswordEnv} {
		if name != "" {
			secrets++
		}
	}
	if c.User != "" && secrets != 1 || c.User == "" && secrets != 0 {
		errs = append(errs, errors.New("keystone.user goes with one of keystone.password_file and keystone.password_env"))
	}
	if c.User != "" && c.Project == "" {
		errs = append(errs, errors.New("keystone.project is empty; name the project that keystone.user logs in to"))
	}
	for i, p := range c.Projects {
		if p.KeystoneID == "" || p.ProjectID == "" {
			errs = append(errs, fmt.Errorf("keystone.projects[%d]: keystone_id and project_id must both be given", i))
		}
	}
	_, err = c.policies()
	return errors.Join(append(errs, err)...)
}

// policies returns what each role grants.
func (c *KeystoneConfig) policies() (map[string]*iam.Policy, error) {
	roles := c.Roles
	if len(roles) == 0 {
		roles = defaultKeystoneRoles
	}
	policies := map[string]*iam.Policy{}
	for i, r := range roles {
		policy, ok := iam.BuiltinPolicy(r.Policy)
		if !ok || r.Role == "" {
			return nil, fmt.Errorf("keystone.roles[%d]: role %q gets policy %q; it takes a name, and a built-in policy such as CSMS FullAccess", i, r.Role, r.Policy)
		}
		policies[r.Role] = policy
	}
	return policies, nil
}

// openKeystone returns whose tokens count beside our own.
func (s *Server) openKeystone() (auth.Keystone, error) {
	c := &s.config.Keystone
	if c.URL == "" {
		return auth.Keystone{}, nil
	}
	allow, err := parseNetworks("outgoing.allow_networks", s.config.Outgoing.AllowNetworks)
	if err != nil {
		return auth.Keystone{}, err
	}
	roots, err := readRoots(c.CAFile)
	if err != nil {
		return auth.Keystone{}, fmt.Errorf("keystone: %w", err)
	}
	user := keystone.User{Name: c.User, Domain: orDefault(c.UserDomain), Project: c.Project, ProjectDomain: orDefault(c.ProjectDomain)}
	if c.User != "" {
		if user.Password, err = readSecret("the password of keystone.user", c.PasswordFile, c.PasswordEnv); err != nil {
			return auth.Keystone{}, fmt.Errorf("keystone: %w", err)
		}
	}
	policies, err := c.policies()
	if err != nil {
		return auth.Keystone{}, err
	}
	projects := map[string]string{}
	for _, p := range c.Projects {
		projects[p.KeystoneID] = p.ProjectID
	}
	return auth.Keystone{
		Tokens: keystone.New(keystone.Options{
			URL: c.URL, User: user, Client: outgoing.New(outgoing.Options{Allow: allow, Roots: roots}), Now: time.Now,
		}),
		Projects: projects, Roles: policies,
	}, nil
}

// orDefault names the domain that Keystone makes at its set-up.
func orDefault(domain string) string {
	if domain == "" {
		return "Default"
	}
	return domain
}
