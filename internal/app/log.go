package app

import (
	"fmt"
	"io"
	"log/slog"
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
	options := &slog.HandlerOptions{Level: level}
	if l.Format == "text" {
		return slog.New(slog.NewTextHandler(w, options)), nil
	}
	return slog.New(slog.NewJSONHandler(w, options)), nil
}
