package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"coffer/internal/rotate"
	"coffer/internal/rotate/servertest"
)

const rotationDoc = "../../docs/rotation.md"

func readRotationDoc(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(rotationDoc)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRotationDocCodes: the document explains every code as the program does.
func TestRotationDocCodes(t *testing.T) {
	_, part, _ := strings.Cut(readRotationDoc(t), "\n| code | means | what mends it |\n")
	part, _, _ = strings.Cut(part, "\n\n")
	want := []string{"| --- | --- | --- |"}
	for _, c := range rotate.Causes() {
		want = append(want, fmt.Sprintf("| `%s` | %s | %s |", c.Code, c.Means, c.Mend))
	}
	if diff := cmp.Diff(want, strings.Split(part, "\n")); diff != "" {
		t.Errorf("%s (-causes +document):\n%s", rotationDoc, diff)
	}
}

var codeBlock = regexp.MustCompile("(?ms)^```(sh|sql)\n(.*?)^```$")

// TestRotationDocCommands runs the blocks of SQL and of the shell in the document, in
// their order, against a real PostgreSQL. Only the address of the database is another.
func TestRotationDocCommands(t *testing.T) {
	db := servertest.PostgreSQL(t)
	var shell []string
	for _, block := range codeBlock.FindAllStringSubmatch(readRotationDoc(t), -1) {
		if block[1] == "sql" {
			db.Exec(t, block[2])
			continue
		}
		shell = append(shell, strings.ReplaceAll(block[2], "--host db.example.org --port 5432", fmt.Sprintf("--host localhost --port %d", db.Port)))
	}
	if len(shell) < 4 || !slices.ContainsFunc(shell, func(s string) bool { return strings.Contains(s, "localhost") }) {
		t.Fatalf("only %d blocks, or none with the address", len(shell))
	}
	dir := t.TempDir()
	script := "exec sh -ex doc.sh\n" +
		"stdout '^orders-db .* SUCCESS '\nstdout '^stock-db .* SUCCESS '\nstdout '^account +orders_app$'\nstdout '^account +stock_a$'\n" +
		"! stdout first-1\n! stdout choose-me\n" +
		"exec coffer secret get stock-db\nstdout '\"username\":\"stock_a\"'\n! stdout first-2\n" +
		"-- doc.sh --\n" + strings.Join(shell, "") + "-- ca.pem --\n" + db.Authority.PEM
	if err := os.WriteFile(filepath.Join(dir, "rotation.txtar"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Dir: dir, RequireExplicitExec: true, Setup: startDev})
}
