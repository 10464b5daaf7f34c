package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// credential is the key that the request brings: for one secret, while the task runs.
type credential struct {
	Access        string `json:"access"`
	Secret        string `json:"secret"`
	SecurityToken string `json:"securitytoken"`
}

// secret is the secret of an event, over the API of Coffer.
type secret struct {
	base string
	key  credential
	http http.Client
}

func newSecret(e *event) (*secret, error) {
	key := e.Credential
	if key.Access == "" { // own_credential in the configuration of Coffer
		key = credential{Access: os.Getenv("CLOUD_SDK_AK"), Secret: os.Getenv("CLOUD_SDK_SK")}
	}
	if key.Access == "" {
		return nil, failure{"CREDENTIAL_MISSING", "neither the request nor CLOUD_SDK_AK gives a key"}
	}
	base := strings.TrimRight(e.Endpoint, "/") + "/v1/" + url.PathEscape(e.ProjectID) + "/secrets/" + url.PathEscape(e.SecretName)
	return &secret{base: base, key: key, http: http.Client{Timeout: 10 * time.Second}}, nil
}

// version is a version of the secret.
type version struct {
	id      string
	account account
}

// holder returns the id of the version under a label, "" for none.
func (s *secret) holder(ctx context.Context, label string) (string, error) {
	var answer struct {
		Stage struct {
			VersionID string `json:"version_id"`
		} `json:"stage"`
	}
	err := s.call(ctx, http.MethodGet, "/stages/"+label, nil, &answer)
	if errors.Is(err, errMissing) {
		return "", nil
	}
	return answer.Stage.VersionID, err
}

// version reads a version with its value.
func (s *secret) version(ctx context.Context, id string) (version, error) {
	var answer struct {
		Version struct {
			Text     string `json:"secret_string"`
			Metadata struct {
				ID string `json:"id"`
			} `json:"version_metadata"`
		} `json:"version"`
	}
	if err := s.call(ctx, http.MethodGet, "/versions/"+id, nil, &answer); err != nil {
		return version{}, err
	}
	a, err := parseAccount(answer.Version.Text)
	return version{id: answer.Version.Metadata.ID, account: a}, err
}

// store makes a version under PENDING.
func (s *secret) store(ctx context.Context, text string) (version, error) {
	var answer struct {
		Metadata struct {
			ID string `json:"id"`
		} `json:"version_metadata"`
	}
	in := map[string]any{"secret_string": text, "version_stages": []string{pending}}
	if err := s.call(ctx, http.MethodPost, "/versions", in, &answer); err != nil {
		return version{}, err
	}
	return s.version(ctx, answer.Metadata.ID)
}

// move puts a label on a version.
func (s *secret) move(ctx context.Context, label, id string) error {
	return s.call(ctx, http.MethodPut, "/stages/"+label, map[string]string{"version_id": id}, nil)
}

// errMissing is the answer 404.
var errMissing = errors.New("there is no such thing")

// call makes one signed request. A refusal becomes a failure with the code of Coffer.
func (s *secret) call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	s.key.sign(r, body, time.Now())
	resp, err := s.http.Do(r)
	if err != nil {
		return failure{"COFFER_UNREACHABLE", "no answer from " + r.URL.Host}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return failure{"COFFER_UNREACHABLE", "half an answer from " + r.URL.Host}
	case resp.StatusCode == http.StatusNotFound:
		return errMissing
	case resp.StatusCode >= 300:
		return refusal(answer, resp.StatusCode)
	case out == nil:
		return nil
	}
	return json.Unmarshal(answer, out)
}

// refusal reads the two forms of error answers.
func refusal(answer []byte, status int) error {
	var said struct {
		failure
		Error failure `json:"error"`
	}
	_ = json.Unmarshal(answer, &said)
	switch {
	case said.Error.Code != "":
		return said.Error
	case said.Code != "":
		return said.failure
	}
	return failure{"COFFER_REFUSED", fmt.Sprintf("Coffer answers %d", status)}
}

// sign signs a request without a query: SDK-HMAC-SHA256.
func (c credential) sign(r *http.Request, body []byte, now time.Time) {
	date := now.UTC().Format("20060102T150405Z")
	headers, signed := "host:"+r.URL.Host+"\nx-sdk-date:"+date+"\n", "host;x-sdk-date"
	r.Header.Set("X-Sdk-Date", date)
	if c.SecurityToken != "" {
		r.Header.Set("X-Security-Token", c.SecurityToken)
		headers, signed = headers+"x-security-token:"+c.SecurityToken+"\n", signed+";x-security-token"
	}
	request := strings.Join([]string{r.Method, r.URL.EscapedPath() + "/", "", headers, signed, hash(body)}, "\n")
	mac := hmac.New(sha256.New, []byte(c.Secret))
	mac.Write([]byte("SDK-HMAC-SHA256\n" + date + "\n" + hash([]byte(request))))
	r.Header.Set("Authorization", "SDK-HMAC-SHA256 Access="+c.Access+", SignedHeaders="+signed+", Signature="+hex.EncodeToString(mac.Sum(nil)))
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// parseSecret reads a signing secret: whsec_ and base64.
func parseSecret(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	if err != nil || len(key) < 24 {
		return nil, errors.New("SIGNING_SECRET must be whsec_ and base64 of at least 24 bytes")
	}
	return key, nil
}

// tolerance is how far the clock of Coffer may be off.
const tolerance = 5 * time.Minute

// signed reports whether a request was signed with the secret: Standard Webhooks.
func signed(h http.Header, body, secret []byte, now time.Time) bool {
	id, sent := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp")
	second, err := strconv.ParseInt(sent, 10, 64)
	if err != nil || now.Sub(time.Unix(second, 0)).Abs() > tolerance {
		return false
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + sent + "."))
	mac.Write(body)
	wanted := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	for _, given := range strings.Fields(h.Get("Webhook-Signature")) {
		if hmac.Equal(wanted, []byte(given)) {
			return true
		}
	}
	return false
}
