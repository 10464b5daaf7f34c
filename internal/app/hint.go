package app

import (
	"errors"
	"io/fs"
	"net"
	"syscall"

	"coffer/internal/kv/pebblekv"
	"coffer/internal/seal"
)

// Hint says what an operator can do about an error of this package, "" if the error
// says it itself.
func Hint(err error) string {
	listening := errors.As(err, new(*net.OpError))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there, perhaps another coffer; stop it, or choose another address with --listen"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine does not have that address; listen on one that it has, or on :PORT for all"
	case errors.Is(err, fs.ErrPermission) && listening:
		return "ports below 1024 take a privilege; choose a higher one, or give the unit AmbientCapabilities=CAP_NET_BIND_SERVICE"
	case errors.Is(err, pebblekv.ErrInUse):
		return "another coffer has this data directory open; stop it first"
	case errors.Is(err, seal.ErrWrongRoot):
		return "nothing is lost: start again with the root key that this store was made with"
	case errors.As(err, new(*ConfigError)):
		return `"coffer server --print-config" prints every key with its default and meaning`
	case errors.Is(err, fs.ErrPermission):
		return "the user that runs coffer must own the data directory and the files that it reads"
	default:
		return ""
	}
}
