package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"coffer/internal/client"
	"coffer/internal/wire"
)

const secretsPath = "/v1/{project_id}/secrets"

func secretPath(name string, more ...string) string {
	path := secretsPath + "/" + url.PathEscape(name)
	for _, part := range more {
		path += "/" + url.PathEscape(part)
	}
	return path
}

// isStatus reports whether err is an answer of the server with that status.
func isStatus(err error, status int) bool {
	e := (*client.Error)(nil)
	return errors.As(err, &e) && e.Status == status
}

// listSecrets returns the metadata of every secret of the project, by name.
func listSecrets(ctx context.Context, c *client.Client) (map[string]*secret, error) {
	all := map[string]*secret{}
	for marker := ""; ; {
		var page wire.SecretList
		if _, err := c.Do(ctx, http.MethodGet, secretsPath+"?limit=1000&marker="+url.QueryEscape(marker), nil, &page); err != nil {
			return nil, fmt.Errorf("listing secrets: %w", err)
		}
		for i := range page.Secrets {
			all[page.Secrets[i].Name] = told(&page.Secrets[i])
		}
		if marker = string(page.PageInfo.NextMarker); marker == "" {
			return all, nil
		}
	}
}

// observe reads everything that the API tells of a secret, nil for one that does not
// exist. It reads the values of the versions that wanted chooses; those of others,
// and of a secret that is scheduled for deletion, stay empty.
func observe(ctx context.Context, c *client.Client, name string, wanted func(number int) bool) (*secret, error) {
	var answer wire.SecretAnswer
	_, err := c.Do(ctx, http.MethodGet, secretPath(name), nil, &answer)
	if isStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("showing %s: %w", name, err)
	}
	s := told(&answer.Secret)
	if err := s.observeVersions(ctx, c); err != nil {
		return nil, err
	}
	if s.State == statePending {
		return s, nil
	}
	for i := range s.Versions {
		if v := &s.Versions[i]; wanted(v.Number) {
			if v.Value, err = readValue(ctx, c, name, versionID(v.Number)); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func (s *secret) observeVersions(ctx context.Context, c *client.Client) error {
	var list wire.VersionList
	if _, err := c.Do(ctx, http.MethodGet, secretPath(s.Name, "versions"), nil, &list); err != nil {
		return fmt.Errorf("listing the versions of %s: %w", s.Name, err)
	}
	s.Stages = map[string]stage{}
	for _, m := range list.VersionMetadatas {
		number, err := versionNumber(m.ID)
		if err != nil || m.SecretName != s.Name {
			return fmt.Errorf("the versions of %s hold %s of %s", s.Name, m.ID, m.SecretName)
		}
		s.Versions = append(s.Versions, version{Number: number, Create: int64(m.CreateTime), Expire: int64(m.ExpireTime)})
		for _, name := range m.VersionStages {
			if s.Stages[name], err = readStage(ctx, c, s.Name, name, m.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// readStage shows a label, which must sit where the list of versions has it.
func readStage(ctx context.Context, c *client.Client, name, label, at string) (stage, error) {
	var answer wire.StageAnswer
	if _, err := c.Do(ctx, http.MethodGet, secretPath(name, "stages", label), nil, &answer); err != nil {
		return stage{}, fmt.Errorf("showing the stage %s of %s: %w", label, name, err)
	}
	if answer.Stage.VersionID != at {
		return stage{}, fmt.Errorf("the stage %s of %s is on %s and listed on %s", label, name, answer.Stage.VersionID, at)
	}
	number, err := versionNumber(at)
	return stage{Version: number, Update: int64(answer.Stage.UpdateTime)}, err
}

// readValue shows a version with its value.
func readValue(ctx context.Context, c *client.Client, name, id string) (value, error) {
	var answer struct {
		Version struct {
			Metadata wire.VersionMetadata `json:"version_metadata"`
			String   *string              `json:"secret_string"`
			Binary   *string              `json:"secret_binary"`
		} `json:"version"`
	}
	if _, err := c.Do(ctx, http.MethodGet, secretPath(name, "versions", id), nil, &answer); err != nil {
		return value{}, fmt.Errorf("reading %s of %s: %w", id, name, err)
	}
	v := answer.Version
	switch {
	case v.String != nil && v.Binary == nil:
		return value{"secret_string", *v.String}, nil
	case v.Binary != nil && v.String == nil:
		return value{"secret_binary", *v.Binary}, nil
	default:
		return value{}, fmt.Errorf("%s of %s is answered with both kinds of values, or none", id, name)
	}
}

func versionID(number int) string { return "v" + strconv.Itoa(number) }

func versionNumber(id string) (int, error) {
	digits, ok := strings.CutPrefix(id, "v")
	if !ok {
		return 0, fmt.Errorf("%q is no version id", id)
	}
	return strconv.Atoi(digits)
}
