package signature

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

func TestCheckDate(t *testing.T) {
	const window = 15 * time.Minute
	now := vectorTime().Add(400 * time.Millisecond)
	for name, c := range map[string]struct {
		value string
		ok    bool
		text  string
	}{
		"now":                        {value: "20261121T080000Z", ok: true},
		"15 min old":                 {value: "20261121T074500Z", ok: true},
		"15 min ahead":               {value: "20261121T081500Z", ok: true},
		"N2 15 min 1 s old":          {value: "20261121T074459Z", text: "signature expired, signature time:20261121T074459Z,server time:20261121T080000Z"},
		"N2 15 min 1 s ahead":        {value: "20261121T081501Z", text: "signature expired, signature time:20261121T081501Z,server time:20261121T080000Z"},
		"N2 centuries ahead":         {value: "99991231T235959Z", text: "signature expired, signature time:99991231T235959Z,server time:20261121T080000Z"},
		"N2 centuries old":           {value: "00010101T000000Z", text: "signature expired, signature time:00010101T000000Z,server time:20261121T080000Z"},
		"N3 empty":                   {value: ""},
		"N3 fraction":                {value: "20261121T080000.5Z"},
		"N3 fraction of good length": {value: "20261121T08000.5Z"},
		"N3 offset":                  {value: "20261121T080000+0"},
		"N3 lower case":              {value: "20261121t080000z"},
		"N3 extended":                {value: "2026-11-21T08:00:00Z"},
		"N3 day 31":                  {value: "20261131T080000Z"},
		"N3 29 February":             {value: "20260229T080000Z"},
		"N3 hour 24":                 {value: "20261121T240000Z"},
		"N3 second 60":               {value: "20261121T080060Z"},
		"N3 blank":                   {value: "20261121 080000Z"},
		"N3 sign":                    {value: "2026112 T080000Z"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := CheckDate(c.value, now, window)
			var expired *ExpiredError
			switch {
			case c.ok && (err != nil || got.Format(DateLayout) != c.value):
				t.Errorf("got %v, %v", got, err)
			case c.text != "" && (!errors.As(err, &expired) || err.Error() != c.text):
				t.Errorf("got %v, want %q", err, c.text)
			case !c.ok && c.text == "" && !errors.Is(err, ErrDate):
				t.Errorf("got %v, want ErrDate", err)
			}
		})
	}
	t.Run("the clock may run in any zone", func(t *testing.T) {
		beijing := now.In(time.FixedZone("CST", 8*3600))
		_, err := CheckDate("20261121T074459Z", beijing, window)
		var expired *ExpiredError
		if !errors.As(err, &expired) || expired.Error() != "signature expired, signature time:20261121T074459Z,server time:20261121T080000Z" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a shorter window", func(t *testing.T) {
		if _, err := CheckDate("20261121T075859Z", now, time.Minute); err == nil {
			t.Error("61 s pass a window of 60 s")
		}
	})
}

func TestMessageDate(t *testing.T) {
	for name, c := range map[string]struct {
		values []string
		want   string
	}{
		"N3 absent": {},
		"one":       {[]string{vectorDate}, vectorDate},
		"trimmed":   {[]string{" " + vectorDate + "\t"}, vectorDate},
		"two":       {values: []string{vectorDate, vectorDate}},
		"line feed": {values: []string{vectorDate + "\nx"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := Message{Header: http.Header{}}
			if c.values != nil {
				m.Header[DateHeader] = c.values
			}
			got, err := m.Date()
			if got != c.want || (c.want == "") != errors.Is(err, ErrDate) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
