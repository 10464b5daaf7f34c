package httpapi

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/wire"
)

// witness reads from a reader and keeps the memory that it was read into.
type witness struct {
	io.Reader
	seen [][]byte
}

func (w *witness) Read(p []byte) (int, error) {
	w.seen = append(w.seen, p)
	return w.Reader.Read(p)
}

func (w *witness) Close() error { return nil }

// keeper is a ResponseWriter that keeps the memory it was given.
type keeper struct {
	http.ResponseWriter
	seen [][]byte
}

func (k *keeper) Write(p []byte) (int, error) {
	k.seen = append(k.seen, p)
	return k.ResponseWriter.Write(p)
}

// unclean reports whether one of the slices still holds something.
func unclean(slices [][]byte) bool {
	for _, p := range slices {
		for _, b := range p {
			if b != 0 {
				return true
			}
		}
	}
	return false
}

// TestReleaseClearsBodies protects the value in a request: every array it was read
// into is cleared, the outgrown ones too, whether its size was announced or not, and
// where the reading failed.
func TestReleaseClearsBodies(t *testing.T) {
	for _, size := range []int{1, 4095, 4096, 4097, 70_000, 300_000} {
		for _, announced := range []int64{int64(size), -1, 300_001} {
			body := &witness{Reader: strings.NewReader(strings.Repeat("c", size))}
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Body, r.ContentLength = body, announced
			x := &exchange{ResponseWriter: httptest.NewRecorder(), r: r}
			if err := x.readBody(300_001); err != nil || len(x.body) != size {
				t.Fatalf("read %d bytes of %d: %v", len(x.body), size, err)
			}
			x.release()
			if unclean(body.seen) || x.body != nil {
				t.Errorf("a body of %d bytes, announced as %d, is still there", size, announced)
			}
		}
	}
}

