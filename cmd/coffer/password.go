package main

import (
	"github.com/spf13/cobra"
)

func newPassword(c *cli) *cobra.Command {
	return group(&cobra.Command{Use: "password", Short: "Generate passwords"}, newPasswordGenerate(c))
}

func newPasswordGenerate(c *cli) *cobra.Command {
	var in struct {
		Length                  int    `json:"length"`
		ExcludeCharacters       string `json:"exclude_characters,omitempty"`
		ExcludeLowercase        bool   `json:"exclude_lowercase,omitempty"`
		ExcludeUppercase        bool   `json:"exclude_uppercase,omitempty"`
		ExcludeNumbers          bool   `json:"exclude_numbers,omitempty"`
		ExcludePunctuation      bool   `json:"exclude_punctuation,omitempty"`
		IncludeSpace            bool   `json:"include_space,omitempty"`
		RequireEachIncludedType bool   `json:"require_each_included_type,omitempty"`
	}
	cmd := &cobra.Command{
		Use: "generate", Short: "Print a random password (GenerateRandomPassword)", Args: noArgs,
		Long: `Print a random password and nothing else. On a terminal a line break follows; in a pipe or
a file there is just the password.`,
		Example: `  coffer password generate --length 24 --require-each-type | coffer version create db --value-file -`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var answer struct {
				Password string `json:"password"`
			}
			if err := c.call(cmd.Context(), "POST", "/v1/{project_id}/csms/generate-password", in, &answer); err != nil {
				return err
			}
			if c.output == "json" {
				return c.print(answer, table{})
			}
			return c.printValue(valueView{SecretString: &answer.Password}, false)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&in.Length, "length", 32, "number of characters, 1 to 4096")
	flags.StringVar(&in.ExcludeCharacters, "exclude-characters", "", "characters that must not be in it")
	flags.BoolVar(&in.ExcludeLowercase, "exclude-lowercase", false, "no lower case letters")
	flags.BoolVar(&in.ExcludeUppercase, "exclude-uppercase", false, "no upper case letters")
	flags.BoolVar(&in.ExcludeNumbers, "exclude-numbers", false, "no digits")
	flags.BoolVar(&in.ExcludePunctuation, "exclude-punctuation", false, "no punctuation")
	flags.BoolVar(&in.IncludeSpace, "include-space", false, "the space too")
	flags.BoolVar(&in.RequireEachIncludedType, "require-each-type", false, "at least one character of each type that is not excluded")
	return cmd
}
