package signature

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// DateLayout is the form of X-Sdk-Date: UTC, whole seconds.
const DateLayout = "20060102T150405Z"

// ExpiredError is the answer of CheckDate for a date outside the window, past or
// future. Its text completes the tail "calc aksk signature fail:" of APIGW.0301.
type ExpiredError struct {
	Signed time.Time // the date of the request
	Server time.Time // the date it was held against, UTC, whole seconds
}

// Error returns the text that completes the tail.
func (e *ExpiredError) Error() string {
	return fmt.Sprintf("signature expired, signature time:%s,server time:%s",
		e.Signed.Format(DateLayout), e.Server.Format(DateLayout))
}

// CheckDate parses a value of X-Sdk-Date and holds it against now: a date more
// than window away, on either side, is an *ExpiredError. Both are compared in
// whole seconds, so that the two times of the error text always differ by more
// than the window. A value of any other form than DateLayout is ErrDate.
//
// The contract has a window of 15 minutes, configurable from 1 to 15 (auth.md 5.5).
func CheckDate(value string, now time.Time, window time.Duration) (time.Time, error) {
	t, err := parseDate(value)
	if err != nil {
		return time.Time{}, err
	}
	now = now.UTC().Truncate(time.Second)
	if now.Sub(t).Abs() > window {
		return time.Time{}, &ExpiredError{Signed: t, Server: now}
	}
	return t, nil
}

// parseDate is strict: time.Parse alone would take fractions of a second.
func parseDate(value string) (time.Time, error) {
	if len(value) != len(DateLayout) {
		return time.Time{}, ErrDate
	}
	t, err := time.Parse(DateLayout, value)
	if err != nil {
		return time.Time{}, ErrDate
	}
	return t, nil
}

// dateOf returns the one X-Sdk-Date of a request, trimmed as all signed values are.
func dateOf(h http.Header) (string, error) {
	values := h[DateHeader]
	if len(values) != 1 {
		return "", ErrDate
	}
	value := strings.TrimSpace(values[0])
	if strings.IndexByte(value, '\n') >= 0 {
		return "", ErrDate
	}
	return value, nil
}
