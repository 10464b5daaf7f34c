package wire

// EnterpriseProject is an enterprise project (neighbours.md 5).
type EnterpriseProject struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Status      int    `json:"status"` // 1 enabled, 2 disabled
	Type        string `json:"type"`
	CreatedAt   string `json:"created_at"`
	UpdatedAt   string `json:"updated_at"`
	DeleteFlag  bool   `json:"delete_flag"`
}

// EnterpriseProjectAnswer is {"enterprise_project": ...}.
type EnterpriseProjectAnswer struct {
	EnterpriseProject EnterpriseProject `json:"enterprise_project"`
}

// EnterpriseProjectList is the answer of ListEnterpriseProject.
type EnterpriseProjectList struct {
	EnterpriseProjects []EnterpriseProject `json:"enterprise_projects"`
	TotalCount         int                 `json:"total_count"`
}

// EnterpriseProjectRequest is the body that writes an enterprise project.
type EnterpriseProjectRequest struct {
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Type        string  `json:"type"`
}

// EnterpriseProjectAction is the body of enable and disable.
type EnterpriseProjectAction struct {
	Action string `json:"action"`
}

// MigrateResourceRequest is the body of MigrateResource. It may have a region_id too;
// there is one region.
type MigrateResourceRequest struct {
	ResourceID   string `json:"resource_id"`
	ResourceType string `json:"resource_type"`
	ProjectID    string `json:"project_id"`
}

// ResourceFilter is the body of ShowResourceBindEnterpriseProject.
type ResourceFilter struct {
	Projects      []string `json:"projects"`
	ResourceTypes []string `json:"resource_types"`
	Limit         *int     `json:"limit"`
	Offset        int      `json:"offset"`
}

// BoundResource is a resource in an enterprise project.
type BoundResource struct {
	ResourceID            string `json:"resource_id"`
	ResourceName          string `json:"resource_name"`
	ResourceType          string `json:"resource_type"`
	ProjectID             string `json:"project_id"`
	ProjectName           string `json:"project_name"`
	EnterpriseProjectID   string `json:"enterprise_project_id"`
	EnterpriseProjectName string `json:"enterprise_project_name"`
}

// BoundResources is the answer of ShowResourceBindEnterpriseProject. Errors is always
// empty: all resources stand in one place.
type BoundResources struct {
	Resources  []BoundResource `json:"resources"`
	Errors     []struct{}      `json:"errors"`
	TotalCount int             `json:"total_count"`
}
