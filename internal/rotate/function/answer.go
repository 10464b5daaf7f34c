package function

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"coffer/internal/rotate"
)

// maxText is what is shown of a text of the function, in characters.
const maxText = 512

// Answer is what a function says of its work.
type Answer struct {
	Failed bool        // it names an error
	Code   rotate.Code // that of the function if it can be shown, else CodeFailed
	Msg    string      // one line that can be shown; "" for none
}

// Codes that are shown as they are.
var codeForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// Read reads an answer. One that is no JSON object names no error. What the function was
// given as key is not shown, even if the function does.
func Read(answer []byte, key *Credential) Answer {
	var said struct {
		Code string `json:"error_code"`
		Msg  string `json:"error_msg"`
	}
	_ = json.Unmarshal(answer, &said)
	out := Answer{Failed: said.Code != "" || said.Msg != "", Code: CodeFailed, Msg: Shown(said.Msg, key.texts()...)}
	if codeForm.MatchString(said.Code) && Shown(said.Code, key.texts()...) == said.Code {
		out.Code = rotate.Code(said.Code)
	}
	return out
}

// Shown returns what may be shown of a text from outside: one line of at most 512
// characters, without those parts.
func Shown(text string, without ...string) string {
	for _, part := range without {
		if part != "" {
			text = strings.ReplaceAll(text, part, "***")
		}
	}
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "?"))
	for utf8.RuneCountInString(text) > maxText {
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	return strings.TrimSpace(text)
}
