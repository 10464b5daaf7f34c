package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"coffer/internal/auth/signature"
	"coffer/internal/csms"
	"coffer/internal/outgoing"
	"coffer/internal/rotate"
	"coffer/internal/rotate/account"
	"coffer/internal/rotate/huawei"
)

// CloudDatabaseConfig binds one instance of RDS or TaurusDB in the cloud to the secrets of
// one project.
type CloudDatabaseConfig struct {
	Engine       string   `yaml:"engine" doc:"huawei-rds or huawei-taurusdb. Secrets name it as rotation_func_urn: urn:fss:REGION:PROJECT:function:builtin:huawei-rds:latest."`
	ProjectID    string   `yaml:"project_id" doc:"Id of the project here whose secrets may name the instance."`
	InstanceID   string   `yaml:"instance_id" doc:"The InstanceId in their rotation_config: that of the instance in the cloud."`
	Accounts     []string `yaml:"accounts" doc:"Accounts that may be rotated, as secrets write them; \"*\" for every account."`
	URL          string   `yaml:"url" doc:"Endpoint, such as https://rds.cn-north-4.myhuaweicloud.com or https://gaussdb.cn-north-4.myhuaweicloud.com."`
	CloudProject string   `yaml:"cloud_project" doc:"Id of the project in the cloud."`
	AccessKey    string   `yaml:"access_key" doc:"Access key to sign with; its user needs rds:password:update or gaussdb:user:modify."`
	SecretFile   string   `yaml:"secret_file" doc:"File, mode 0600, with the secret key."`
	SecretEnv    string   `yaml:"secret_env" doc:"Name of an environment variable with it, instead of a file."`
	CAFile       string   `yaml:"ca_file" doc:"PEM file with the CA of the endpoint, instead of those of the system."`
}

// check reports the first thing that is wrong with c without opening anything.
func (c *CloudDatabaseConfig) check() error {
	if c.Engine != huawei.RDS && c.Engine != huawei.TaurusDB {
		return fmt.Errorf("engine is %q; it takes %s or %s", c.Engine, huawei.RDS, huawei.TaurusDB)
	}
	needs := []string{"engine", "project_id", "instance_id", "accounts", "url", "cloud_project", "access_key"}
	if err := checkKeys(keysSet(*c), needs, []string{"secret_file", "secret_env", "ca_file"}, c.Engine); err != nil {
		return err
	}
	if (c.SecretFile == "") == (c.SecretEnv == "") {
		return errors.New("give one of secret_file and secret_env")
	}
	return csms.CheckInstanceID("instance_id", c.InstanceID)
}

// checkCloudDatabases reports what is wrong with the databases of the cloud.
func (c *Config) checkCloudDatabases() error {
	var errs []error
	seen := map[cloudInstance]bool{}
	for i := range c.CloudDatabases {
		d := &c.CloudDatabases[i]
		if err := d.check(); err != nil {
			errs = append(errs, fmt.Errorf("cloud_databases[%d]: %w", i, err))
		}
		at := cloudInstance{d.ProjectID, d.InstanceID}
		if seen[at] {
			errs = append(errs, fmt.Errorf("cloud_databases[%d]: the instance %s is bound already", i, d.InstanceID))
		}
		seen[at] = true
	}
	return errors.Join(errs...)
}

// cloudInstance names an instance as secrets of a project do.
type cloudInstance struct{ project, instance string }

// cloudDatabase is an instance of the cloud.
type cloudDatabase struct {
	engine  string
	account *account.Account
	close   func()
}

// cloudDatabases are the instances of the configuration.
type cloudDatabases map[cloudInstance]cloudDatabase

func (s *Server) openCloudDatabases() (cloudDatabases, error) {
	opened := cloudDatabases{}
	for i := range s.config.CloudDatabases {
		c := &s.config.CloudDatabases[i]
		d, err := s.openCloudDatabase(c)
		if err != nil {
			opened.shut()
			return nil, fmt.Errorf("opening the cloud database %s: %w", c.InstanceID, err)
		}
		opened[cloudInstance{c.ProjectID, c.InstanceID}] = d
	}
	return opened, nil
}

func (s *Server) openCloudDatabase(c *CloudDatabaseConfig) (cloudDatabase, error) {
	client, err := s.huaweiClient(c.URL, c.CloudProject, cloudKey{c.AccessKey, c.SecretFile, c.SecretEnv, c.CAFile}, outgoing.Timeout)
	if err != nil {
		return cloudDatabase{}, err
	}
	engine, err := huawei.NewDatabase(client, c.Engine, c.InstanceID, time.After)
	if err != nil {
		return cloudDatabase{}, err
	}
	target := &csms.DatabaseTarget{ProjectID: c.ProjectID, InstanceID: c.InstanceID, Engine: csms.DatabaseEngine(c.Engine), Accounts: c.Accounts}
	return cloudDatabase{engine: c.Engine, account: account.New(engine, rand.Reader, target), close: engine.Close}, nil
}

// shut ends idle connections.
func (d cloudDatabases) shut() {
	for _, one := range d {
		one.close()
	}
}

// or returns the instance of a secret that names a service of the cloud as its built-in
// engine, and otherwise what other finds.
func (d cloudDatabases) or(other rotate.Engines) rotate.Engines {
	return func(ctx context.Context, r *rotate.Rotation) (rotate.Engine, error) {
		engine, builtin := builtinEngine(r.FuncURN)
		if !builtin || engine != huawei.RDS && engine != huawei.TaurusDB {
			return other(ctx, r)
		}
		bound, ok := d[cloudInstance{r.ProjectID, r.Instance.InstanceID}]
		if !ok || bound.engine != string(engine) {
			return nil, rotate.Finalf(rotate.CodeTargetNotFound, "No instance %s of %s is bound to this project; see cloud_databases in the configuration.", r.Instance.InstanceID, engine)
		}
		return bound.account, nil
	}
}

// cloudKey says where the key for a service of the cloud is.
type cloudKey struct{ accessKey, secretFile, secretEnv, caFile string }

// huaweiClient returns a client for a service in a project of the cloud.
func (s *Server) huaweiClient(url, project string, k cloudKey, timeout time.Duration) (*huawei.Client, error) {
	secret, err := readSecret("the secret key", k.secretFile, k.secretEnv)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	key, err := signature.NewKey(k.accessKey, secret)
	if err != nil {
		return nil, fmt.Errorf("access_key, or the secret key in secret_file or secret_env: %w", err)
	}
	client, err := s.outgoing(k.caFile, timeout)
	if err != nil {
		return nil, err
	}
	return huawei.NewClient(huawei.Options{Endpoint: url, Project: project, Key: key, Client: client, Now: time.Now})
}
