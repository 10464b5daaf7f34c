package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"go.yaml.in/yaml/v3"
)

// ConfigError is what is wrong with the configuration: the operator has to change
// the file or a flag, and starting again before that is of no use.
type ConfigError struct{ Err error }

// Error tells what is wrong, one line for each fault.
func (e *ConfigError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *ConfigError) Unwrap() error { return e.Err }

// LoadConfig reads the file at path over the defaults. A key that Config does not
// have is an error, so that a misspelt one is not taken for a default. Errors are
// ConfigError.
func LoadConfig(path string) (Config, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return Config{}, &ConfigError{fmt.Errorf("reading the configuration: %w", err)}
	}
	c, err := parseConfig(text)
	if err != nil {
		return Config{}, &ConfigError{fmt.Errorf("reading the configuration %s:\n%w", path, err)}
	}
	return c, nil
}

func parseConfig(text []byte) (Config, error) {
	c := DefaultConfig()
	if err := decodeYAML(bytes.NewReader(text), &c); err != nil {
		return Config{}, err
	}
	err := c.check()
	return c, err
}

// decodeYAML reads one YAML document into v, whose keys are the only ones allowed.
// An empty text leaves v as it is.
func decodeYAML(r io.Reader, v any) error {
	dec := yaml.NewDecoder(r)
	dec.KnownFields(true)
	if err := dec.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return readable(err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("it holds more than one YAML document; everything after the first --- would be ignored")
	}
	return nil
}

// readable says in the words of an operator what the decoder says in those of Go.
func readable(err error) error {
	types := (*yaml.TypeError)(nil)
	if !errors.As(err, &types) {
		return err
	}
	unknown := regexp.MustCompile(`field (\S+) not found in type .*`)
	duration := regexp.MustCompile("cannot unmarshal !!\\w+ (`.*`) into time.Duration")
	var lines []error
	for _, line := range types.Errors {
		line = unknown.ReplaceAllString(line, `unknown key "$1"`)
		line = duration.ReplaceAllString(line, "$1 is no duration; write a number and a unit, such as 30s or 15m")
		lines = append(lines, errors.New(line))
	}
	return errors.Join(lines...)
}
