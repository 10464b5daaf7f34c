package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

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
	if v.text == "" {
		text, err := c.prompt("Value: ", "--value-file")
		return newValue{SecretString: text}, err
	}
	b, err := c.readFile(v.text)
	if err == nil && !utf8.Valid(b) {
		err = usageError{errors.New("the value is not text in UTF-8; use --binary-file, which keeps every byte")}
	}
	return newValue{SecretString: string(b)}, err
}

// readFile reads a file to its end, with every byte: a value may end in a line
// break.
func (c *cli) readFile(name string) ([]byte, error) {
	if name == "-" {
		b, err := io.ReadAll(c.in)
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		return b, nil
	}
	b, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, usageError{fmt.Errorf("reading a file: %w", err)}
	}
	return b, nil
}

// prompt asks for a text that is not shown. Without a terminal there is nobody to
// ask, and the error names the flag that says where the text is.
func (c *cli) prompt(question, flag string) (string, error) {
	in, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", usageError{fmt.Errorf("standard input is no terminal to ask on; use %s FILE, or %s - for standard input", flag, flag)}
	}
	fmt.Fprint(c.err, question)
	text, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(c.err)
	if err != nil {
		return "", fmt.Errorf("asking on the terminal: %w", err)
	}
	return string(text), nil
}
