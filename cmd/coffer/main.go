// Command coffer is the product in one binary: `coffer server` and `coffer dev` serve
// the API, everything else is a client of it.
//
// The rules of the command line:
//   - A value is never an argument: other processes can see arguments. It comes from a
//     file, from standard input, or from a prompt that does not show it.
//   - Standard output carries the answer and nothing else; messages go to standard
//     error, begin with "coffer: ", and are followed by a hint where one helps.
//   - Exit codes are a contract; see exitCode.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv}, os.Args[1:]))
}
