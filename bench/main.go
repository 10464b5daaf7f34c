// Command bench measures a Coffer server against a bare net/http server that answers a
// fixed body of the same size, in one run on one machine.
//
// The rule that keeps it honest: only ratios count. The two servers are processes of
// their own, driven in turns by the same generator over the same number of kept
// connections; a row is the median of the turns, with the spread of the ratio beside
// it. CPU time is that of the server process alone, so it does not care how much the
// generator takes.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// plan is what the flags say.
type plan struct {
	coffer      string
	secrets     int
	connections int
	turns       int
	measure     time.Duration
}

func main() {
	baseline := flag.Int("baseline", 0, "serve a fixed body of this many bytes instead (used by the benchmark itself)")
	var p plan
	flag.StringVar(&p.coffer, "coffer", "bin/coffer", "the program to measure")
	flag.IntVar(&p.secrets, "secrets", 1000, "secrets in the store, with one value of 1 KiB each")
	flag.IntVar(&p.connections, "connections", 64, "kept connections")
	flag.IntVar(&p.turns, "turns", 5, "turns of each scenario")
	flag.DurationVar(&p.measure, "measure", 2*time.Second, "length of a turn")
	flag.Parse()
	if *baseline > 0 {
		log.Fatal(serveBaseline(*baseline))
	}
	if err := run(p); err != nil {
		log.Fatal(err)
	}
}

func run(p plan) error {
	dir, err := os.MkdirTemp("", "coffer-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program, err := filepath.Abs(p.coffer)
	if err != nil {
		return err
	}
	s, err := startServer(program, dir)
	if err != nil {
		return err
	}
	stop := sync.OnceFunc(s.stop)
	defer stop()
	if err := s.fill(p.secrets); err != nil {
		return err
	}
	fmt.Printf("%d secrets of 1 KiB, %d connections, %d turns of %s each\n\n", p.secrets, p.connections, p.turns, p.measure)
	fmt.Println("| scenario | Coffer / bare, requests per s | spread | Coffer CPU us per request | bare CPU us | CPU ratio |")
	fmt.Println("| --- | --- | --- | --- | --- | --- |")
	for _, sc := range s.scenarios(p.secrets) {
		if err := compare(p, s, sc); err != nil {
			return fmt.Errorf("%s: %w", sc.name, err)
		}
	}
	peak, err := s.peakMemory()
	if err != nil {
		return err
	}
	fmt.Printf("\nPeak memory of the server: %d MiB\n", peak>>20)
	stop() // it holds the store that the next one opens
	return startUp(program, dir)
}

// compare drives both servers in turns and prints one row.
func compare(p plan, s *server, sc scenario) error {
	size, err := sc.size()
	if err != nil {
		return err
	}
	bare, err := startBaseline(size)
	if err != nil {
		return err
	}
	defer bare.stop()
	fixed := [][]byte{[]byte("GET / HTTP/1.1\r\nHost: " + bare.addr + "\r\n\r\n")}
	var speed, cofferCPU, bareCPU []float64
	for range p.turns {
		ours, err := drive(p, &s.process, sc.requests)
		if err != nil {
			return err
		}
		theirs, err := drive(p, &bare.process, fixed)
		if err != nil {
			return err
		}
		speed = append(speed, ours.perSecond/theirs.perSecond)
		cofferCPU, bareCPU = append(cofferCPU, ours.cpu), append(bareCPU, theirs.cpu)
	}
	slices.Sort(speed)
	fmt.Printf("| %s | %.2f | %.2f to %.2f | %.1f | %.1f | %.2f |\n", sc.name, median(speed), speed[0], speed[len(speed)-1],
		median(cofferCPU), median(bareCPU), median(cofferCPU)/median(bareCPU))
	return nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
