package httpapi

import (
	"context"
	"net"
	"net/netip"
	"time"

	"coffer/internal/csms"
	"coffer/internal/wire"
)

// Dev is what the controls of `coffer dev` do. They need no credentials and answer
// on loopback only.
type Dev struct {
	// Now returns business time.
	Now func() csms.Millis
	// Advance moves the clock forward and returns once everything due has been done.
	Advance func(ctx context.Context, by time.Duration) error
	// Reset empties everything but the identities given at start, and puts the clock
	// back to wall time.
	Reset func(ctx context.Context) error
	// SetState is the administrative switch of S6.
	SetState func(ctx context.Context, project, name string, to csms.State) (*csms.Secret, error)
}

// routes returns the controls as rows of the route table.
func (d *Dev) routes() []route {
	return []route{
		{Name: "ShowDevClock", Pattern: "GET /dev/clock", handler: d.control(d.showClock)},
		{Name: "AdvanceDevClock", Pattern: "POST /dev/clock", handler: d.control(d.advanceClock)},
		{Name: "ResetDev", Pattern: "POST /dev/reset", handler: d.control(d.reset)},
		{Name: "SetDevSecretState", Pattern: "PUT /dev/projects/{project_id}/secrets/{secret_name}/state", handler: d.control(d.setState)},
	}
}

// control lets only a client on this host in, and no web page that a browser here
// has open.
func (d *Dev) control(op func(*exchange) (any, error)) handler {
	return func(a *API, x *exchange) error {
		if !isLoopback(x.r.RemoteAddr) || x.r.Header.Get("Origin") != "" {
			return noSuchAPI()
		}
		if err := x.readBody(a.BodyLimit); err != nil {
			return err
		}
		answer, err := op(x)
		if err != nil {
			return err
		}
		return x.reply(answer)
	}
}

func isLoopback(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// clockAnswer is {"now": <ms>}.
type clockAnswer struct {
	Now wire.Millis `json:"now"`
}

func (d *Dev) showClock(*exchange) (any, error) {
	return clockAnswer{wire.Millis(d.Now())}, nil
}

func (d *Dev) advanceClock(x *exchange) (any, error) {
	var body struct {
		Advance string `json:"advance"`
	}
	if err := x.decode(&body); err != nil {
		return nil, err
	}
	by, err := time.ParseDuration(body.Advance)
	if err != nil || by <= 0 {
		return nil, csms.Invalidf(`advance must be a positive duration such as "168h" or "30m".`)
	}
	if err := d.Advance(x.ctx, by); err != nil {
		return nil, err
	}
	return clockAnswer{wire.Millis(d.Now())}, nil
}

func (d *Dev) reset(x *exchange) (any, error) {
	return noContent{}, d.Reset(x.ctx)
}

func (d *Dev) setState(x *exchange) (any, error) {
	var body struct {
		State csms.State `json:"state"`
	}
	if err := x.decode(&body); err != nil {
		return nil, err
	}
	return secretAnswer(d.SetState(x.ctx, x.r.PathValue("project_id"), x.secretName(), body.State))
}
