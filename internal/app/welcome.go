package app

import (
	"fmt"
	"io"
	"strings"
	"text/template"
)

// welcome is what a starting server prints: where it is, on the first start the
// credentials, and lines to copy for each kind of client.
var welcome = template.Must(template.New("welcome").Parse(`
Coffer serves {{.URL}}
  region {{.Region}}{{if .Aliases}} (also {{.Aliases}}){{end}}, domain {{.Domain}}, project {{.ProjectID}}
{{- if .Data}}
  data in {{.Data}}{{end}}
{{- if .First}}

First start. These credentials of the account owner are shown once; keep them:
{{- end}}
{{- if .Known}}

  user        {{.User}}
  password    {{.Password}}
  access key  {{.AccessKey}}
  secret key  {{.SecretKey}}
{{- end}}

Command line:
{{if .CA}}  export COFFER_CACERT={{.CA}}
{{end}}  export COFFER_ENDPOINT={{.URL}} COFFER_PROJECT_ID={{.ProjectID}}
  export COFFER_ACCESS_KEY={{.AccessKey}} COFFER_SECRET_KEY={{.SecretKey}}
  printf 's3cr3t' | {{.Program}} secret create demo --value-file -
  {{.Program}} secret get demo

Go SDK, and Python with REQUESTS_CA_BUNDLE for SSL_CERT_FILE (the program itself stays as it is):
{{if .CA}}  export SSL_CERT_FILE={{.CA}}
{{end}}  export HUAWEICLOUD_SDK_REGION_CSMS_{{.SDKRegion}}={{.URL}}
{{- if .CA}}
  export HUAWEICLOUD_SDK_IAM_ENDPOINT={{.URL}}{{end}}
  export HUAWEICLOUD_SDK_AK={{.AccessKey}} HUAWEICLOUD_SDK_SK={{.SecretKey}} HUAWEICLOUD_SDK_PROJECT_ID={{.ProjectID}}
  export CLOUD_SDK_AK={{.AccessKey}} CLOUD_SDK_SK={{.SecretKey}}

curl with a token:
  TOKEN=$(curl -sS {{if .CA}}--cacert {{.CA}} {{end}}-D - -o /dev/null '{{.URL}}/v3/auth/tokens?nocatalog=true' \
    -H 'Content-Type: application/json' -d '{{.TokenRequest}}' \
    | tr -d '\r' | awk 'tolower($1) == "x-subject-token:" {print $2}')
  curl -sS {{if .CA}}--cacert {{.CA}} {{end}}-H "X-Auth-Token: $TOKEN" {{.URL}}/v1/{{.ProjectID}}/secrets

`))

// welcomeData fills the template.
type welcomeData struct {
	URL, Region, Aliases, Domain, ProjectID, Data, CA, SDKRegion, Program string
	First, Known                                                          bool
	User, Password, AccessKey, SecretKey                                  string
}

// TokenRequest is the body that gets a token for the project.
func (w *welcomeData) TokenRequest() string {
	return fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":%q,"password":%q,"domain":{"name":%q}}}},"scope":{"project":{"id":%q}}}}`,
		w.User, w.Password, w.Domain, w.ProjectID)
}

// Welcome prints where the server is and how to point clients at it. The
// credentials are part of it in dev mode, where they are public, and on the first
// start, when they are made; later there are placeholders.
func (s *Server) Welcome(w io.Writer) error {
	first := s.current().first
	region := s.config.Region
	if len(s.config.Aliases) > 0 {
		region = s.config.Aliases[0] // a region the SDKs know
	}
	data := welcomeData{
		URL: s.URL(), Region: s.config.Region, Aliases: strings.Join(s.config.Aliases, ", "), Domain: s.config.Domain,
		ProjectID: first.ProjectID, Data: s.config.Data, CA: s.caPath, Program: program(),
		SDKRegion: strings.ReplaceAll(strings.ToUpper(region), "-", "_"),
		First:     first.Created && s.dev == nil, Known: first.Created || s.dev != nil,
		User: s.config.AdminUser, Password: first.Password, AccessKey: first.AccessKey, SecretKey: first.SecretKey,
	}
	if !data.Known {
		data.Password, data.AccessKey, data.SecretKey = "PASSWORD", "ACCESS_KEY", "SECRET_KEY"
	}
	return welcome.Execute(w, &data)
}
