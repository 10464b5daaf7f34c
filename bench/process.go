package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server under measurement.
type process struct {
	cmd  *exec.Cmd
	addr string
}

// stop ends the process and waits for it.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// clockTick is the unit of the times in /proc/PID/stat: 100 per second on Linux.
const clockTick = 10 * time.Millisecond

// cpuTime returns the CPU time that the process has used.
func (p *process) cpuTime() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick, err
}

// peakMemory returns the largest resident size of the process, in bytes.
func (p *process) peakMemory() (int64, error) { return p.memory("VmHWM:") }

func (p *process) memory(field string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, found := bytes.Cut(text, []byte(field))
	if !found {
		return 0, fmt.Errorf("no %s in the status of the process", field)
	}
	var kib int64
	_, err = fmt.Fscan(bytes.NewReader(rest), &kib)
	return kib << 10, err
}

// startBaseline starts this program as the bare server.
func startBaseline(size int) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(exec.Command(self, "-baseline", strconv.Itoa(size)), func(s *server) bool { return s.addr != "" }) //nolint:gosec // this program itself
}

// start runs cmd and reads what it prints until ready has what it needs.
func start(cmd *exec.Cmd, ready func(*server) bool) (*server, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{process: process{cmd: cmd}, settings: map[string]string{}}
	lines := bufio.NewScanner(out)
	for !ready(s) {
		if !lines.Scan() {
			return nil, fmt.Errorf("%s ended before it served", cmd.Path)
		}
		s.note(lines.Text())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return s, s.await()
}

// await returns once the server answers.
func (s *server) await() error {
	for range 1000 {
		resp, err := http.Get("http://" + s.addr + "/healthz")
		if err == nil {
			return resp.Body.Close()
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("no answer from %s", s.addr)
}

// serveBaseline answers every request with a fixed body of size bytes.
func serveBaseline(size int) error {
	body := bytes.Repeat([]byte("x"), size)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { //nolint:gosec // the baseline has no time-outs on purpose
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(size))
		_, _ = w.Write(body)
	}))
}
