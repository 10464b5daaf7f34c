package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// result is one turn of one server.
type result struct {
	perSecond float64
	cpu       float64 // microseconds of the server's CPU per request
}

// drive sends requests over kept connections, each the next of the list when its
// answer has come, for the length of a turn.
func drive(p plan, target *process, requests [][]byte) (result, error) {
	var done atomic.Int64
	var next atomic.Uint64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	before, err := target.cpuTime()
	if err != nil {
		return result{}, err
	}
	start := time.Now()
	end := start.Add(p.measure)
	for range p.connections {
		all.Go(func() {
			if err := worker(target.addr, end, &done, func() []byte { return requests[next.Add(1)%uint64(len(requests))] }); err != nil {
				failed.Store(&err)
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	if err := failed.Load(); err != nil {
		return result{}, *err
	}
	after, err := target.cpuTime()
	if err != nil {
		return result{}, err
	}
	n := float64(done.Load())
	return result{perSecond: n / took.Seconds(), cpu: float64((after - before).Microseconds()) / n}, nil
}

func worker(addr string, end time.Time, done *atomic.Int64, next func() []byte) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 16<<10)
	for time.Now().Before(end) {
		if _, err := conn.Write(next()); err != nil {
			return err
		}
		if _, err := readAnswer(r); err != nil {
			return err
		}
		done.Add(1)
	}
	return nil
}

// readAnswer reads one answer and returns the length of its body. Anything but 200
// is an error, for a benchmark of refusals says nothing.
func readAnswer(r *bufio.Reader) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	length := 0
	for {
		header, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(header) <= 2 {
			break
		}
		if name, value, _ := strings.Cut(string(header), ":"); strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return 0, err
			}
		}
	}
	if !strings.Contains(line, " 200 ") {
		body := make([]byte, min(length, 300))
		_, _ = io.ReadFull(r, body)
		return 0, fmt.Errorf("answer %s%s", line, body)
	}
	if length == 0 {
		return 0, errors.New("answer without Content-Length")
	}
	_, err = r.Discard(length)
	return length, err
}
