package main

import (
	"encoding/json"
	"strings"
	"text/template"

	"coffer/internal/app"
)

// clientSettings has the settings of each client, from what its maker documents and
// what it was seen to do (clients.md).
var clientSettings = map[string]*template.Template{
	"go": settings(`{{define "ca"}}{{if .CA}}export SSL_CERT_FILE={{sh .CA}}
{{end}}{{end}}{{if not .TLS}}# The Go SDK looks its project up by https only; with the project given it need not.
{{end}}{{template "sdk" .}}`),

	"python": settings(`{{define "ca"}}{{if .CA}}export REQUESTS_CA_BUNDLE={{sh .CA}}
{{end}}{{end}}{{template "sdk" .}}`),

	"java": settings(`{{define "ca"}}{{if .CA}}# Java reads a trust store. Make it once:
#   keytool -importcert -noprompt -alias coffer -file {{sh .CA}} -keystore {{sh .TrustStore}} -storetype PKCS12 -storepass changeit
export JAVA_TOOL_OPTIONS={{sh (print "-Djavax.net.ssl.trustStore=" .TrustStore " -Djavax.net.ssl.trustStorePassword=changeit")}}
{{end}}{{end}}{{template "sdk" .}}`),

	"node": settings(`# The Node SDK takes no endpoint from the environment; in the code:
#   CsmsClient.newBuilder().withCredential(new BasicCredentials().withAk(process.env.CLOUD_SDK_AK)
#     .withSk(process.env.CLOUD_SDK_SK).withProjectId(process.env.CLOUD_SDK_PROJECT_ID))
#     .withEndpoint(process.env.COFFER_ENDPOINT).build()
export COFFER_ENDPOINT={{sh .URL}}
{{if .CA}}export NODE_EXTRA_CA_CERTS={{sh .CA}}
{{end}}export CLOUD_SDK_AK={{sh .AccessKey}} CLOUD_SDK_SK={{sh .SecretKey}} CLOUD_SDK_PROJECT_ID={{sh .ProjectID}}
{{if .SecurityToken}}export CLOUD_SDK_SECURITY_TOKEN={{sh .SecurityToken}}
{{end}}`),

	"terraform": settings(`# Instead of the keys below, the environment may hold HW_ACCESS_KEY and HW_SECRET_KEY.
provider "huaweicloud" {
  region     = {{quote .Region}}
  access_key = {{quote .AccessKey}}
  secret_key = {{quote .SecretKey}}
{{- if .SecurityToken}}
  security_token = {{quote .SecurityToken}}
{{- end}}
  project_id = {{quote .ProjectID}}
  auth_url   = {{quote (print .URL "/v3")}}
  endpoints = {
    kms = {{quote .URL}}
    iam = {{quote .URL}}
    eps = {{quote .URL}}
    smn = {{quote .URL}}
  }
{{- if .CA}}
  cacert_file = {{quote .CA}}
{{- end}}
  skip_check_website_type = true
  enterprise_project_id   = "0"
}
`),

	"curl": settings(`# curl cannot sign; it takes a token of a user and a password:
#   export COFFER_TOKEN=$(coffer iam token --user USER --domain DOMAIN --password-file FILE)
#   curl -sS -H "X-Auth-Token: $COFFER_TOKEN" "$COFFER_ENDPOINT/v1/$COFFER_PROJECT_ID/secrets"
export COFFER_ENDPOINT={{sh .URL}} COFFER_PROJECT_ID={{sh .ProjectID}}
{{if .CA}}export COFFER_CACERT={{sh .CA}} CURL_CA_BUNDLE={{sh .CA}}
{{end}}`),

	"dapr": settings(`# The sidecar (daprd) needs in its environment:
#   HUAWEICLOUD_SDK_REGION_CSMS_{{.SDKRegion}}={{.URL}}
#   HUAWEICLOUD_SDK_IAM_ENDPOINT={{.URL}}
{{- if .CA}}
#   SSL_CERT_FILE={{.CA}}
{{- end}}
{{- if not .TLS}}
# It looks its project up by https only: this server has to be reached by https.
{{- end}}
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: coffer
spec:
  type: secretstores.huaweicloud.csms
  version: v1
  metadata:
    - name: region
      value: {{quote .Region}}
    - name: accessKey
      value: {{quote .AccessKey}}
    - name: secretAccessKey
      value: {{quote .SecretKey}}
`),
}

// sdkSettings is what the SDKs of Go, Python and Java have in common. CLOUD_SDK_AK
// and CLOUD_SDK_SK are what sample programs read.
const sdkSettings = `{{define "sdk"}}{{template "ca" .}}export HUAWEICLOUD_SDK_REGION_CSMS_{{.SDKRegion}}={{sh .URL}}
export HUAWEICLOUD_SDK_REGION_KMS_{{.SDKRegion}}={{sh .URL}}
export HUAWEICLOUD_SDK_IAM_ENDPOINT={{sh .URL}}
export HUAWEICLOUD_SDK_AK={{sh .AccessKey}} HUAWEICLOUD_SDK_SK={{sh .SecretKey}} HUAWEICLOUD_SDK_PROJECT_ID={{sh .ProjectID}}
{{if .SecurityToken}}export HUAWEICLOUD_SDK_SECURITY_TOKEN={{sh .SecurityToken}}
{{end}}export CLOUD_SDK_AK={{sh .AccessKey}} CLOUD_SDK_SK={{sh .SecretKey}}
{{end}}`

func settings(text string) *template.Template {
	t := template.New("").Funcs(template.FuncMap{"sh": app.ShellWord, "quote": quoted})
	return template.Must(t.Parse(sdkSettings + text))
}

// quoted returns text as a string of HCL and of YAML; HCL would fill in ${ and %{.
func quoted(text string) (string, error) {
	b, err := json.Marshal(text)
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(string(b)), err
}
