// Package file delivers messages to a file: the document of each as one line of JSON.
//
// The rule that keeps it honest: a message is delivered once its line is on the disk.
// Lines that come together share one sync. A line that a crash or a full disk cut off
// stays alone on its line, and the message comes again.
package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"coffer/internal/notify"
)

// Sink appends to one file. The file is looked up again for each group of lines, so
// it can be moved away at any time.
type Sink struct {
	path string
	turn chan struct{} // holds one token: whoever has it writes

	mu      sync.Mutex
	waiting *group // lines that have not been written

	file *os.File // of whoever has the turn; nil before the first line
	torn bool     // the last line of file lacks its end
}

// group is the lines of one sync.
type group struct {
	lines []byte
	done  chan struct{}
	err   error // once done is closed
}

// New returns a sink that appends to the file at path, which it makes, with mode
// 0600, when the first line is written.
func New(path string) *Sink {
	s := &Sink{path: path, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// Deliver appends the document of m and waits until it is on the disk. Every failure
// is tried again: a disk may have room tomorrow. When ctx ends early the line may be
// written all the same.
func (s *Sink) Deliver(ctx context.Context, m *notify.Message) error {
	if bytes.ContainsAny(m.Document, "\r\n") {
		return notify.Failedf("file: the document of message %s is not one line", m.ID)
	}
	g := s.join(m.Document)
	select {
	case <-g.done:
	case <-ctx.Done():
		return fmt.Errorf("file: waiting for the disk: %w", ctx.Err())
	case <-s.turn:
		s.lead()
		s.turn <- struct{}{}
		<-g.done // closed by now: by lead, or by the one before
	}
	return g.err
}

// Close closes the file, after the lines under way.
func (s *Sink) Close() error {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}

// join adds a line to the group that waits.
func (s *Sink) join(document []byte) *group {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		s.waiting = &group{done: make(chan struct{})}
	}
	s.waiting.lines = append(append(s.waiting.lines, document...), '\n')
	return s.waiting
}

// lead writes the group that waits, if there is one.
func (s *Sink) lead() {
	s.mu.Lock()
	g := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	if g == nil {
		return
	}
	if err := s.write(g.lines); err != nil {
		g.err = fmt.Errorf("file: %w", err)
	}
	close(g.done)
}

func (s *Sink) write(lines []byte) error {
	if err := s.open(); err != nil {
		return err
	}
	if s.torn {
		lines = append([]byte{'\n'}, lines...)
	}
	_, err := s.file.Write(lines)
	if err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		_ = s.file.Close() // to be looked at anew
		s.file = nil
		return err
	}
	s.torn = false
	return nil
}

// open makes sure that s.file is what stands at the path.
func (s *Sink) open() error {
	if s.file != nil {
		there, err := os.Stat(s.path)
		if here, herr := s.file.Stat(); err == nil && herr == nil && os.SameFile(there, here) {
			return nil
		}
		_ = s.file.Close() // it was moved away, with all its lines on the disk
		s.file = nil
	}
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if s.torn, err = endsTorn(f); err != nil {
		return errors.Join(err, f.Close())
	}
	s.file = f
	return nil
}

// endsTorn reports whether the last line of f lacks its end.
func endsTorn(f *os.File) (bool, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return false, nil //nolint:nilerr // a pipe or a terminal cannot be sought, and ends no line
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], size-1); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}
