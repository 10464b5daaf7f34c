package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"coffer/internal/csms"
	"coffer/internal/service/identity"
	"coffer/internal/store"
)

// TargetConfig declares one database target, as CreateDatabaseTarget would make it.
type TargetConfig struct {
	ProjectID   string   `yaml:"project_id" doc:"Project whose secrets it is for; empty for the project of the region."`
	InstanceID  string   `yaml:"instance_id" doc:"What secrets name as InstanceId in their rotation_config. It goes before a target of the API with the same one."`
	Engine      string   `yaml:"engine" doc:"mysql, mariadb, postgresql or sqlserver."`
	Host        string   `yaml:"host" doc:"Name or address of the server."`
	Port        int      `yaml:"port" doc:"Its port; 0 for the usual one of the engine."`
	Database    string   `yaml:"database" doc:"Database that logins name; empty for the usual one of the engine."`
	TLSMode     string   `yaml:"tls_mode" doc:"disable, require, verify-ca or verify-full, which an empty text means."`
	CAFile      string   `yaml:"ca_file" doc:"PEM file with the CAs of the server, instead of those of the system. It is read at the start."`
	AdminSecret string   `yaml:"admin_secret" doc:"Secret of the project with the credential of the administrator, as JSON with username and password."`
	Accounts    []string `yaml:"accounts" doc:"Accounts that may be rotated; an asterisk for every one."`
}

// target returns what c declares, without its CA and for the project that c names.
func (c *TargetConfig) target() csms.DatabaseTarget {
	engine := csms.DatabaseEngine(c.Engine)
	return csms.DatabaseTarget{
		ProjectID: c.ProjectID, InstanceID: c.InstanceID, Engine: engine, Host: c.Host, Port: cmp.Or(c.Port, engine.UsualPort()),
		Database: c.Database, TLSMode: cmp.Or(csms.TLSMode(c.TLSMode), csms.TLSVerifyFull), AdminSecret: c.AdminSecret, Accounts: c.Accounts,
	}
}

// checkTargets reports what is wrong with the declared targets without opening anything.
func (c *Config) checkTargets() error {
	var errs []error
	seen := map[[2]string]bool{}
	for i := range c.Targets {
		t := c.Targets[i].target()
		if err := t.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("database_targets[%d]: %s", i, wordsOf(err)))
		}
		if t.ProjectID != "" && !isRegion(t.ProjectID) { // the same alphabet
			errs = append(errs, fmt.Errorf("database_targets[%d]: project_id is %q; it takes the id of a project", i, t.ProjectID))
		}
		id := [2]string{t.ProjectID, t.InstanceID}
		if seen[id] {
			errs = append(errs, fmt.Errorf("database_targets[%d]: the instance_id %s is declared already", i, t.InstanceID))
		}
		seen[id] = true
	}
	return errors.Join(errs...)
}

// wordsOf returns what err says without the code of the API, which means nothing here.
func wordsOf(err error) string {
	if e := (*csms.Error)(nil); errors.As(err, &e) {
		return e.Msg
	}
	return err.Error()
}

// openTargets reads the CAs of the declared targets.
func (s *Server) openTargets() ([]csms.DatabaseTarget, error) {
	var targets []csms.DatabaseTarget
	for i := range s.config.Targets {
		c := &s.config.Targets[i]
		t := c.target()
		if c.CAFile != "" {
			pem, err := os.ReadFile(c.CAFile)
			if err != nil {
				return nil, fmt.Errorf("database_targets[%d]: ca_file: %w", i, err)
			}
			t.CA = string(pem)
			if err := t.Validate(); err != nil {
				return nil, fmt.Errorf("database_targets[%d]: ca_file is %s: %s", i, c.CAFile, wordsOf(err))
			}
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// targetsIn puts the declared targets into their projects, which must be there: a
// misspelt id would declare nothing. Only a first start goes on without, because it has
// credentials to show that nobody can see a second time.
func (s *Server) targetsIn(ctx context.Context, st *store.Store, first identity.Bootstrapped) ([]csms.DatabaseTarget, error) {
	var targets []csms.DatabaseTarget
	seen := map[[2]string]bool{}
	for i, t := range s.targets {
		t.ProjectID = cmp.Or(t.ProjectID, first.ProjectID)
		switch _, err := st.Project(ctx, t.ProjectID); {
		case errors.Is(err, store.ErrNotFound) && first.Created:
			s.log.WarnContext(ctx, "database target of an unknown project", slog.String("instance_id", t.InstanceID), slog.String("project_id", t.ProjectID))
		case errors.Is(err, store.ErrNotFound):
			return nil, &ConfigError{fmt.Errorf("database_targets[%d]: project_id is %q; there is no such project", i, t.ProjectID)}
		case err != nil:
			return nil, fmt.Errorf("looking up the project of a database target: %w", err)
		}
		id := [2]string{t.ProjectID, t.InstanceID}
		if seen[id] {
			return nil, &ConfigError{fmt.Errorf("database_targets[%d]: the instance_id %s is declared already", i, t.InstanceID)}
		}
		seen[id] = true
		targets = append(targets, t)
	}
	return targets, nil
}
