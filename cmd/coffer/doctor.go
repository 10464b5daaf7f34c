package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"coffer/internal/client"
)

// newDoctor checks, step by step, what a client needs to get a secret.
func newDoctor(c *cli) *cobra.Command {
	d := doctor{cli: c}
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check the settings of this machine against the server", Args: noArgs,
		Long: `Check what a client needs: that the server is reached and trusted, that the clocks agree,
that the signature is accepted and no proxy rewrites the Host header, that project and region
are found, that secrets may be listed, and that what official SDKs read from the environment
names the same server. What is wrong comes with what to do about it.

Nothing is changed on the server. Exit code 1 tells that something has to be mended.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.examine(cmd.Context()) },
	}
	cmd.Flags().StringVar(&d.region, "region", "", "region that the client names (COFFER_REGION; else the name of the project)")
	return cmd
}

// doctor is one examination. A check uses what the ones before it found.
type doctor struct {
	*cli
	region string

	client   *client.Client // once the server has answered it
	projects []project      // that the credentials reach
}

// finding is what a check tells.
type finding struct {
	Check  string `json:"check"`
	Result string `json:"result"` // ok, warning, failed, or "not checked"
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"`
}

// The results of a check.
const (
	passed     = "ok"
	warned     = "warning"
	failed     = "failed"
	notChecked = "not checked"
)

// check is one step. If a vital one fails, those that need an answer are left out.
type check struct {
	name  string
	vital bool
	do    func(*doctor, context.Context) finding
}

var checks = []check{
	{"server", true, (*doctor).checkServer},
	{"clock", false, (*doctor).checkClock},
	{"credentials", true, (*doctor).checkCredentials},
	{"host header", false, (*doctor).checkHost},
	{"project", true, (*doctor).checkProject},
	{"region", false, (*doctor).checkRegion},
	{"secrets", false, (*doctor).checkSecrets},
}

// examine carries out the checks and prints them.
func (d *doctor) examine(ctx context.Context) error {
	var findings []finding
	ill, stopped := 0, false
	for _, step := range checks {
		f := finding{Result: notChecked, Detail: "something before it has to be mended first"}
		if !stopped {
			f = step.do(d, ctx)
		}
		f.Check = step.name
		stopped = stopped || step.vital && f.Result == failed
		findings = append(findings, f)
	}
	findings = append(findings, d.checkEnvironment(ctx)...)
	for _, f := range findings {
		if f.Result == failed {
			ill++
		}
	}
	if err := d.tell(findings); err != nil {
		return err
	}
	if ill > 0 {
		return fmt.Errorf("%d of %d checks failed", ill, len(findings))
	}
	return nil
}

func (d *doctor) tell(findings []finding) error {
	if d.output == "json" {
		return d.print(findings, table{})
	}
	for _, f := range findings {
		if _, err := fmt.Fprintf(d.out, "%-12s %-12s %s\n", f.Result, f.Check, strings.Map(visible, f.Detail)); err != nil {
			return err
		}
		if f.Advice == "" {
			continue
		}
		if _, err := fmt.Fprintf(d.out, "%-12s %-12s %s\n", "", "", "-> "+f.Advice); err != nil {
			return err
		}
	}
	return nil
}

// refused is the finding for an error of a request.
func refused(err error) finding {
	return finding{Result: failed, Detail: err.Error(), Advice: hint(err)}
}

// checkServer asks whether it answers, and whether it is ready.
func (d *doctor) checkServer(ctx context.Context) finding {
	cl, err := d.anonymous()
	if err != nil {
		return refused(err)
	}
	if _, err = cl.Do(ctx, http.MethodGet, "/healthz", nil, nil); err != nil {
		return refused(spokenTo(err))
	}
	if _, err = cl.Do(ctx, http.MethodGet, "/readyz", nil, nil); err != nil {
		return finding{Result: failed, Detail: "it is alive and not ready: " + err.Error(), Advice: `its log says why, under "not ready"`}
	}
	return finding{Result: passed, Detail: d.server().Endpoint + " answers and is ready"}
}

// spokenTo adds advice to the errors that come from a wrong scheme.
func spokenTo(err error) error {
	e := (*client.Error)(nil)
	switch {
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return hinted(err, "the server speaks http; write http:// in COFFER_ENDPOINT")
	case errors.As(err, &e) && e.Status == http.StatusBadRequest:
		return hinted(err, "if the server speaks https, write https:// in COFFER_ENDPOINT")
	case errors.As(err, &e):
		return hinted(err, "something else than Coffer answers at COFFER_ENDPOINT, perhaps a proxy")
	default:
		return err
	}
}

// The difference of clocks that is told, and the one at which no server accepts a
// signature (auth.md 5.5).
const (
	someSkew = time.Minute
	fullSkew = 15 * time.Minute
)

// checkClock compares the clock of this machine with the Date header.
func (d *doctor) checkClock(ctx context.Context) finding {
	cl, err := d.anonymous()
	if err != nil {
		return refused(err)
	}
	header, err := cl.Do(ctx, http.MethodGet, "/healthz", nil, nil)
	if err != nil {
		return refused(err)
	}
	theirs, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return finding{Result: warned, Detail: "the answer has no Date header", Advice: "a proxy may have removed it; compare the clocks by hand"}
	}
	return skew(time.Since(theirs).Round(time.Second))
}

// skew judges how far the clock of this machine is ahead.
func skew(ahead time.Duration) finding {
	detail := fmt.Sprintf("this machine is %s ahead of the server", ahead)
	if ahead < 0 {
		detail = fmt.Sprintf("this machine is %s behind the server", -ahead)
	}
	switch off := ahead.Abs(); {
	case off >= fullSkew:
		return finding{Result: failed, Detail: detail, Advice: "set the clock (NTP): signatures more than 15 minutes off are refused"}
	case off >= someSkew:
		return finding{Result: warned, Detail: detail, Advice: "set the clock (NTP): the server may be set to refuse signatures that are 1 minute off"}
	default:
		return finding{Result: passed, Detail: "less than a minute apart"}
	}
}
