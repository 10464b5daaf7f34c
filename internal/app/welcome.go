package app

import (
	"fmt"
	"io"
	"strings"
	"text/template"
)

// welcome is what a starting server prints: where it is, on the first start the
// credentials, and lines to copy for each kind of client.
var welcome = template.Must(template.New("welcome").Funcs(template.FuncMap{"sh": ShellWord}).Parse(`
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
{{- else}}

The credentials of the account owner were shown on the first start. If they are lost, stop
the server and run "{{.Program}} admin reset-owner". In the lines below put them in.
{{- end}}

Command line:
{{if .CA}}  export COFFER_CACERT={{sh .CA}}
{{end}}  export COFFER_ENDPOINT={{sh .URL}} COFFER_PROJECT_ID={{.ProjectID}}
  export COFFER_ACCESS_KEY={{.AccessKey}} COFFER_SECRET_KEY={{.SecretKey}}
  printf 's3cr3t' | {{sh .Program}} secret create demo --value-file -
  {{sh .Program}} secret get demo

Go SDK, and Python with REQUESTS_CA_BUNDLE for SSL_CERT_FILE (the program itself stays as it is):
{{if .CA}}  export SSL_CERT_FILE={{sh .CA}}
{{end}}  export HUAWEICLOUD_SDK_REGION_CSMS_{{.SDKRegion}}={{sh .URL}}
{{- if .CA}}
  export HUAWEICLOUD_SDK_IAM_ENDPOINT={{sh .URL}}{{end}}
  export HUAWEICLOUD_SDK_AK={{.AccessKey}} HUAWEICLOUD_SDK_SK={{.SecretKey}} HUAWEICLOUD_SDK_PROJECT_ID={{.ProjectID}}
  export CLOUD_SDK_AK={{.AccessKey}} CLOUD_SDK_SK={{.SecretKey}}

curl with a token:
  TOKEN=$(curl -sS {{if .CA}}--cacert {{sh .CA}} {{end}}-D - -o /dev/null {{sh (print .URL "/v3/auth/tokens?nocatalog=true")}} \
    -H 'Content-Type: application/json' -d {{sh .TokenRequest}} \
    | tr -d '\r' | awk 'tolower($1) == "x-subject-token:" {print $2}')
  curl -sS {{if .CA}}--cacert {{sh .CA}} {{end}}-H "X-Auth-Token: $TOKEN" {{sh (print .URL "/v1/" .ProjectID "/secrets")}}

`))

// ShellWord returns text as one word of a shell: as it is where that is safe, else
// in quotes.
func ShellWord(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+=,"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

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
		User: first.UserName, Password: first.Password, AccessKey: first.AccessKey, SecretKey: first.SecretKey,
	}
	if !data.Known {
		data.Password, data.AccessKey, data.SecretKey = "PASSWORD", "ACCESS_KEY", "SECRET_KEY"
	}
	if err := welcome.Execute(w, &data); err != nil {
		return fmt.Errorf("printing where the server is: %w", err)
	}
	return nil
}
