// Package app is the composition root: it reads the configuration, puts the parts
// together, starts them and stops them in order.
//
// The rule that keeps it honest: only here, and in the commands, does the program
// touch the real clock, real randomness and the environment. Everything below gets
// them as arguments.
package app
