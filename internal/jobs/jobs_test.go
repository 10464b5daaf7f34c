package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/jobs"
)

func TestAJobRunsAfterEachPauseAndStopsWhenTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		r := jobs.Start(t.Context(), slog.New(slog.DiscardHandler), jobs.Job{
			Name: "count", Every: time.Second, Run: func(context.Context) error { runs++; return nil },
		})
		time.Sleep(3*time.Second + time.Millisecond)
		synctest.Wait()
		r.Stop()
		time.Sleep(time.Minute)
		if runs != 3 {
			t.Errorf("runs = %d, want 3", runs)
		}
		r.Stop()
	})
}

func TestAFailedJobIsLoggedAndRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		runs := 0
		r := jobs.Start(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), jobs.Job{
			Name: "sweep", Every: time.Second, Run: func(context.Context) error { runs++; return errors.New("store is away") },
		})
		time.Sleep(2*time.Second + time.Millisecond)
		synctest.Wait()
		r.Stop()
		if runs != 2 || strings.Count(log.String(), "job=sweep") != 2 || !strings.Contains(log.String(), "store is away") {
			t.Errorf("runs = %d, log = %s", runs, log.String())
		}
	})
}

func TestStopWaitsForTheRunUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		r := jobs.Start(t.Context(), slog.New(slog.DiscardHandler), jobs.Job{
			Name: "slow", Every: time.Second, Run: func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Second)
				ended = true
				return ctx.Err()
			},
		})
		time.Sleep(2 * time.Second)
		r.Stop()
		if !ended {
			t.Error("Stop returned before the run had ended")
		}
	})
}
