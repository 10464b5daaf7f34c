package httpapi

import (
	"log/slog"
	"net/http"
)

// healthz answers 200 while the process answers at all.
func (a *API) healthz(w http.ResponseWriter, _ *http.Request) {
	answerProbe(w, http.StatusOK, `{"status":"ok"}`)
}

// readyz answers 200 when the server can carry out operations, else 503 without the
// reason, which stands in the log.
func (a *API) readyz(w http.ResponseWriter, r *http.Request) {
	if a.Ready == nil {
		answerProbe(w, http.StatusOK, `{"status":"ready"}`)
		return
	}
	if err := a.Ready(); err != nil {
		a.Logger.WarnContext(r.Context(), "not ready", slog.Any("error", err))
		answerProbe(w, http.StatusServiceUnavailable, `{"status":"not ready"}`)
		return
	}
	answerProbe(w, http.StatusOK, `{"status":"ready"}`)
}

func answerProbe(w http.ResponseWriter, status int, body string) {
	asProbe(w)
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

// asProbe says that the request under way is one of a monitor.
func asProbe(w http.ResponseWriter) {
	if x, ok := w.(*exchange); ok {
		x.route = &probe
	}
}

// probe is the route of health checks and of /metrics, in log and metrics.
var probe = route{Name: "probe"}
