package smtp

import (
	"bytes"
	"cmp"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"

	"coffer/internal/notify"
)

// letter returns m as a letter. Its date is that of what happened. Of a publication it
// has the subject and the text, as a mail of SMN has.
func (s *Sink) letter(m *notify.Message) ([]byte, error) {
	var b bytes.Buffer
	subject, text := "CSMS "+m.Type+" "+m.SecretName, m.Document
	if p := m.Published; p != nil {
		subject, text = cmp.Or(p.Subject, "SMN "+m.TopicName()), []byte(p.Text)
	}
	fields := []struct{ name, value string }{
		{"From", "<" + s.from + ">"},
		{"To", "<" + strings.Join(s.to, ">, <") + ">"},
		{"Subject", mime.QEncoding.Encode("utf-8", subject)},
		{"Date", m.Time.UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000")},
		{"Message-ID", "<" + m.ID + "@coffer>"},
		{"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	}
	for _, f := range fields {
		if strings.ContainsAny(f.value, "\r\n") {
			return nil, fmt.Errorf("%s holds a line break", f.name)
		}
		b.WriteString(f.name + ": " + f.value + "\r\n")
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	b.WriteString("\r\n")
	return b.Bytes(), nil
}
