package app

import (
	"os"
	"path/filepath"
)

// program returns what to type to run this program again, in whatever directory: its
// name if the shell finds it, else its path.
func program() string {
	path := os.Args[0]
	if filepath.Base(path) == path {
		return path
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
