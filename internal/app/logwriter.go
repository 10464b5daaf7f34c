package app

import (
	"bufio"
	"context"
	"io"
	"sync"
	"time"
)

// groupWriter gathers lines and writes them in groups, so that a line for each
// request does not cost a system call for each request. A crash loses the lines of
// the last pause; errors are logged elsewhere, at once.
type groupWriter struct {
	mu  sync.Mutex
	buf *bufio.Writer
}

// accessPause is how long a line of the access log waits at most.
const accessPause = 100 * time.Millisecond

func newGroupWriter(w io.Writer) *groupWriter {
	return &groupWriter{buf: bufio.NewWriterSize(w, 64<<10)}
}

// Write adds a line. One that does not fit goes into the next group as a whole:
// others write to the same place, and must not get into the middle of it.
func (g *groupWriter) Write(line []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.buf.Available() < len(line) {
		if err := g.buf.Flush(); err != nil {
			return 0, err
		}
	}
	return g.buf.Write(line)
}

// flush writes what has gathered.
func (g *groupWriter) flush(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.buf.Flush()
}
