package identity

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"coffer/internal/iam"
	"coffer/internal/store"
)

// Links are the links of a list. There is always one page.
type Links struct {
	Self     string  `json:"self"`
	Next     *string `json:"next"`
	Previous *string `json:"previous"`
}

// SelfLink is the link of an item.
type SelfLink struct {
	Self string `json:"self"`
}

// ProjectInfo is a project on the wire.
type ProjectInfo struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	DomainID    string   `json:"domain_id"`
	ParentID    string   `json:"parent_id"`
	Enabled     bool     `json:"enabled"`
	IsDomain    bool     `json:"is_domain"`
	Description string   `json:"description"`
	Links       SelfLink `json:"links"`
}

// ProjectList is a list of projects on the wire.
type ProjectList struct {
	Projects []ProjectInfo `json:"projects"`
	Links    Links         `json:"links"`
}

// ProjectAnswer is one project on the wire.
type ProjectAnswer struct {
	Project ProjectInfo `json:"project"`
}

// ProjectFilter chooses projects; an empty member does not.
type ProjectFilter struct {
	Name     string
	DomainID string
}

// ListProjects lists the projects of the caller's domain. Asked for a name, it
// answers with at most one: the project of that name, or the default project if the
// name stands for the region, which then bears the name that was asked for (SDKs
// need exactly one, and Terraform compares the name). An unknown name gives an empty
// list and no error (T7).
func (s *Service) ListProjects(ctx context.Context, c *iam.Caller, f ProjectFilter, baseURL string) (ProjectList, error) {
	out := ProjectList{Projects: []ProjectInfo{}, Links: Links{Self: baseURL + "/v3/projects"}}
	if err := s.authorize(c, iam.KeystoneListProjects, ""); err != nil {
		return ProjectList{}, err
	}
	if f.DomainID != "" && f.DomainID != c.DomainID {
		return out, nil
	}
	if f.Name == "" {
		var err error
		out.Projects, err = s.projects(ctx, c, baseURL, func(*store.Project) bool { return true })
		return out, err
	}
	p, err := s.projectByName(c.DomainID, f.Name, func(domain, name string) (*store.Project, error) {
		return s.store.ProjectByName(ctx, domain, name)
	})
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return ProjectList{}, err
	}
	found := projectInfo(p, baseURL)
	found.Name = f.Name
	out.Projects = append(out.Projects, found)
	return out, nil
}

// AuthProjects lists the projects that a credential of the caller can act in: every
// enabled one of his domain. Whether he has rights in each is not asked, because a list
// that is too short breaks clients and one that is too long gives nothing. An unscoped
// token is answered too; that is what the call is for.
func (s *Service) AuthProjects(ctx context.Context, c *iam.Caller, baseURL string) (ProjectList, error) {
	found, err := s.projects(ctx, c, baseURL, func(p *store.Project) bool { return p.Enabled })
	return ProjectList{Projects: found, Links: Links{Self: baseURL + "/v3/auth/projects"}}, err
}

// UserProjects lists the projects that a user can act in: the caller himself, or
// another one of his domain if he may see users.
func (s *Service) UserProjects(ctx context.Context, c *iam.Caller, userID, baseURL string) (ProjectList, error) {
	if _, err := s.visibleUser(ctx, c, userID); err != nil {
		return ProjectList{}, err
	}
	found, err := s.projects(ctx, c, baseURL, func(p *store.Project) bool { return p.Enabled })
	return ProjectList{Projects: found, Links: Links{Self: baseURL + "/v3/users/" + userID + "/projects"}}, err
}

func (s *Service) projects(ctx context.Context, c *iam.Caller, baseURL string, keep func(*store.Project) bool) ([]ProjectInfo, error) {
	records, err := collect(ctx, s.store, func(v *store.View) iter.Seq2[*store.Project, error] { return v.Projects(c.DomainID) }, keep)
	out := make([]ProjectInfo, 0, len(records))
	for _, p := range records {
		out = append(out, projectInfo(p, baseURL))
	}
	return out, err
}

// ShowProject returns a project of the caller's domain, or IAM.0004.
func (s *Service) ShowProject(ctx context.Context, c *iam.Caller, id, baseURL string) (ProjectAnswer, error) {
	if err := s.authorize(c, iam.KeystoneListProjects, ""); err != nil {
		return ProjectAnswer{}, err
	}
	p, err := ownProject(c, id, func(id string) (*store.Project, error) { return s.store.Project(ctx, id) })
	if err != nil {
		return ProjectAnswer{}, err
	}
	return ProjectAnswer{projectInfo(p, baseURL)}, nil
}

func projectInfo(p *store.Project, baseURL string) ProjectInfo {
	return ProjectInfo{
		ID: p.ID, Name: p.Name, DomainID: p.DomainID, ParentID: p.ParentID, Enabled: p.Enabled,
		Description: p.Description, Links: SelfLink{baseURL + "/v3/projects/" + p.ID},
	}
}

