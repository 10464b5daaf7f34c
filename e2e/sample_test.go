package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
)

// The sample of the reference page restores a secret that is scheduled for
// deletion, over plain HTTP and over TLS, told where the server is by environment
// variables alone (clients.md 3.1).
func TestTheSampleOfTheReferencePageRuns(t *testing.T) {
	for name, args := range transports() {
		t.Run(name, func(t *testing.T) {
			s := startDev(t, args...)
			if out := s.sample(t); !strings.Contains(out, "CSMS.0106") {
				t.Errorf("no secret: output %s", out)
			}
			client := s.signedClient(t)
			create(t, client, "sample", "first")
			if out := s.sample(t); !strings.Contains(out, "CSMS.0108") {
				t.Errorf("not scheduled: output %s", out)
			}
			schedule(t, client, "sample")
			out := s.sample(t)
			for _, want := range []string{`"state":"ENABLED"`, `"name":"sample"`} {
				if !strings.Contains(out, want) {
					t.Errorf("output %s\nlacks %s", out, want)
				}
			}
			shown, err := client.ShowSecret(&model.ShowSecretRequest{SecretName: "sample"})
			if err != nil {
				t.Fatal(err)
			}
			if got := *shown.Secret.State; got != "ENABLED" || shown.Secret.ScheduledDeleteTime != nil {
				t.Errorf("state %s, scheduled_delete_time %v; want ENABLED and null", got, shown.Secret.ScheduledDeleteTime)
			}
		})
	}
}

// sample runs the sample program.
func (s *server) sample(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs, "sample"))
	cmd.Env = s.environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// transports are the flags for plain HTTP and for TLS.
func transports() map[string][]string {
	return map[string][]string{"plain": nil, "tls": {"--tls"}}
}
