package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// checkCredentials sends the first request that says who calls.
func (d *doctor) checkCredentials(ctx context.Context) finding {
	cl, err := d.cli.client()
	if err != nil {
		return refused(err)
	}
	// In no project: one that is out of reach is for the next check to tell.
	if d.projects, err = reachable(ctx, cl.WithProject("")); err != nil {
		return refused(err)
	}
	d.client = cl
	if d.getenv("COFFER_TOKEN") != "" {
		return finding{Result: passed, Detail: "the token of COFFER_TOKEN is accepted"}
	}
	access, _ := d.accessKey()
	return finding{Result: passed, Detail: "the signature of access key " + access + " is accepted"}
}

// checkHost signs the Host header, which the Python, Java and Node SDKs do and the
// Go SDK does not: if only that is refused, it changes on its way.
func (d *doctor) checkHost(ctx context.Context) finding {
	if d.getenv("COFFER_TOKEN") != "" {
		return finding{Result: notChecked, Detail: "a token does not sign; set COFFER_ACCESS_KEY to check it"}
	}
	config := d.server()
	config.SignHost, config.ProjectID = true, ""
	config.AccessKey, config.SecretKey = d.accessKey()
	config.SecurityToken = d.getenv("COFFER_SECURITY_TOKEN")
	cl, err := d.connect(config)
	if err == nil {
		_, err = reachable(ctx, cl)
	}
	if err != nil {
		return finding{
			Result: failed, Detail: "a signature that covers the Host header is refused: " + err.Error(),
			Advice: "a proxy before the server rewrites Host; have it pass Host on as it comes, with the port (nginx: proxy_set_header Host $http_host)",
		}
	}
	return finding{Result: passed, Detail: "reaches the server as it is sent"}
}

// checkProject asks whether the project is among those in reach.
func (d *doctor) checkProject(context.Context) finding {
	names := make([]string, 0, len(d.projects))
	for _, p := range d.projects {
		names = append(names, p.ID+" ("+p.Name+")")
	}
	reach := "these credentials reach " + strings.Join(names, ", ")
	id := d.client.ProjectID()
	if len(names) == 0 {
		return finding{Result: failed, Detail: "these credentials reach no project", Advice: "an administrator has to give their user a policy that covers one"}
	}
	if id == "" && len(d.projects) != 1 {
		return finding{Result: failed, Detail: "no project is named; " + reach, Advice: "name one with --project or COFFER_PROJECT_ID"}
	}
	for _, p := range d.projects {
		if id == "" || p.ID == id {
			d.client = d.client.WithProject(p.ID)
			return finding{Result: passed, Detail: p.ID + " (" + p.Name + ")"}
		}
	}
	return finding{Result: failed, Detail: "project " + id + " is out of reach; " + reach, Advice: "mend COFFER_PROJECT_ID or HUAWEICLOUD_SDK_PROJECT_ID"}
}

// checkRegion does what every SDK does that is not told its project: it looks for
// the one that has the name of the region.
func (d *doctor) checkRegion(ctx context.Context) finding {
	name := d.regionName()
	found, err := projectsNamed(ctx, d.client, name)
	switch {
	case err != nil:
		return refused(err)
	case len(found) != 1:
		return finding{
			Result: failed, Detail: fmt.Sprintf("%d projects are found for region %q", len(found), name),
			Advice: "the region of the server and its region_aliases are the names that work",
		}
	case found[0].ID != d.client.ProjectID():
		return finding{
			Result: warned, Detail: fmt.Sprintf("region %q leads to the project %s", name, found[0].ID),
			Advice: "a client that is not told its project works there",
		}
	default:
		return finding{Result: passed, Detail: fmt.Sprintf("%q leads to the project", name)}
	}
}

// regionName is the region that clients name.
func (d *doctor) regionName() string {
	if name := d.setting(d.region, "COFFER_REGION"); name != "" {
		return name
	}
	for _, p := range d.projects {
		if d.client != nil && p.ID == d.client.ProjectID() {
			return p.Name
		}
	}
	return ""
}

// checkSecrets lists one secret.
func (d *doctor) checkSecrets(ctx context.Context) finding {
	if _, err := d.client.Do(ctx, http.MethodGet, "/v1/{project_id}/secrets?limit=1", nil, nil); err != nil {
		return refused(err)
	}
	return finding{Result: passed, Detail: "may be listed"}
}