func TestReleaseClearsWhatFailed(t *testing.T) {
	for name, tail := range map[string]io.Reader{"too large": strings.NewReader("cc"), "cut off": failing{}} {
		body := &witness{Reader: io.MultiReader(strings.NewReader(strings.Repeat("c", 9999)), tail)}
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Body, r.ContentLength = body, -1
		x := &exchange{ResponseWriter: httptest.NewRecorder(), r: r}
		if err := x.readBody(10_000); err == nil {
			t.Fatalf("%s: no error", name)
		}
		x.release()
		if unclean(body.seen) {
			t.Errorf("%s: the body is still there", name)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("cut off") }

// TestReleaseClearsAnswers protects the value in an answer: the array it was encoded
// into is cleared and the value itself wiped.
func TestReleaseClearsAnswers(t *testing.T) {
	for _, size := range []int{1, 32_768, 200_000} {
		data := csms.Plaintext(strings.Repeat("c", size))
		k := &keeper{ResponseWriter: httptest.NewRecorder()}
		x := &exchange{ResponseWriter: k}
		answer := &wire.ValueAnswer{Version: wire.Value{Value: csms.Value{Kind: csms.Text, Data: data}}}
		if err := x.reply(answer); err != nil || len(k.seen) != 1 || x.size != len(k.seen[0]) {
			t.Fatalf("replying: %v, %d writes", err, len(k.seen))
		}
		x.release()
		if unclean(k.seen) || unclean([][]byte{data}) {
			t.Errorf("a value of %d bytes is still there", size)
		}
	}
}

// TestBuffersAreClean protects the next request.
func TestBuffersAreClean(t *testing.T) {
	for range 100 {
		x := &exchange{}
		b := x.buffer()
		if len(*b) != 0 || unclean([][]byte{(*b)[:cap(*b)]}) || cap(*b) > keepBuffer {
			t.Fatalf("a buffer of %d bytes, %d used, is not clean", cap(*b), len(*b))
		}
		*b = append(*b, strings.Repeat("c", 5000)...)
		x.release()
	}
}

// TestEnvelope protects W7, W8 and W9: flat, or wrapped where the operation is so,
// but for errors of the gateway, which are always flat and have the request id.
func TestEnvelope(t *testing.T) {
	tests := map[string]struct {
		code    csms.Code
		wrapped bool
		want    string
	}{
		"flat":                        {csms.CodeInvalid, false, `{"error_code":"CSMS.0002","error_msg":"no"}`},
		"wrapped":                     {csms.CodeInvalid, true, `{"error":{"error_code":"CSMS.0002","error_msg":"no"}}`},
		"forbidden, wrapped":          {csms.CodeForbidden, true, `{"error":{"error_code":"CSMS.0302","error_msg":"no"}}`},
		"the status is not told":      {csms.CodeUnknownEvent, false, `{"error_code":"CSMS.0005","error_msg":"no"}`},
		"gateway":                     {csms.CodeUnauthenticated, false, `{"error_code":"APIGW.0301","error_msg":"no","request_id":"7"}`},
		"gateway where it is wrapped": {csms.CodeBodyTooLarge, true, `{"error_code":"APIGW.0201","error_msg":"no","request_id":"7"}`},
		"IAM":                         {csms.CodeIAMNotFound, false, `{"error_code":"IAM.0004","error_msg":"no","request_id":"7"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			x := &exchange{route: &route{Wrapped: tt.wrapped}, requestID: "7"}
			got, err := wire.Marshal(envelope(x, &csms.Error{Code: tt.code, Msg: "no", Err: errors.New("internal")}))
			if err != nil || string(got) != tt.want {
				t.Errorf("envelope = %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

// TestStatusOf protects the table of section 17: one code, one status (ER1, ER4).
func TestStatusOf(t *testing.T) {
	for code, want := range map[csms.Code]int{
		csms.CodeInternal: 500, csms.CodeInvalid: 400, csms.CodeBadURL: 400, csms.CodeBadBody: 400, csms.CodeNotFound: 404,
		csms.CodeUnknownEvent: 400, csms.CodePendingDeletion: 400, csms.CodeSystemStage: 400, csms.CodeSecretNotFound: 404,
		csms.CodeAlreadyScheduled: 400, csms.CodeNotScheduled: 400, csms.CodeNotEnabled: 403, csms.CodeSecretQuota: 400,
		csms.CodeStageFull: 400, csms.CodeStageQuota: 400, csms.CodeForbidden: 403, csms.CodeKey: 400,
		csms.CodeNoSuchAPI: 404, csms.CodeBadRequest: 400, csms.CodeBodyTooLarge: 413, csms.CodeURITooLarge: 414,
		csms.CodeHeadersTooLarge: 494, csms.CodeUnauthenticated: 401, csms.CodeThrottled: 429, csms.CodeProject: 403,
		csms.CodeBackendTimeout: 504, csms.CodeIAMUnavailable: 503,
		csms.CodeIAMForbidden: 403, csms.CodeIAMNotFound: 404, csms.CodeIAMConflict: 409, csms.CodeIAMInvalid: 400,
	} {
		if got := statusOf(code); got != want {
			t.Errorf("status of %s = %d; want %d", code, got, want)
		}
	}
}

// TestCut protects ER3: a message has at most 512 bytes and is never cut within a
// letter.
func TestCut(t *testing.T) {
	for in, want := range map[string]int{
		strings.Repeat("x", 512): 512, strings.Repeat("x", 513): 512, "x" + strings.Repeat("é", 300): 511, strings.Repeat("🔑", 200): 512,
	} {
		if got := cut(in); len(got) != want || !strings.HasPrefix(in, got) {
			t.Errorf("cut of %d bytes = %d bytes; want %d", len(in), len(got), want)
		}
	}
}

// TestFailAfterTheAnswerHasBegun protects the client from two answers in one.
func TestFailAfterTheAnswerHasBegun(t *testing.T) {
	w := httptest.NewRecorder()
	x := &exchange{ResponseWriter: w, route: &unrouted, r: httptest.NewRequest(http.MethodGet, "/", nil)}
	_ = x.send(http.StatusOK, []byte("{}"))
	(&API{}).fail(x, csms.Invalidf("too late"))
	if w.Body.String() != "{}" || x.code != csms.CodeInvalid {
		t.Errorf("answer: %s, noted %s", w.Body, x.code)
	}
}
