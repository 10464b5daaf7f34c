package pebblekv

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// pebbleLogger passes Pebble's messages to slog: its chatter at debug level.
type pebbleLogger struct {
	log   *slog.Logger
	crash func(message string) // does not return
}

func newPebbleLogger(log *slog.Logger) *pebbleLogger {
	return &pebbleLogger{log: log, crash: crash}
}

// Infof implements pebble.Logger.
func (l *pebbleLogger) Infof(format string, args ...any) {
	//nolint:forbidigo // pebble.Logger has no ctx to hand in
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("pebble", slog.String("message", fmt.Sprintf(format, args...)))
	}
}

// Errorf implements pebble.Logger.
func (l *pebbleLogger) Errorf(format string, args ...any) {
	l.log.Error("pebble", slog.String("message", fmt.Sprintf(format, args...)))
}

// Fatalf implements pebble.Logger. Pebble calls it when memory and disk may
// disagree (the write of a MANIFEST has failed, a table is missing) and relies on
// it not to return. Going on would risk what is on disk; a start replays it.
func (l *pebbleLogger) Fatalf(format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	l.log.Error("pebble cannot go on", slog.String("message", message))
	l.crash("pebble: " + message)
}

// crash ends the process even if the goroutine that found the failure serves a
// request and recovers from panics.
func crash(message string) {
	go panic(message)
	select {}
}

// newListener reports the events an operator must know. Pebble repeats a failing
// flush without a pause, so a background error is reported when it changes.
func newListener(log *slog.Logger) *pebble.EventListener {
	var mu sync.Mutex
	var last string
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			mu.Lock()
			defer mu.Unlock()
			if text := err.Error(); text != last {
				last = text
				log.Error("flushing or compacting", slog.String("error", text))
			}
		},
		// Pebble's own handler would end the process; here the call that met the
		// corruption gets the error and the rest of the store stays readable.
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			log.Error("data corruption", slog.String("info", info.String()))
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			log.Warn("writes are stalled until a flush or a compaction catches up",
				slog.String("reason", info.Reason))
		},
		WriteStallEnd: func() { log.Info("writes go on") },
	}
}
