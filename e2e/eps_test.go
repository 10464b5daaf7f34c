package e2e

import (
	"net/http"
	"slices"
	"testing"

	eps "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/eps/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/eps/v1/model"
)

// enterpriseProject is a change of enterprise_project_id of a csms_secret and of a
// kms_key: the provider migrates, then asks page by page until it sees the resource.
func enterpriseProject(t *testing.T, p *provider) {
	made := p.call(t, "POST", "/v1.0/enterprise-projects", map[string]any{"name": "tf-shop", "description": "d", "type": "poc"}, 201)
	target := made["enterprise_project"].(map[string]any)["id"].(string)
	c := &secretConfig{Name: "tf_eps", Text: "x", Tags: map[string]string{}}
	resources := map[string]string{"csms": p.create(t, c), "kms": p.key(t, "terraform-eps")}
	for resourceType, id := range resources {
		for _, to := range []string{target, "0", target} {
			p.migrate(t, id, resourceType, to)
		}
	}
	secret := p.call(t, "GET", "/v1/{p}/secrets/tf_eps", nil, 200)["secret"].(map[string]any)
	if secret["enterprise_project_id"] != target {
		t.Errorf("the secret is in %v, want %s", secret["enterprise_project_id"], target)
	}
	key := p.call(t, "POST", "/v1.0/{p}/kms/describe-key", map[string]any{"key_id": resources["kms"]}, 200)["key_info"].(map[string]any)
	if key["sys_enterprise_project_id"] != target {
		t.Errorf("the key is in %v, want %s", key["sys_enterprise_project_id"], target)
	}
	c.KeyID = p.read(t, "tf_eps").KeyID // the default key, which the server chose
	plan(t, p, c)
	p.call(t, "DELETE", "/v1/{p}/secrets/tf_eps", nil, 200, 202, 204)
	p.call(t, "POST", "/v1.0/enterprise-projects/"+target+"/action", map[string]any{"action": "disable"}, 204)
	p.call(t, "POST", "/v1.0/enterprise-projects/"+target+"/resources-migrate", map[string]any{
		"resource_id": resources["kms"], "resource_type": "kms", "project_id": devProject,
	}, 409)
	p.call(t, "GET", "/v1.0/enterprise-projects/none", nil, 404)
}

func (p *provider) migrate(t *testing.T, id, resourceType, target string) {
	t.Helper()
	p.call(t, "POST", "/v1.0/enterprise-projects/"+target+"/resources-migrate", map[string]any{
		"resource_id": id, "resource_type": resourceType, "region_id": "cn-north-4", "project_id": devProject,
	}, 204)
	var found []string
	for offset := 0; ; {
		page := p.call(t, "POST", "/v1.0/enterprise-projects/"+target+"/resources/filter", map[string]any{
			"projects": []string{devProject}, "resource_types": []string{resourceType}, "limit": 1000, "offset": offset,
		}, 200)["resources"].([]any)
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			found = append(found, r.(map[string]any)["resource_id"].(string))
		}
		offset += len(page)
	}
	if !slices.Contains(found, id) {
		t.Errorf("%s %s is not in %s: %v", resourceType, id, target, found)
	}
}

// TestEnterpriseProjects leads an enterprise project through its life with the typed
// client of the SDK.
func TestEnterpriseProjects(t *testing.T) {
	for transport, args := range transports() {
		t.Run(transport, func(t *testing.T) {
			client := startDev(t, args...).enterpriseClient(t)
			made, err := client.CreateEnterpriseProject(&model.CreateEnterpriseProjectRequest{Body: &model.EnterpriseProject{Name: "shop"}})
			if err != nil {
				t.Fatal(err)
			}
			id := made.EnterpriseProject.Id
			changed, err := client.UpdateEnterpriseProject(&model.UpdateEnterpriseProjectRequest{
				EnterpriseProjectId: id, Body: &model.EnterpriseProject{Name: "shop2", Description: ptr("the shop")},
			})
			if err != nil || changed.EnterpriseProject.Description != "the shop" {
				t.Errorf("changed: %v %v", changed, err)
			}
			disable := &model.DisableEnterpriseProjectRequest{EnterpriseProjectId: id, Body: &model.DisableAction{Action: model.GetDisableActionActionEnum().DISABLE}}
			if _, err := client.DisableEnterpriseProject(disable); err != nil {
				t.Error(err)
			}
			shown, err := client.ShowEnterpriseProject(&model.ShowEnterpriseProjectRequest{EnterpriseProjectId: id})
			if err != nil || shown.EnterpriseProject.Name != "shop2" || shown.EnterpriseProject.Status != 2 {
				t.Errorf("shown: %v %v", shown, err)
			}
			listed, err := client.ListEnterpriseProject(&model.ListEnterpriseProjectRequest{})
			if err != nil || *listed.TotalCount != 2 || (*listed.EnterpriseProjects)[0].Id != "0" {
				t.Errorf("listed: %v %v", listed, err)
			}
			_, err = client.ShowEnterpriseProject(&model.ShowEnterpriseProjectRequest{EnterpriseProjectId: "none"})
			refused(t, err, http.StatusNotFound, "EPS.0004")
		})
	}
}

// enterpriseClient is the client of the enterprise projects, which are a global service.
func (s *server) enterpriseClient(t *testing.T) *eps.EpsClient {
	t.Helper()
	return eps.NewEpsClient(s.connect(t, eps.EpsClientBuilder().WithCredential(onDomain(t))))
}
