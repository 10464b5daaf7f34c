package seal_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestFIPSOnlyMode_passes_the_same_tests runs the tests of boxes, check values and
// values again where the runtime refuses all that FIPS 140-3 does not admit. The
// stored forms of TestStored are among them: a store written in one mode opens in
// the other.
func TestFIPSOnlyMode_passes_the_same_tests(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run",
		"^Test(Stored|Box_|NewBox|Check|VerifyCheck|Prepared|Sealer_(opens|clears|mixes|uses))")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("tests under GODEBUG=fips140=only: %v\n%s", err, out)
	}
	if n := strings.Count(string(out), "\n--- PASS: "); n < 15 {
		t.Fatalf("%d tests ran under GODEBUG=fips140=only, want 15 at least:\n%s", n, out)
	}
}
