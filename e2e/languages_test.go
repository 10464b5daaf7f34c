package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	csms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
)

// language is an official SDK of another language: how its programs are run, and how it
// is told whom to trust.
type language struct {
	sample, tour []string
	trust        func(t *testing.T, ca string) []string
}

var languages = map[string]language{
	"python": {
		sample: []string{"python/.venv/bin/python", "python/sample.py"},
		tour:   []string{"python/.venv/bin/python", "python/tour.py"},
		trust:  func(_ *testing.T, ca string) []string { return []string{"REQUESTS_CA_BUNDLE=" + ca} },
	},
	"java": {
		sample: java("RestoreSecretSolution"), tour: java("Tour"),
		trust: trustStore,
	},
	"node": { // the package for CSMS is not published, and the reference page prints no sample for it
		tour:  []string{"node", "node/tour.js"},
		trust: func(_ *testing.T, ca string) []string { return []string{"NODE_EXTRA_CA_CERTS=" + ca} },
	},
}

func java(class string) []string {
	return []string{"java", "-XX:TieredStopAtLevel=1", "-cp", "java/target/classes:java/target/lib/*", "com.huaweicloud.sdk.test." + class}
}

// trustStore makes a trust store with the CA, and returns the options of the JVM.
func trustStore(t *testing.T, ca string) []string {
	t.Helper()
	store := filepath.Join(t.TempDir(), "trust.p12")
	out, err := exec.Command("keytool", "-importcert", "-noprompt", "-alias", "coffer", "-file", ca,
		"-keystore", store, "-storetype", "PKCS12", "-storepass", "changeit").CombinedOutput()
	if err != nil {
		t.Fatalf("keytool: %v\n%s", err, out)
	}
	return []string{"JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=" + store + " -Djavax.net.ssl.trustStorePassword=changeit"}
}

// run runs a program of the language against s.
func (l *language) run(t *testing.T, s *server, args []string) string {
	t.Helper()
	if strings.Contains(args[0], "/") {
		if _, err := os.Stat(args[0]); err != nil {
			t.Fatalf("%v; `make setup` installs it", err)
		}
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(s.environment(), "COFFER_ENDPOINT="+s.url, "TOUR_PROJECT_ID="+devProject, "PYTHONIOENCODING=utf-8")
	if s.ca != "" {
		cmd.Env = append(cmd.Env, l.trust(t, s.ca)...)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// TestSamplesInOtherLanguages runs the programs that the reference page of RestoreSecret
// prints, with their placeholders filled in and nothing else changed.
func TestSamplesInOtherLanguages(t *testing.T) {
	for name, l := range languages {
		for transport, args := range transports() {
			if l.sample == nil {
				continue
			}
			t.Run(name+" "+transport, func(t *testing.T) {
				s := startDev(t, args...)
				if out := l.run(t, s, l.sample); !strings.Contains(out, "CSMS.0106") {
					t.Errorf("no secret: output %s", out)
				}
				client := s.signedClient(t)
				create(t, client, "sample", "first")
				schedule(t, client, "sample")
				if out := l.run(t, s, l.sample); !strings.Contains(out, "ENABLED") {
					t.Errorf("scheduled: output %s", out)
				}
				if got := stateOf(t, client); got != "ENABLED" {
					t.Errorf("state %s after the sample", got)
				}
			})
		}
	}
}

func stateOf(t *testing.T, client *csms.CsmsClient) string {
	t.Helper()
	shown, err := client.ShowSecret(&model.ShowSecretRequest{SecretName: "sample"})
	if err != nil {
		t.Fatal(err)
	}
	return *shown.Secret.State
}

// TestToursInOtherLanguages runs through every operation that an SDK has.
func TestToursInOtherLanguages(t *testing.T) {
	for name, l := range languages {
		for transport, args := range transports() {
			t.Run(name+" "+transport, func(t *testing.T) {
				if out := l.run(t, startDev(t, args...), l.tour); !strings.Contains(out, "toured") {
					t.Errorf("output %s", out)
				}
			})
		}
	}
}
