package rotation

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// patience is how long anything may take before a test gives up. It is no measurement:
// the machine may be slow and busy.
const patience = 3 * time.Minute

// program is the built coffer, for the life of the test binary.
var program string

// seed is what every random moment of this run follows from.
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
	dir, err := os.MkdirTemp("", "coffer-rotation-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "coffer")
	cmd := exec.Command("go", "build", "-o", program, "./cmd/coffer")
	cmd.Dir, cmd.Env = filepath.Join("..", ".."), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building coffer: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}
