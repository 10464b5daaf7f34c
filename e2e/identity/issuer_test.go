package identity

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// issuer is an OpenID Connect issuer: a discovery document, keys, and tokens signed
// with RS256, as the API server of Kubernetes has them.
type issuer struct {
	url  string
	key  atomic.Pointer[rsa.PrivateKey]
	down atomic.Bool
}

func startIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{}
	i.rotate(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": i.url, "jwks_uri": i.url + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		public := i.key.Load().PublicKey
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid(&public),
			"n": encode(public.N.Bytes()), "e": encode(big.NewInt(int64(public.E)).Bytes()),
		}}})
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	i.url = s.URL
	return i
}

// rotate gives the issuer another key.
func (i *issuer) rotate(t *testing.T) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i.key.Store(key)
}

func kid(k *rsa.PublicKey) string {
	sum := sha256.Sum256(k.N.Bytes())
	return encode(sum[:8])
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token is a token of a service account, with claims over those that are right.
func (i *issuer) token(t *testing.T, claims map[string]any) string {
	t.Helper()
	key := i.key.Load()
	all := map[string]any{
		"iss": i.url, "aud": []string{"coffer"}, "sub": "system:serviceaccount:prod:api",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		"kubernetes.io": map[string]any{"namespace": "prod", "serviceaccount": map[string]string{"name": "api"}},
	}
	for name, value := range claims {
		all[name] = value
	}
	signed := part(t, map[string]string{"alg": "RS256", "kid": kid(&key.PublicKey)}) + "." + part(t, all)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

func part(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return encode(b)
}
