// Package jobs runs what happens without a request: loops that call one function
// again and again until they are stopped.
//
// The rule that keeps it honest: a loop holds no state and decides nothing. The
// function it calls checks everything again in its own transaction, so a second
// runner, a late one and a repeated one do no harm; a test calls the function
// itself.
package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Job is one function to be run again and again.
type Job struct {
	Name  string
	Every time.Duration // pause between the end of one run and the next
	Run   func(ctx context.Context) error
}

// Runner owns the loops of some jobs.
type Runner struct {
	log    *slog.Logger
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Start begins one loop for each job. The first run comes after the first pause.
func Start(ctx context.Context, log *slog.Logger, jobs ...Job) *Runner {
	ctx, cancel := context.WithCancel(ctx)
	r := &Runner{log: log, cancel: cancel}
	for _, job := range jobs {
		r.done.Go(func() { r.loop(ctx, job) })
	}
	return r
}

// Stop ends the loops and waits for the runs under way. It is idempotent.
func (r *Runner) Stop() {
	r.cancel()
	r.done.Wait()
}

func (r *Runner) loop(ctx context.Context, job Job) {
	timer := time.NewTimer(job.Every)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if err := job.Run(ctx); err != nil && ctx.Err() == nil {
			r.log.ErrorContext(ctx, "job failed; it runs again after its pause",
				slog.String("job", job.Name), slog.Duration("pause", job.Every), slog.Any("error", err))
		}
		timer.Reset(job.Every)
	}
}
