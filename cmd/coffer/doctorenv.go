package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"coffer/internal/client"
)

// checkEnvironment judges what official SDKs read from the environment.
func (d *doctor) checkEnvironment(ctx context.Context) []finding {
	findings := append([]finding{d.checkProxy()}, d.checkTrust(ctx)...)
	if region := d.regionName(); region != "" {
		e := environment{Region: region}
		findings = append(findings, d.checkEndpointOf("HUAWEICLOUD_SDK_REGION_CSMS_"+e.SDKRegion()))
	}
	if d.getenv("HUAWEICLOUD_SDK_IAM_ENDPOINT") != "" {
		findings = append(findings, d.checkEndpointOf("HUAWEICLOUD_SDK_IAM_ENDPOINT"))
	}
	for _, pair := range [][2]string{{"COFFER_ACCESS_KEY", "HUAWEICLOUD_SDK_AK"}, {"COFFER_ACCESS_KEY", "CLOUD_SDK_AK"}, {"COFFER_PROJECT_ID", "HUAWEICLOUD_SDK_PROJECT_ID"}} {
		ours, theirs := d.getenv(pair[0]), d.getenv(pair[1])
		if ours != "" && theirs != "" && ours != theirs {
			findings = append(findings, finding{
				Check: "environment", Result: warned, Detail: pair[1] + " differs from " + pair[0],
				Advice: "this command line and the SDKs act as different callers",
			})
		}
	}
	return findings
}

// checkEndpointOf asks whether a variable of the SDKs leads to the same server.
func (d *doctor) checkEndpointOf(variable string) finding {
	f := finding{Check: "environment", Result: passed, Detail: variable + " leads to this server"}
	value := d.getenv(variable)
	if value == "" {
		f.Result, f.Detail = warned, variable+" is not set: official SDKs call the cloud"
		f.Advice = `"coffer env --for go" prints it, for other languages as well`
		return f
	}
	for address := range strings.SplitSeq(value, ",") {
		if !sameServer(address, d.server()) {
			f.Result, f.Detail = failed, fmt.Sprintf("%s is %q, and this command line calls %s", variable, value, d.server().Endpoint)
			f.Advice = "write the URL of the server there"
		}
	}
	if f.Result == passed && variable == "HUAWEICLOUD_SDK_IAM_ENDPOINT" && strings.HasPrefix(value, "http://") {
		f.Result, f.Detail = warned, variable+" is an http URL, which the Go SDK cannot use"
		f.Advice = "programs in Go must be given the project, or the server be reached by https"
	}
	return f
}

// sameServer reports whether an address, with or without a scheme, is that of the
// server.
func sameServer(address string, config client.Config) bool {
	address = strings.TrimRight(strings.TrimSpace(address), "/")
	if !strings.Contains(address, "://") {
		address = "https://" + address // as the SDKs take it
	}
	ours, err := url.Parse(config.Endpoint)
	theirs, err2 := url.Parse(address)
	return err == nil && err2 == nil && ours.Scheme == theirs.Scheme && strings.EqualFold(ours.Host, theirs.Host)
}

// checkProxy tells of a proxy of this machine.
func (d *doctor) checkProxy() finding {
	f := finding{Check: "proxy", Result: passed, Detail: "none stands between"}
	req, err := http.NewRequest(http.MethodGet, d.server().Endpoint, nil)
	if err != nil {
		return finding{Check: "proxy", Result: notChecked, Detail: "the endpoint is no URL"}
	}
	if proxy, err := http.ProxyFromEnvironment(req); err != nil || proxy != nil {
		f.Result, f.Detail = warned, "HTTPS_PROXY or HTTP_PROXY sends requests by another server"
		f.Advice = "put the host of the server into NO_PROXY, unless the way is meant to go there"
	}
	return f
}

// trusting are the variables that name CA certificates, and who reads them.
var trusting = []struct{ variable, reader string }{
	{"SSL_CERT_FILE", "Go"},
	{"REQUESTS_CA_BUNDLE", "Python"},
	{"NODE_EXTRA_CA_CERTS", "Node"},
}

// checkTrust asks whether the CA certificates that other programs are given are
// good for the server. Java has a trust store of its own, which is not read here.
func (d *doctor) checkTrust(ctx context.Context) []finding {
	if !strings.HasPrefix(d.server().Endpoint, "https://") {
		return nil
	}
	var findings []finding
	for _, t := range trusting {
		file := d.getenv(t.variable)
		if file == "" {
			continue
		}
		f := finding{Check: "trust", Result: passed, Detail: t.variable + " is good for this server"}
		if err := d.trusts(ctx, file); err != nil {
			f.Result, f.Detail = failed, t.variable+" is not good for this server: "+err.Error()
			f.Advice = "let it name the file of COFFER_CACERT; programs in " + t.reader + " read it"
		}
		findings = append(findings, f)
	}
	if len(findings) == 0 && d.setting(d.caFile, "COFFER_CACERT") != "" {
		return []finding{{
			Check: "trust", Result: warned, Detail: "only this command line is told the CA of the server",
			Advice: `other programs need it too: "coffer env --for go" and the other languages print how`,
		}}
	}
	return findings
}

// trusts reaches the server with the CA certificates of a file.
func (d *doctor) trusts(ctx context.Context, file string) error {
	pem, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	config := d.server()
	config.CACert = pem
	cl, err := client.New(config)
	if err != nil {
		return err
	}
	_, err = cl.Do(ctx, http.MethodGet, "/healthz", nil, nil)
	return err
}
