package crash

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// defaultRounds is for every run of all tests; `make crash` asks for more.
const defaultRounds = 25

// program is the built coffer, for the life of the test binary.
var program string

// seed is what every choice of this run follows from. What the processes make of the
// choices depends on their timing too.
var seed uint64

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	seed = rand.Uint64()
	if text := os.Getenv("COFFER_CRASH_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			fmt.Fprintf(os.Stderr, "COFFER_CRASH_SEED is %q; it takes a number\n", text)
			return 2
		}
		seed = n
	}
	fmt.Printf("COFFER_CRASH_SEED=%d\n", seed)
	dir, err := os.MkdirTemp("", "coffer-crash-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "coffer")
	cmd := exec.Command("go", "build", "-o", program, "./cmd/coffer")
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building coffer: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// rounds returns how often to kill the server.
func rounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("COFFER_CRASH_ROUNDS")
	if text == "" {
		return defaultRounds
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("COFFER_CRASH_ROUNDS is %q; it takes a positive number", text)
	}
	return n
}

// chance returns the source of choices of one part of one test.
func chance(part string) *rand.Rand {
	stream := uint64(14695981039346656037)
	for _, c := range []byte(part) {
		stream = (stream ^ uint64(c)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, stream))
}

// workDir returns a directory that goes with a test that passes, and stays with one
// that fails.
func workDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "coffer-crash-data-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the files of this test are kept in %s", dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
