// Command rotation-function changes the passwords of accounts on PostgreSQL for Coffer,
// over contract 1 of rotation functions: a POST names a secret and brings a key for it.
//
//	PGHOST=db.example.org PGSSLMODE=verify-full SIGNING_SECRET=whsec_... rotation-function
//
// LISTEN is host:port, by default 127.0.0.1:8080. Everything that libpq reads from PG...
// variables counts, but for user and password, which stand in the secret. A private CA of
// Coffer goes into SSL_CERT_FILE. Put a proxy with TLS in front: a request holds a key.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

// maxRequest is the length of a request in bytes.
const maxRequest = 64 << 10

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx); err != nil {
		log.Fatal(err)
	}
}

func serve(ctx context.Context) error {
	secret, err := parseSecret(os.Getenv("SIGNING_SECRET"))
	if err != nil {
		return err
	}
	address := os.Getenv("LISTEN")
	if address == "" {
		address = "127.0.0.1:8080"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	log.Printf("listening on %s", listener.Addr())
	server := &http.Server{Handler: &function{secret: secret, now: time.Now}, ReadTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// function answers requests of Coffer, one at a time: two rotations of one secret must
// not meet.
type function struct {
	secret []byte
	now    func() time.Time
	mu     sync.Mutex
}

// event is what the request says. It holds no value.
type event struct {
	Version        string     `json:"version"`
	TaskID         string     `json:"task_id"`
	ProjectID      string     `json:"project_id"`
	SecretName     string     `json:"secret_name"`
	RotationConfig string     `json:"rotation_config"`
	Endpoint       string     `json:"csms_endpoint"`
	CurrentVersion string     `json:"current_version"`
	Credential     credential `json:"credential"`
}

// failure is what the task of the rotation shows. No value may be in it.
type failure struct {
	Code string `json:"error_code"`
	Msg  string `json:"error_msg"`
}

func (f failure) Error() string { return f.Code + ": " + f.Msg }

func (f *function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		answer(w, http.StatusBadRequest, failure{"NOT_READ", "the request could not be read"})
		return
	}
	if !signed(r.Header, body, f.secret, f.now()) {
		answer(w, http.StatusUnauthorized, failure{"NOT_SIGNED", "the signature is wrong or too old"})
		return
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil || e.Version != "1" {
		answer(w, http.StatusBadRequest, failure{"CONTRACT_UNKNOWN", "this function knows version 1 of the contract"})
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	version, err := rotate(r.Context(), &e)
	if told := (failure{}); errors.As(err, &told) {
		answer(w, http.StatusOK, told)
		return
	}
	if err != nil {
		log.Printf("task %s: %v", e.TaskID, err)
		answer(w, http.StatusInternalServerError, failure{"FUNCTION_BROKEN", "the log of the function has the cause"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"version_id": version})
}

func answer(w http.ResponseWriter, status int, members any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(members) // who has gone away hears nothing
}

// multiUser reports whether two accounts take turns.
func (e *event) multiUser() bool {
	var config struct{ SecretSubType string }
	_ = json.Unmarshal([]byte(e.RotationConfig), &config)
	return strings.EqualFold(config.SecretSubType, "MultiUser")
}
