package app

import (
	"fmt"
	"io"
	"log/slog"
	"time"
)

func (l *LogConfig) level() (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		return 0, fmt.Errorf("log.level is %q; it takes debug, info, warn or error", l.Level)
	}
	return level, nil
}

// logger returns the logger that l describes, writing to w.
func (l *LogConfig) logger(w io.Writer) (*slog.Logger, error) {
	level, err := l.level()
	if err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: inMilliseconds}
	if l.Format == "text" {
		return slog.New(slog.NewTextHandler(w, options)), nil
	}
	return slog.New(slog.NewJSONHandler(w, options)), nil
}

// inMilliseconds gives a duration its unit in the key, as in took_ms: in JSON it would
// else be a bare number of nanoseconds.
func inMilliseconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindDuration {
		return a
	}
	return slog.Float64(a.Key+"_ms", float64(a.Value.Duration())/float64(time.Millisecond))
}
