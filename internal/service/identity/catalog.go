package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"coffer/internal/iam"
)

// CatalogService is a service with its endpoints, in a token and in the catalog.
type CatalogService struct {
	ID        string            `json:"id"`
	Type      string            `json:"type"`
	Name      string            `json:"name"`
	Endpoints []CatalogEndpoint `json:"endpoints"`
}

// CatalogEndpoint is where a service is, for the scope of the caller.
type CatalogEndpoint struct {
	ID        string `json:"id"`
	Interface string `json:"interface"`
	Region    string `json:"region"`
	RegionID  string `json:"region_id"`
	URL       string `json:"url"`
}

// CatalogList is the catalog on the wire.
type CatalogList struct {
	Catalog []CatalogService `json:"catalog"`
	Links   Links            `json:"links"`
}

// DefaultServices are the types of service that every Coffer answers for.
func DefaultServices() []string { return []string{"iam", "identity", "kms", "csms", "eps"} }

// place is where a type of service lives. The paths of regional ones end in the
// project, so they exist in the catalog of a project only.
type place struct {
	kind     string
	path     string
	regional bool
}

// places holds every type that can be offered. The entry kms answers for CSMS too:
// clients find it under the address of KMS.
var places = []place{
	{"iam", "/v3", false},
	{"identity", "/v3", false},
	{"kms", "/v1.0", true},
	{"csms", "/v1", true},
	{"eps", "/v1.0", false},
	{"sts", "/v5", false},
	{"smn", "/v2", true},
	{"functiongraph", "/v2", true},
}

// offered returns the places of the services that this server has.
func (s *Service) offered() []place {
	return slices.DeleteFunc(slices.Clone(places), func(p place) bool { return !slices.Contains(s.o.Services, p.kind) })
}

func (s *Service) catalog(baseURL, projectID string) []CatalogService {
	out := []CatalogService{}
	for _, p := range s.offered() {
		url := baseURL + p.path
		if p.regional {
			if projectID == "" {
				continue
			}
			url += "/" + projectID
		}
		out = append(out, CatalogService{ID: s.serviceID(p), Type: p.kind, Name: p.kind, Endpoints: []CatalogEndpoint{{
			ID: s.endpointID(p), Interface: "public", Region: s.o.Region, RegionID: s.o.Region, URL: url,
		}}})
	}
	return out
}

func (s *Service) serviceID(p place) string  { return s.stableID("service", p.kind) }
func (s *Service) endpointID(p place) string { return s.stableID("endpoint", p.kind) }

// stableID returns an id that is the same at every start and on every node.
func (s *Service) stableID(what, name string) string {
	sum := sha256.Sum256([]byte(what + "\x00" + s.o.Region + "\x00" + name))
	return hex.EncodeToString(sum[:16])
}

// Catalog returns the services for the scope of the caller.
func (s *Service) Catalog(c *iam.Caller, baseURL string) CatalogList {
	return CatalogList{Catalog: s.catalog(baseURL, c.ProjectID), Links: Links{Self: baseURL + "/v3/auth/catalog"}}
}

// ServiceInfo is a service on the wire.
type ServiceInfo struct {
	ID      string   `json:"id"`
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Enabled bool     `json:"enabled"`
	Links   SelfLink `json:"links"`
}

// ServiceList is a list of services on the wire.
type ServiceList struct {
	Services []ServiceInfo `json:"services"`
	Links    Links         `json:"links"`
}

// ServiceAnswer is one service on the wire.
type ServiceAnswer struct {
	Service ServiceInfo `json:"service"`
}

// Services lists the services of this server.
func (s *Service) Services(baseURL string) ServiceList {
	out := ServiceList{Services: []ServiceInfo{}, Links: Links{Self: baseURL + "/v3/services"}}
	for _, p := range s.offered() {
		id := s.serviceID(p)
		out.Services = append(out.Services, ServiceInfo{ID: id, Type: p.kind, Name: p.kind, Enabled: true, Links: SelfLink{baseURL + "/v3/services/" + id}})
	}
	return out
}

// ShowService returns one service, or IAM.0004.
func (s *Service) ShowService(id, baseURL string) (ServiceAnswer, error) {
	for _, info := range s.Services(baseURL).Services {
		if info.ID == id {
			return ServiceAnswer{info}, nil
		}
	}
	return ServiceAnswer{}, notFound("service", id)
}

// EndpointInfo is an endpoint on the wire.
type EndpointInfo struct {
	ID        string   `json:"id"`
	ServiceID string   `json:"service_id"`
	Region    string   `json:"region"`
	RegionID  string   `json:"region_id"`
	Interface string   `json:"interface"`
	URL       string   `json:"url"`
	Enabled   bool     `json:"enabled"`
	Links     SelfLink `json:"links"`
}

// EndpointList is a list of endpoints on the wire.
type EndpointList struct {
	Endpoints []EndpointInfo `json:"endpoints"`
	Links     Links          `json:"links"`
}

