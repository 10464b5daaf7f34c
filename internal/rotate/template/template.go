// Package template holds the source of the rotation function that
// ShowSecretFunctionTemplates answers.
//
// The rule that keeps it honest: the source is a program that runs, and what is served is
// that program with two of its settings filled in. A test has it rotate a secret.
package template

import (
	_ "embed"
	"strings"
)

//go:embed index.py
var source string

// The settings as they stand in the source.
const (
	engineSetting  = `ENGINE = "mysql"`
	subTypeSetting = `SECRET_SUB_TYPE = "SingleUser"`
)

// Source returns the source for an engine (mysql, postgresql or sqlserver) and a sub-type
// (SingleUser or MultiUser), which the caller has checked.
func Source(engine, subType string) string {
	return strings.NewReplacer(
		engineSetting, `ENGINE = "`+engine+`"`,
		subTypeSetting, `SECRET_SUB_TYPE = "`+subType+`"`,
	).Replace(source)
}
