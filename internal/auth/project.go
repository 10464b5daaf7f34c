package auth

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// EnterProject lets the caller into the project of the path (auth.md section 6). A
// project that does not exist, is disabled, belongs to another domain, or is not
// the one his credential or X-Project-Id is bound to, is CSMS.0302 with one text
// (N7, N8). A token of the whole domain, or of no scope, enters no project.
//
// On a path without a project, "", he acts in the project he is bound to, else in
// the default project of his domain, the one that is named like the region. If that
// does not exist he has none.
func (a *Authenticator) EnterProject(ctx context.Context, c *iam.Caller, projectID string) error {
	if projectID == "{project_id}" { // N13; the edge catches it earlier as a rule
		return csms.Errorf(csms.CodeBadRequest, "API request error: project id missing in client configuration.")
	}
	if projectID == "" {
		return a.enterDefault(ctx, c)
	}
	if c.ProjectID == "" && c.AccessKey == "" {
		return outOfReach("project")
	}
	return a.enter(ctx, c, projectID)
}

// enter lets the caller into a project, unless he is bound to another one.
func (a *Authenticator) enter(ctx context.Context, c *iam.Caller, projectID string) error {
	if c.ProjectID != "" && c.ProjectID != projectID {
		return outOfReach("project")
	}
	p, err := a.store.Project(ctx, projectID)
	if errors.Is(err, store.ErrNotFound) {
		return outOfReach("project")
	}
	if err != nil {
		return err
	}
	if p.DomainID != c.DomainID || !p.Enabled {
		return outOfReach("project")
	}
	c.ProjectID, c.ProjectName = p.ID, p.Name
	return nil
}

func (a *Authenticator) enterDefault(ctx context.Context, c *iam.Caller) error {
	if c.ProjectID != "" {
		return a.enter(ctx, c, c.ProjectID)
	}
	p, err := a.store.ProjectByName(ctx, c.DomainID, a.o.Region)
	if errors.Is(err, store.ErrNotFound) || err == nil && !p.Enabled {
		return nil
	}
	if err != nil {
		return err
	}
	c.ProjectID, c.ProjectName = p.ID, p.Name
	return nil
}

func outOfReach(what string) error {
	return csms.Errorf(csms.CodeForbidden, "The %s of the request does not exist or is out of reach for the caller.", what)
}
