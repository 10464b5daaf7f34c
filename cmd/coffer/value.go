package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// valueFlags name where the value of a secret comes from.
type valueFlags struct {
	text, binary string
}

func (v *valueFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&v.text, "value-file", "", `file with the value as text; "-" is standard input`)
	cmd.Flags().StringVar(&v.binary, "binary-file", "", `file with a binary value, which is sent as base64; "-" is standard input`)
	cmd.MarkFlagsMutuallyExclusive("value-file", "binary-file")
}

// newValue is the value part of a request. Bytes are base64 in JSON, which is what
// secret_binary takes.
type newValue struct {
	SecretString string `json:"secret_string,omitempty"`
	SecretBinary []byte `json:"secret_binary,omitempty"`
}

// read gets the value: from the file that is named, else from a prompt.
func (v *valueFlags) read(c *cli) (newValue, error) {
	if v.binary != "" {
		b, err := c.readFile(v.binary)
		return newValue{SecretBinary: b}, err
	}
	if v.text != "" {
		b, err := c.readFile(v.text)
		return newValue{SecretString: string(b)}, err
	}
	text, err := c.prompt("Value: ")
	return newValue{SecretString: text}, err
}

// readFile reads a file to its end, with every byte: a value may end in a line
// break.
func (c *cli) readFile(name string) ([]byte, error) {
	if name == "-" {
		b, err := io.ReadAll(c.in)
		if err != nil {
			return nil, fmt.Errorf("reading the value from standard input: %w", err)
		}
		return b, nil
	}
	b, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("reading the value: %w", err)
	}
	return b, nil
}

// prompt asks for a text that is not shown. Without a terminal there is nobody to
// ask.
func (c *cli) prompt(question string) (string, error) {
	in, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) { //nolint:gosec // a descriptor fits
		return "", usageError{errors.New("no value: standard input is no terminal to ask on; use --value-file FILE, or --value-file - for standard input")}
	}
	fmt.Fprint(c.err, question)
	text, err := term.ReadPassword(int(in.Fd())) //nolint:gosec // a descriptor fits
	fmt.Fprintln(c.err)
	if err != nil {
		return "", fmt.Errorf("reading the value: %w", err)
	}
	return string(text), nil
}
