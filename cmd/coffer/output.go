package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// table is an answer in rows, for people.
type table struct {
	head []string
	rows [][]string
}

// print writes an answer: as JSON just as the server gave it, or as a table.
func (c *cli) print(answer any, t table) error {
	switch c.output {
	case "json":
		enc := json.NewEncoder(c.out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(answer)
	case "table":
		return c.printTable(t)
	default:
		return usageError{fmt.Errorf("--output is %q; it takes table or json", c.output)}
	}
}

func (c *cli) printTable(t table) error {
	w := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(t.head, "\t"))
	for _, row := range t.rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
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