// projectByName returns the project of that name; for another name of the region it
// is the default project. A project that has the name comes first.
func (s *Service) projectByName(domain, name string, get func(domain, name string) (*store.Project, error)) (*store.Project, error) {
	p, err := get(domain, name)
	if !errors.Is(err, store.ErrNotFound) || !s.standsForRegion(name) {
		return p, err
	}
	return get(domain, s.o.Region)
}

func (s *Service) standsForRegion(name string) bool {
	return slices.Contains(s.o.RegionAliases, name) || s.o.AnyRegion && looksLikeRegion(name)
}

// looksLikeRegion reports whether a name has the form of region names, in the cloud
// and in private ones: lower-case words and at last a number, such as cn-north-4 and
// self-1.
func looksLikeRegion(name string) bool {
	const letters, digits = "abcdefghijklmnopqrstuvwxyz", "0123456789"
	words := strings.Split(name, "-")
	number := words[len(words)-1]
	if len(words) < 2 || len(name) > 64 || len(number) > 3 || number == "" || strings.Trim(number, digits) != "" {
		return false
	}
	for _, word := range words {
		if word == "" || strings.Trim(word, letters+digits) != "" {
			return false
		}
	}
	return strings.IndexByte(letters, name[0]) >= 0
}

// NewProject is the request of CreateProject.
type NewProject struct {
	Name        string `json:"name"`
	DomainID    string `json:"domain_id"` // that of the caller if empty
	ParentID    string `json:"parent_id"` // the domain if empty
	Description string `json:"description"`
}

// CreateProject makes a project in the caller's domain. SDKs ask for it as a last
// resort when they find no project for their region, so the refusal of others than
// administrators names the regions that would have been found.
func (s *Service) CreateProject(ctx context.Context, c *iam.Caller, n NewProject, baseURL string) (ProjectAnswer, error) {
	if err := s.authorize(c, iam.KeystoneCreateProject, ""); err != nil {
		return ProjectAnswer{}, forbiddenf("Only an administrator makes projects. Regions that have one: %s.", strings.Join(s.regions(), ", "))
	}
	if err := s.checkNewProject(c, n); err != nil {
		return ProjectAnswer{}, err
	}
	id, err := s.newID()
	if err != nil {
		return ProjectAnswer{}, err
	}
	p := &store.Project{
		ID: id, DomainID: c.DomainID, ParentID: n.ParentID, Name: n.Name, Description: n.Description,
		Enabled: true, CreateTime: s.o.Now(),
	}
	if p.ParentID == "" {
		p.ParentID = c.DomainID
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		if p.ParentID != c.DomainID {
			if _, err := ownProject(c, p.ParentID, tx.Project); err != nil {
				return err
			}
		}
		return tx.PutProject(p)
	})
	if err := projectTaken(err, n.Name); err != nil {
		return ProjectAnswer{}, err
	}
	return ProjectAnswer{projectInfo(p, baseURL)}, nil
}

func (s *Service) checkNewProject(c *iam.Caller, n NewProject) error {
	if err := checkDomain(c, n.DomainID); err != nil {
		return err
	}
	if err := s.checkProjectName(n.Name); err != nil {
		return err
	}
	return checkDescription(n.Description)
}

func (s *Service) checkProjectName(name string) error {
	if slices.Contains(s.o.RegionAliases, name) {
		return conflictf("%s is another name of the region %s, whose project exists.", name, s.o.Region)
	}
	return checkName("name", name)
}

// projectTaken turns ErrTaken into IAM.0009 for a project of that name.
func projectTaken(err error, name string) error {
	if errors.Is(err, store.ErrTaken) {
		return conflictf("A project called %s exists.", name)
	}
	return err
}

// ProjectPatch is the request of UpdateProject; nil leaves a member as it is.
type ProjectPatch struct {
	Name        *string `json:"name"`
	Description *string `json:"description"`
}

// UpdateProject changes name and description of a project of the caller's domain. The
// project of the region keeps its name: clients look it up by that.
func (s *Service) UpdateProject(ctx context.Context, c *iam.Caller, id string, p ProjectPatch, baseURL string) (ProjectAnswer, error) {
	if err := s.authorize(c, iam.KeystoneUpdateProject, ""); err != nil {
		return ProjectAnswer{}, err
	}
	if p.Name != nil {
		if err := s.checkProjectName(*p.Name); err != nil {
			return ProjectAnswer{}, err
		}
	}
	if p.Description != nil {
		if err := checkDescription(*p.Description); err != nil {
			return ProjectAnswer{}, err
		}
	}
	var out ProjectAnswer
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		record, err := ownProject(c, id, tx.Project)
		if err != nil {
			return err
		}
		if record.Name == s.o.Region && p.Name != nil && *p.Name != record.Name {
			return forbiddenf("The project of the region %s keeps its name.", s.o.Region)
		}
		set(&record.Name, p.Name)
		set(&record.Description, p.Description)
		out = ProjectAnswer{projectInfo(record, baseURL)}
		return tx.PutProject(record)
	})
	if p.Name != nil {
		err = projectTaken(err, *p.Name)
	}
	return out, err
}

// regions are the names under which a look-up finds the default project.
func (s *Service) regions() []string { return append([]string{s.o.Region}, s.o.RegionAliases...) }