// EndpointAnswer is one endpoint on the wire.
type EndpointAnswer struct {
	Endpoint EndpointInfo `json:"endpoint"`
}

// Endpoints lists the endpoints of this server. The URL of a regional one holds the
// text $(tenant_id)s for the project, as Keystone has it.
func (s *Service) Endpoints(baseURL string) EndpointList {
	out := EndpointList{Endpoints: []EndpointInfo{}, Links: Links{Self: baseURL + "/v3/endpoints"}}
	for _, p := range s.offered() {
		e := EndpointInfo{
			ID: s.endpointID(p), ServiceID: s.serviceID(p), Region: s.o.Region, RegionID: s.o.Region,
			Interface: "public", URL: baseURL + p.path, Enabled: true,
		}
		if p.regional {
			e.URL += "/$(tenant_id)s"
		}
		e.Links.Self = baseURL + "/v3/endpoints/" + e.ID
		out.Endpoints = append(out.Endpoints, e)
	}
	return out
}

// ShowEndpoint returns one endpoint, or IAM.0004.
func (s *Service) ShowEndpoint(id, baseURL string) (EndpointAnswer, error) {
	for _, info := range s.Endpoints(baseURL).Endpoints {
		if info.ID == id {
			return EndpointAnswer{info}, nil
		}
	}
	return EndpointAnswer{}, notFound("endpoint", id)
}

// RegionInfo is a region on the wire. Locales hold its name in each language.
type RegionInfo struct {
	ID             string            `json:"id"`
	Type           string            `json:"type"`
	Description    string            `json:"description"`
	ParentRegionID *string           `json:"parent_region_id"`
	Links          SelfLink          `json:"links"`
	Locales        map[string]string `json:"locales"`
}

// RegionList is a list of regions on the wire.
type RegionList struct {
	Regions []RegionInfo `json:"regions"`
	Links   Links        `json:"links"`
}

// RegionAnswer is one region on the wire.
type RegionAnswer struct {
	Region RegionInfo `json:"region"`
}

// Regions lists the region of this server and its other names.
func (s *Service) Regions(baseURL string) RegionList {
	out := RegionList{Regions: []RegionInfo{}, Links: Links{Self: baseURL + "/v3/regions"}}
	for _, name := range s.regions() {
		out.Regions = append(out.Regions, regionInfo(name, baseURL))
	}
	return out
}

// ShowRegion returns one region, or IAM.0004.
func (s *Service) ShowRegion(id, baseURL string) (RegionAnswer, error) {
	if id != s.o.Region && !s.standsForRegion(id) {
		return RegionAnswer{}, notFound("region", id)
	}
	return RegionAnswer{regionInfo(id, baseURL)}, nil
}

func regionInfo(name, baseURL string) RegionInfo {
	return RegionInfo{
		ID: name, Type: "public", Links: SelfLink{baseURL + "/v3/regions/" + name},
		Locales: map[string]string{"zh-cn": name, "en-us": name},
	}
}

// DomainInfo is a domain on the wire.
type DomainInfo struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Enabled     bool     `json:"enabled"`
	Links       SelfLink `json:"links"`
}

// DomainList is a list of domains on the wire.
type DomainList struct {
	Domains []DomainInfo `json:"domains"`
	Links   Links        `json:"links"`
}

// AuthDomains lists the domains that a credential of the caller can act in: his own.
// The list is never empty, because the Go SDK would go on to STS.
func (s *Service) AuthDomains(c *iam.Caller, baseURL string) DomainList {
	return DomainList{
		Domains: []DomainInfo{{ID: c.DomainID, Name: c.DomainName, Enabled: true, Links: SelfLink{baseURL + "/v3/domains/" + c.DomainID}}},
		Links:   Links{Self: baseURL + "/v3/auth/domains"},
	}
}

// CallerIdentityAnswer is the answer of STS to who the caller is.
type CallerIdentityAnswer struct {
	AccountID    string `json:"account_id"`
	PrincipalID  string `json:"principal_id"`
	PrincipalURN string `json:"principal_urn"`
}

// CallerIdentity tells the caller who he is.
func (s *Service) CallerIdentity(c *iam.Caller) CallerIdentityAnswer {
	if as := c.Assumed; as != nil {
		return CallerIdentityAnswer{AccountID: c.DomainID, PrincipalID: c.PrincipalID, PrincipalURN: sessionURN(c.DomainID, as.AgencyName, as.Session)}
	}
	if c.TaskID != "" {
		return CallerIdentityAnswer{AccountID: c.DomainID, PrincipalID: c.PrincipalID, PrincipalURN: "csms::" + c.DomainID + ":rotation:" + c.TaskID}
	}
	return CallerIdentityAnswer{
		AccountID: c.DomainID, PrincipalID: c.PrincipalID, PrincipalURN: "iam::" + c.DomainID + ":user:" + c.UserName,
	}
}
