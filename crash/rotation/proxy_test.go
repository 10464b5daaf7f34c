package rotation

import (
	"bytes"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"coffer/internal/rotate/servertest"
)

// point is a moment of a rotation as it is seen between Coffer and the database.
type point string

// The points of one rotation, in their order: the administrator changes the password,
// then the account logs in with it.
const (
	connected             point = "connected"              // the server does not know yet that Coffer came
	administratorLogsIn   point = "administrator_logs_in"  // its first message is not sent on
	administratorAccepted point = "administrator_accepted" // Coffer does not know yet
	statementArrives      point = "statement_arrives"      // and is not sent on
	statementExecuted     point = "statement_executed"     // and Coffer does not know
	statementAnswered     point = "statement_answered"     // Coffer knows, and goes on
	accountLogsIn         point = "account_logs_in"        // as administratorLogsIn
	accountAccepted       point = "account_accepted"       // Coffer does not know yet
	accountAnswered       point = "account_answered"       // Coffer knows, and goes on
	accountLeaves         point = "account_leaves"         // Coffer has hung up: it promotes the version
)

// points are all of them.
var points = []point{
	connected, administratorLogsIn, administratorAccepted, statementArrives, statementExecuted,
	statementAnswered, accountLogsIn, accountAccepted, accountAnswered, accountLeaves,
}

// trap stops what happens at a point, some times.
type trap struct {
	at      point
	times   int           // how often it stops; under the lock of the proxy
	reached chan struct{} // gets one for each stop, unless it is full
	release chan struct{} // closed to let what was stopped be cut off
	once    sync.Once
}

// cut lets what is stopped be cut off, and at once what will be. It is idempotent.
func (t *trap) cut() { t.once.Do(func() { close(t.release) }) }

// always is more often than any rotation comes to a point.
const always = 1000

// proxy stands between Coffer and a database.
type proxy struct {
	wire     dialect
	server   string
	listener net.Listener

	mu    sync.Mutex
	trap  *trap
	open  map[net.Conn]bool
	links sync.WaitGroup
}

// newProxy listens for Coffer until the test ends.
func newProxy(t *testing.T, k kind, db *servertest.Server) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{wire: k.wire, server: net.JoinHostPort("127.0.0.1", strconv.Itoa(db.Port)), listener: l, open: map[net.Conn]bool{}}
	p.links.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.clear()
		p.links.Wait()
	})
	return p
}

func (p *proxy) port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// set has what comes to a point stopped there, for so many times. What was set before is
// forgotten.
func (p *proxy) set(at point, times int) *trap {
	t := &trap{at: at, times: times, reached: make(chan struct{}, 1), release: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trap = t
	return t
}

// wait returns once the trap has stopped something.
func (t *trap) wait(tb testing.TB, s *site) {
	tb.Helper()
	select {
	case <-t.reached:
	case <-time.After(patience):
		tb.Fatalf("nothing came to %s\n%s", t.at, s.logs)
	}
}

// clear forgets the trap and cuts off every connection.
func (p *proxy) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trap != nil {
		p.trap.cut()
	}
	p.trap = nil
	for c := range p.open {
		_ = c.Close()
	}
}

// pass reports whether what has come to a point may go on. If there is a trap, it
// returns when that is released, and what came is to be cut off.
func (p *proxy) pass(at point) bool {
	p.mu.Lock()
	t := p.trap
	if t == nil || t.at != at || t.times == 0 {
		p.mu.Unlock()
		return true
	}
	t.times--
	p.mu.Unlock()
	select {
	case t.reached <- struct{}{}:
	default:
	}
	<-t.release
	return false
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.links.Go(func() { p.link(c) })
	}
}

// own notes a connection, which clear closes, and returns what closes it.
func (p *proxy) own(c net.Conn) (done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[c] = true
	return func() {
		_ = c.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, c)
	}
}

// link joins a connection of Coffer with one to the server.
func (p *proxy) link(c net.Conn) {
	defer p.own(c)()
	if !p.pass(connected) {
		return
	}
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return // Coffer sees that the connection breaks
	}
	l := &link{proxy: p, coffer: c, server: server}
	closed := p.own(server)
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		defer c.Close()
		l.answer()
	}()
	l.ask()
	closed()
	<-answers
}

// link is one session. What is asked and what is answered is pumped by a goroutine each.
type link struct {
	*proxy
	coffer, server net.Conn

	mu            sync.Mutex
	administrator bool
	accepted      bool
	changing      bool // the statement was sent on, and not answered
}

// ask sends on what Coffer says.
func (l *link) ask() {
	for first := true; ; first = false {
		message, err := l.wire.read(l.coffer, first)
		if err != nil {
			if l.state().accepted && !l.state().administrator {
				l.pass(accountLeaves)
			}
			return
		}
		if at := l.asked(message, first); at != "" && !l.pass(at) {
			return
		}
		if _, err := l.server.Write(message); err != nil {
			return
		}
	}
}

// asked notes a message of Coffer and returns the point that it is.
func (l *link) asked(message []byte, first bool) point {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case first && bytes.Contains(message, []byte(servertest.Administrator)):
		l.administrator = true
		return administratorLogsIn
	case first:
		return accountLogsIn
	case bytes.Contains(message, l.wire.change):
		l.changing = true
		return statementArrives
	}
	return ""
}

// answer sends on what the server says.
func (l *link) answer() {
	for {
		message, err := l.wire.read(l.server, false)
		if err != nil {
			return
		}
		before, after := l.answered(message)
		if before != "" && !l.pass(before) {
			return
		}
		if _, err := l.coffer.Write(message); err != nil {
			return
		}
		if after != "" && !l.pass(after) {
			return
		}
	}
}

// answered notes a message of the server and returns the points that it is before and
// after it is sent on.
func (l *link) answered(message []byte) (before, after point) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.changing:
		l.changing = false
		return statementExecuted, statementAnswered
	case l.accepted || !l.wire.accepted(message):
		return "", ""
	}
	l.accepted = true
	if l.administrator {
		return administratorAccepted, ""
	}
	return accountAccepted, accountAnswered
}

// session is what a link has seen of its session.
type session struct{ administrator, accepted bool }

func (l *link) state() session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return session{l.administrator, l.accepted}
}
