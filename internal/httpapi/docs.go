package httpapi

import (
	"embed"
	"net/http"
)

// The API document with a reader: /docs shows, of every operation that is routed, what
// it takes and answers, and an example that a test has executed; and the operations of the
// other APIs, with an example from their corpus. openapi.json and neighbours.json are made by
// `go test ./internal/httpapi -update` and held true by TestTheDocumentIsServed and
// TestTheNeighboursAreServed; nothing here asks another server.
//
//go:embed docs
var docs embed.FS

// docsPolicy lets the reader load what is beside it and nothing else.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsFiles are the files by their path.
var docsFiles = map[string]struct{ file, contentType string }{
	"/docs":                 {"docs/index.html", "text/html; charset=utf-8"},
	"/docs/openapi.json":    {"docs/openapi.json", "application/json"},
	"/docs/neighbours.json": {"docs/neighbours.json", "application/json"},
	"/docs/reader.js":       {"docs/reader.js", "text/javascript; charset=utf-8"},
	"/docs/style.css":       {"docs/style.css", "text/css; charset=utf-8"},
}

// handleDocs registers the files. They need no credentials: they tell nothing of what is
// stored.
func (a *API) handleDocs() {
	for path, f := range docsFiles {
		a.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			if x, ok := w.(*exchange); ok {
				x.route = &page
			}
			body, err := docs.ReadFile(f.file)
			if err != nil {
				a.fail(w.(*exchange), err)
				return
			}
			h := w.Header()
			h.Set("Content-Type", f.contentType)
			h.Set("Content-Security-Policy", docsPolicy)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Referrer-Policy", "no-referrer")
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write(body)
		})
	}
}

// page is the route of the files, in log and metrics.
var page = route{Name: "docs"}
