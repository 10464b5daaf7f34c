package app

import (
	"os"
	"path/filepath"
)

// program returns what to type to run this program again: its name if the shell
// finds it, else its path.
func program() string {
	path := os.Args[0]
	if filepath.Base(path) == path {
		return path
	}
	if here, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(here, path); err == nil && filepath.IsAbs(path) {
			return "./" + rel
		}
	}
	return path
}
