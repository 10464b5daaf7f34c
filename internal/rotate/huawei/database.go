package huawei

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"coffer/internal/outgoing"
	"coffer/internal/rotate/database"
)

// The names of the engines, as rotation_func_urn and the configuration have them.
const (
	RDS      = "huawei-rds"
	TaurusDB = "huawei-taurusdb"
)

// Times of a job of TaurusDB.
const (
	firstPoll = time.Second
	longPoll  = 10 * time.Second
	jobTime   = 5 * time.Minute
)

// Database changes passwords of accounts on an instance of the cloud. It is a
// database.Engine, but for one thing: nothing here can log in, so Verify sets the
// password once more.
type Database struct {
	c        *Client
	instance string
	taurus   bool

	after func(time.Duration) <-chan time.Time // of a timer
}

// NewDatabase returns the engine for an instance of RDS or TaurusDB. after waits between
// two looks at a job, as time.After does.
func NewDatabase(c *Client, engine, instance string, after func(time.Duration) <-chan time.Time) (*Database, error) {
	if engine != RDS && engine != TaurusDB {
		return nil, errors.New("huawei: the engine must be huawei-rds or huawei-taurusdb")
	}
	return &Database{c: c, instance: instance, taurus: engine == TaurusDB, after: after}, nil
}

// Policy is that of both services (neighbours.md 4.1).
func (d *Database) Policy() database.Policy {
	p := database.DefaultPolicy()
	p.MaxLength = 32
	return p
}

// Verify sets the password again: the service takes it for a success, and nothing else
// can be asked of it. Whoever lost the answer to a change hears this way that it is set.
func (d *Database) Verify(ctx context.Context, account string, password []byte) error {
	return d.Change(ctx, account, password)
}

// Inspect asks the service for the instance, with the credential of the configuration.
// What rights that has over accounts does not show.
func (d *Database) Inspect(ctx context.Context, _ string) error {
	answer, err := d.send(ctx, http.MethodGet, d.path("/instances?id="+url.QueryEscape(d.instance)), nil)
	if err != nil {
		return err
	}
	var seen struct {
		Instances []struct {
			ID string `json:"id"`
		} `json:"instances"`
	}
	_ = json.Unmarshal(answer, &seen)
	for _, one := range seen.Instances {
		if one.ID == d.instance {
			return nil
		}
	}
	return database.Errorf(database.Unreachable, "%s knows no instance %s", d.c.host, d.instance)
}

// Discard does nothing: one password is kept.
func (d *Database) Discard(context.Context, string) error { return nil }

// Close ends idle connections.
func (d *Database) Close() { d.c.Close() }

// Change sets the password. Setting the one that the account has is no error here.
func (d *Database) Change(ctx context.Context, account string, password []byte) error {
	if err := d.Policy().Check(password); err != nil {
		return err
	}
	if d.taurus {
		return d.changeTaurus(ctx, account, password)
	}
	path, in := "/db_user/resetpwd", map[string]any{"name": account, "password": string(password)}
	if account == "root" || account == "rdsuser" { // the administrators have a call of their own
		path, in = "/password", map[string]any{"db_user_pwd": string(password)}
	}
	_, err := d.send(ctx, http.MethodPost, d.path("/instances/"+url.PathEscape(d.instance)+path), in)
	return err
}

// changeTaurus sets the password by a job and waits for its end.
func (d *Database) changeTaurus(ctx context.Context, account string, password []byte) error {
	name, host := account, "%"
	if at := strings.LastIndexByte(account, '@'); at > 0 {
		name, host = account[:at], account[at+1:]
	}
	in := map[string]any{"users": []any{map[string]any{"name": name, "host": host, "password": string(password)}}}
	answer, err := d.send(ctx, http.MethodPut, d.path("/instances/"+url.PathEscape(d.instance)+"/db-users/password"), in)
	if err != nil {
		return err
	}
	var begun struct {
		JobID string `json:"job_id"`
	}
	if err := json.Unmarshal(answer, &begun); err != nil || begun.JobID == "" {
		return database.Errorf(database.Failed, "TaurusDB answers without the id of a job")
	}
	return d.wait(ctx, begun.JobID)
}

// wait looks at a job until it has ended, ever more rarely.
func (d *Database) wait(ctx context.Context, job string) error {
	for waited, pause := time.Duration(0), firstPoll; waited < jobTime; pause = min(2*pause, longPoll) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.after(pause):
			waited += pause
		}
		answer, err := d.send(ctx, http.MethodGet, d.path("/jobs?id="+url.QueryEscape(job)), nil)
		if err != nil {
			return err
		}
		var seen struct {
			Job struct {
				Status string `json:"status"`
			} `json:"job"`
		}
		_ = json.Unmarshal(answer, &seen)
		switch strings.ToLower(seen.Job.Status) {
		case "completed":
			return nil
		case "failed":
			return database.Errorf(database.Failed, "the job %.64q of TaurusDB has failed; the console tells why", job)
		}
	}
	return database.Errorf(database.Timeout, "the job %.64q of TaurusDB has not ended within %s", job, jobTime)
}

func (d *Database) path(below string) string { return "/v3/" + url.PathEscape(d.c.o.Project) + below }

// send makes a call, and returns the body of an answer that is a success.
func (d *Database) send(ctx context.Context, method, path string, in map[string]any) ([]byte, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, database.Errorf(database.Failed, "writing the request")
		}
		defer clear(body)
	}
	answer, err := d.c.call(ctx, method, path, nil, body)
	switch gone := ctx.Err(); {
	case err == nil:
		return answer.Body, d.refusal(answer)
	case gone != nil:
		return nil, database.Errorf(database.Timeout, "waiting for %s: %w", d.c.host, gone)
	case errors.Is(err, outgoing.ErrAddress):
		return nil, database.Errorf(database.Unreachable, "%s is in a range that must be allowed first", d.c.host)
	}
	return nil, database.Errorf(database.Unreachable, "%s does not answer", d.c.host)
}

// causes are the causes of statuses; of all others it is Failed.
var causes = map[int]database.Code{
	http.StatusUnauthorized: database.AdminRefused, http.StatusForbidden: database.Permission, http.StatusNotFound: database.Unknown,
	http.StatusConflict: database.Unavailable, http.StatusTooManyRequests: database.Unavailable,
}

// refusal returns the failure that an answer tells; nil for a success.
func (d *Database) refusal(answer *outgoing.Answer) error {
	if answer.Status >= 200 && answer.Status < 300 {
		return nil
	}
	code, known := causes[answer.Status]
	switch {
	case answer.Status >= 500:
		code = database.Unavailable
	case !known:
		code = database.Failed
	}
	said := errorCode(answer.Body)
	if said == "" {
		said = "no code"
	}
	return database.Errorf(code, "%s answers %d (%s) about the instance %s", d.c.host, answer.Status, said, d.instance)
}
