package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// table is an answer in rows, for people.
type table struct {
	head []string
	rows [][]string
}

// checkOutput refuses a form of output that does not exist, before anything is done.
func (c *cli) checkOutput() error {
	if c.output != "table" && c.output != "json" {
		return usageError{fmt.Errorf("--output is %q; it takes table or json", c.output)}
	}
	return nil
}

// print writes an answer: as JSON just as the server gave it, or as a table.
func (c *cli) print(answer any, t table) error {
	if c.output == "table" {
		return c.printTable(t)
	}
	enc := json.NewEncoder(c.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(answer)
}

func (c *cli) printTable(t table) error {
	w := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(t.head, "\t"))
	for _, row := range t.rows {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, strings.Map(visible, cell))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// visible turns control characters into blanks: a description is text of somebody
// else, and must neither break the table nor command the terminal.
func visible(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// millis is a time in an answer: an integer, or null for none.
type millis *int64

// when prints a time of the wire for people.
func when(ms millis) string {
	if ms == nil {
		return "-"
	}
	return time.UnixMilli(*ms).UTC().Format("2006-01-02 15:04:05Z")
}

// orDash prints an absent text as a dash.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
