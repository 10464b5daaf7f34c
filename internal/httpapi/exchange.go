package httpapi

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/wire"
)

// exchange is one request on its way through the edge, with what is known of it so
// far. It is also the ResponseWriter that notes status and size.
type exchange struct {
	http.ResponseWriter
	ctx       context.Context //nolint:containedctx // lives as long as the request
	r         *http.Request
	route     *route
	requestID string
	who       iam.Caller
	body      []byte
	buffers   []*[]byte // to be cleared and given back
	status    int
	size      int
	code      csms.Code // of the error answered, if any
}

// WriteHeader notes the status.
func (x *exchange) WriteHeader(status int) {
	x.status = status
	x.ResponseWriter.WriteHeader(status)
}

// Write notes the size, and the status that it implies.
func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	n, err := x.ResponseWriter.Write(b)
	x.size += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// readBody reads the complete body, which is signed and so is read for GET and
// DELETE too (auth.md 5.2). Its memory is given back when the exchange ends.
func (x *exchange) readBody(limit int64) error {
	if x.r.ContentLength == 0 {
		return nil
	}
	if x.r.ContentLength > limit {
		return tooLarge()
	}
	buf := x.buffer()
	b, err := readAll(http.MaxBytesReader(x.ResponseWriter, x.r.Body, limit), (*buf)[:0], x.r.ContentLength)
	*buf = b
	x.body = b
	if err == nil {
		return nil
	}
	if _, over := err.(*http.MaxBytesError); over { //nolint:errorlint // net/http returns it bare
		return tooLarge()
	}
	return &csms.Error{Code: csms.CodeBadRequest, Msg: "API request error: the body could not be read.", Err: err}
}

func tooLarge() error { return csms.Errorf(csms.CodeBodyTooLarge, "Request entity too large.") }

// readAll appends all of r to b, which grows to the announced size at once.
func readAll(r io.Reader, b []byte, announced int64) ([]byte, error) {
	if need := int(announced) + 1; announced > 0 && cap(b) < need {
		b = make([]byte, 0, need)
	}
	for {
		if len(b) == cap(b) {
			grown := append(b, 0)[:len(b)] // b may hold a secret and is cleared
			clear(b)
			b = grown
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// buffers are reused between requests. They have held secrets, so each is cleared
// before it goes back; a large one is not kept.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

const keepBuffer = 64 << 10

// buffer returns an empty buffer that lives until the exchange ends.
func (x *exchange) buffer() *[]byte {
	b := buffers.Get().(*[]byte)
	x.buffers = append(x.buffers, b)
	return b
}

// release clears and gives back every buffer of the exchange.
func (x *exchange) release() {
	x.body = nil
	for _, b := range x.buffers {
		clear((*b)[:cap(*b)])
		if cap(*b) <= keepBuffer {
			*b = (*b)[:0]
			buffers.Put(b)
		}
	}
	x.buffers = nil
}

// noContent is the answer of operations that reply 204 with an empty body (W11).
type noContent struct{}

// appender is an answer that encodes itself.
type appender interface {
	AppendJSON(dst []byte) []byte
}

// wiper is an answer that holds plain text.
type wiper interface{ Wipe() }

// reply writes a successful answer.
func (x *exchange) reply(answer any) error {
	switch v := answer.(type) {
	case noContent:
		x.WriteHeader(http.StatusNoContent)
		return nil
	case appender:
		b := x.buffer()
		*b = v.AppendJSON((*b)[:0])
		if w, ok := answer.(wiper); ok {
			w.Wipe()
		}
		return x.send(http.StatusOK, *b)
	default:
		b, err := wire.Marshal(answer)
		if err != nil {
			return err
		}
		return x.send(http.StatusOK, b)
	}
}

// jsonType is shared by all answers; net/http does not change header values.
var jsonType = []string{"application/json"}

// send writes a JSON body. A client that has gone away is no error of ours.
func (x *exchange) send(status int, body []byte) error {
	h := x.Header()
	h["Content-Type"] = jsonType
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.WriteHeader(status)
	_, _ = x.Write(body)
	return nil
}
