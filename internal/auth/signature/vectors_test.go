package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The credentials of auth.md 5.7.
const (
	vectorAccess  = "AKTESTEXAMPLE0000001"
	vectorSecret  = "sKtestExampleSecretKey0123456789abcdEFGH"
	vectorProject = "0123456789abcdef0123456789abcdef"
	vectorDate    = "20261121T080000Z"

	goAgent     = "huaweicloud-usdk-go/3.0"
	goSigned    = "user-agent;x-project-id;x-sdk-date"
	vectorHost  = "secrets.example.test:8443"
	vectorV1    = "/v1/" + vectorProject
	emptyHexSum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

func vectorTime() time.Time { return time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC) }

func vectorKey(t testing.TB) *Key {
	t.Helper()
	key, err := NewKey(vectorAccess, []byte(vectorSecret))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// goHeader is the header set of the Go SDK, with more headers in pairs.
func goHeader(more ...string) http.Header {
	h := http.Header{"User-Agent": {goAgent}, "X-Project-Id": {vectorProject}, "X-Sdk-Date": {vectorDate}}
	for i := 0; i < len(more); i += 2 {
		h.Set(more[i], more[i+1])
	}
	return h
}

// bareHeader is a header of the given pairs and the date.
func bareHeader(pairs ...string) http.Header {
	h := goHeader(pairs...)
	for _, name := range []string{"User-Agent", "X-Project-Id"} {
		if !strings.Contains(strings.Join(pairs, "\n"), name) {
			h.Del(name)
		}
	}
	return h
}

func goCanonical(method, uri, query, hash string) string {
	return strings.Join([]string{
		method, uri, query,
		"user-agent:" + goAgent, "x-project-id:" + vectorProject, "x-sdk-date:" + vectorDate, "",
		goSigned, hash,
	}, "\n")
}

// vector is one entry of auth.md 5.7. Fields that the entry does not give are
// empty and not compared.
type vector struct {
	id        string
	method    string
	target    string
	host      string
	header    http.Header
	body      string
	signed    string
	canonical string // whole text
	holds     string // a line of the text
	bodyHash  string
	sum       string // of the canonical request
	signature string
	unsigned  UnsignedPayload
}

func (v *vector) message() Message {
	path, query := SplitTarget(v.target)
	return Message{
		Method: v.method, RawPath: path, RawQuery: query, Host: v.host,
		Header: v.header.Clone(), BodyHash: BodyHash([]byte(v.body)),
	}
}

func (v *vector) authorization() string {
	return "SDK-HMAC-SHA256 Access=" + vectorAccess + ", SignedHeaders=" + v.signed + ", Signature=" + v.signature
}

func vectors() []vector {
	return []vector{{
		id: "V1", method: "GET",
		target:    vectorV1 + "/secrets?event_name=a%2Bb%3Dc%26d~e%2A&limit=10&marker=demo%20secret%2F1&tag=zeta&tag=Alpha&tag=%E4%B8%AD",
		header:    goHeader("Content-Type", "application/json"),
		signed:    goSigned,
		canonical: goCanonical("GET", vectorV1+"/secrets/", "event_name=a%2Bb%3Dc%26d~e%2A&limit=10&marker=demo%20secret%2F1&tag=Alpha&tag=zeta&tag=%E4%B8%AD", emptyHexSum),
		sum:       "7d88ae30b56f3584025b859911e719e3afe70f94b5746e20dcf85276751d6b9f",
		signature: "a5362b9eb69c613328c56e1776b03b8d746b113be93eb8bff1072f017dce1fbf",
	}, {
		id: "V2", method: "POST", target: vectorV1 + "/secrets", header: goHeader(),
		body:      `{"name":"demo-secret","secret_string":"p@ss <word>&"}` + "\n",
		signed:    goSigned,
		canonical: goCanonical("POST", vectorV1+"/secrets/", "", "a3cfcc5f3bf27b9bc4e46c99cd7fef2b81e850e1ed3cb26011ba6ea5f23b36e0"),
		sum:       "e46d6d3cb43346a3f016a65ac3581d8063adc3cb49f9f827dd6809ceadf9d632",
		signature: "c5ef96f28a13a81c0dfad379990c2d830da0f238563948f3e45a4d336442d610",
	}, {
		id: "V3", method: "DELETE", header: goHeader(),
		target:    vectorV1 + "/csms/bb6a3d22-dc93-47ac-b5bd-88df7ad35f1e/tags/env:prod%20@1+%E4%B8%AD",
		signed:    goSigned,
		canonical: goCanonical("DELETE", vectorV1+"/csms/bb6a3d22-dc93-47ac-b5bd-88df7ad35f1e/tags/env%3Aprod%20%401%2B%E4%B8%AD/", "", emptyHexSum),
		sum:       "af7ddb1e8dc120a827d74e4b2b4e0b8862716a39f3c28ba4575aa2b8a40b0f7d",
		signature: "ca14ecd787dfe156c9e2642fe86cbdce602e474cc35892138ce1db662856e0af",
	}, {
		id: "V4", method: "POST", target: vectorV1 + "/secrets/demo-secret/rotate",
		header:    goHeader("Content-Length", "0"),
		signed:    goSigned,
		canonical: goCanonical("POST", vectorV1+"/secrets/demo-secret/rotate/", "", emptyHexSum),
		sum:       "028942d8a088e324786eb32c6c77aa1d42e9b4795ab75591c1cb405269291fc5",
		signature: "27cef0c2608eb0099800e8296a8f586a19ceff2e4f0b874b77665af55ecdff7d",
	}, {
		id: "V5", method: "GET", target: vectorV1 + "/secrets/demo-secret/versions/latest",
		header: goHeader("X-Security-Token", "gQpjbi1ub3J0aC00EXAMPLETOKEN=="),
		signed: goSigned + ";x-security-token",
		canonical: "GET\n" + vectorV1 + "/secrets/demo-secret/versions/latest/\n\n" +
			"user-agent:" + goAgent + "\nx-project-id:" + vectorProject + "\nx-sdk-date:" + vectorDate +
			"\nx-security-token:gQpjbi1ub3J0aC00EXAMPLETOKEN==\n\n" + goSigned + ";x-security-token\n" + emptyHexSum,
		sum:       "7a9414b92c557e3df518bc5547e14988d46aacb6d471753db352c8517c7d0f3c",
		signature: "4e63693da9fe6347a12f6488508a72f43bf4267efb6c5510e30709150a6d068d",
	}, {
		id: "V6", method: "GET", target: "/v3/projects?name=cn-north-4", header: bareHeader(),
		signed:    "x-sdk-date",
		canonical: "GET\n/v3/projects/\nname=cn-north-4\nx-sdk-date:" + vectorDate + "\n\nx-sdk-date\n" + emptyHexSum,
		sum:       "c3ef5bae8a8304a4ed8586545f1e73c60faf085bea9f7a61139eed91e59ccabb",
		signature: "e5339fb510e7f26bc80efa98667df1e940502c73a882ff3066b9252cf40df25f",
	}, {
		id: "V7", method: "GET", target: vectorV1 + "/csms/tasks?limit=5&marker", header: goHeader(),
		signed: "x-project-id;x-sdk-date", holds: "limit=5&marker=",
		sum:       "ee2bcdcdcf03a805d259c62267d49e26d1e1bdcac9a144a9cb3d526cda1de22f",
		signature: "1df3aab640e9dde3a470321614e0a12c01d38173054db97c964be38c2fbe1cf3",
	}, {
		id: "V8", method: "POST", target: vectorV1 + "/secrets/import", body: "anything-here",
		header: goHeader("Content-Type", "application/octet-stream", "X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD"),
		signed: "x-project-id;x-sdk-content-sha256;x-sdk-date", holds: "UNSIGNED-PAYLOAD",
		sum:       "22b110c2703547c9243afe6a7d459f5d2d7cf8de3c477b03aca4f9a7b9c0f1a1",
		signature: "9f9656c22feb0a15c79297c080c90632d78a1e070ee55b478d3d1adf891ec0ae",
		unsigned:  AcceptUnsigned,
	}, {
		id: "D0 reference of D1-D3", method: "GET", target: vectorV1 + "/secrets/demo-secret", header: goHeader(),
		signed:    goSigned,
		sum:       "a089ce60061356587388c27ce2462bc7ecdbf9e674736dd3e77fcc13b873135c",
		signature: "f42c05268e6b82bd3780c0577a8af8a62e5966c7319d91d2dd27abcc1e77d0ef",
	}, {
		id: "C1 Terraform", method: "POST", target: vectorV1 + "/secrets",
		body: `{"name":"demo","secret_string":"p@ss<>&"}` + "\n",
		header: bareHeader("Accept", "application/json", "Content-Type", "application/json", "X-Language", "en-us",
			"User-Agent", "terraform-provider-iac golangsdk/2.0.0", "X-Project-Id", vectorProject),
		signed:    "accept;content-type;user-agent;x-language;x-sdk-date",
		bodyHash:  "cad9dccc8f412f979df30706b747532bfcabb62ec63690f725d56342ac89ad9b",
		sum:       "79a7c2a6384b4dab51ac64242e9919c88d073443352aeedc651e29e46356c41b",
		signature: "ecbe8b914a41109b14edef6996fa626dddd00e6fe1d76f30c93e4a9c43084825",
	}, {
		id: "C2 Node", method: "GET", target: vectorV1 + "/secrets/demo-secret/versions/latest",
		host: vectorHost, body: "{}",
		header:    bareHeader("Content-Type", "application/json", "X-Project-Id", vectorProject),
		signed:    "content-type;host;x-project-id;x-sdk-date",
		bodyHash:  "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
		sum:       "43bf2b1dab03e819332973615a950203e7a31bd43be5442a1fc1f1995a21012e",
		signature: "03f0f062215af47404afe20a6f9cfccd6ab08af03ba537baa510fc14a2ad4e83",
	}, {
		id: "C3 Python", method: "DELETE", host: vectorHost,
		target:    vectorV1 + "/csms/bb6a3d22-dc93-47ac-b5bd-88df7ad35f1e/tags/env%2Fprod",
		header:    goHeader("Content-Type", "application/json", "User-Agent", "huaweicloud-usdk-python/3.0"),
		signed:    "content-type;host;user-agent;x-project-id;x-sdk-date",
		holds:     vectorV1 + "/csms/bb6a3d22-dc93-47ac-b5bd-88df7ad35f1e/tags/env/prod/",
		sum:       "4c6454a778c1433f39318076eecceed238f4091d71a8347d54157ee9764917e2",
		signature: "6771e1f0355090a54a3b352146ccdfa12d0c0884b72e236ff9a6eca7dad916a7",
	}}
}

func TestVectors(t *testing.T) {
	for _, v := range vectors() {
		t.Run(v.id, func(t *testing.T) {
			t.Run("canonical request", func(t *testing.T) { testVectorCanonical(t, v) })
			t.Run("verify", func(t *testing.T) {
				m := v.message()
				h, err := ParseHeader(v.authorization())
				if err != nil {
					t.Fatal(err)
				}
				if err := vectorKey(t).Verify(&h, &m, v.unsigned); err != nil {
					t.Fatal(err)
				}
			})
			t.Run("sign", func(t *testing.T) {
				m := v.message()
				m.Header.Del(DateHeader)
				got, err := vectorKey(t).Sign(&m, strings.Split(v.signed, ";"), vectorTime())
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(got, v.authorization()); diff != "" {
					t.Error(diff)
				}
			})
			t.Run("reference", func(t *testing.T) {
				if !refVerify(v.authorization(), v.message(), vectorSecret) {
					t.Error("the reference implementation refuses the vector")
				}
			})
		})
	}
}

func testVectorCanonical(t *testing.T, v vector) {
	m := v.message()
	text, err := CanonicalRequest(&Header{SignedHeaders: v.signed}, &m)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), v.canonical); v.canonical != "" && diff != "" {
		t.Error(diff)
	}
	if v.holds != "" && !strings.Contains(string(text), "\n"+v.holds) {
		t.Errorf("no line %q in\n%s", v.holds, text)
	}
	if v.bodyHash != "" && hex.EncodeToString(m.BodyHash[:]) != v.bodyHash {
		t.Errorf("body hash: got %x, want %s", m.BodyHash, v.bodyHash)
	}
	sum := sha256.Sum256(text)
	if diff := cmp.Diff(hex.EncodeToString(sum[:]), v.sum); diff != "" {
		t.Errorf("hash of\n%s\n%s", text, diff)
	}
}

// derivedVector is D1.
const derivedVector = "V11-HMAC-SHA256 Credential=" + vectorAccess + "/20261121/self-1/csms, SignedHeaders=" + goSigned +
	", Signature=fc007004d62daf42ab8ea3162768db1f1a3044c5b8277c531136b861458d9b31"

func derivedMessage() Message {
	return Message{Method: "GET", RawPath: vectorV1 + "/secrets/demo-secret", Header: goHeader(), BodyHash: BodyHash(nil)}
}

func TestDerivedVector(t *testing.T) {
	t.Run("D1 verify", func(t *testing.T) {
		h, err := ParseHeader(derivedVector)
		if err != nil {
			t.Fatal(err)
		}
		if h.Scope != "20261121/self-1/csms" || h.AccessKey != vectorAccess {
			t.Errorf("scope %q, access key %q", h.Scope, h.AccessKey)
		}
		m := derivedMessage()
		if err := vectorKey(t).Verify(&h, &m, RefuseUnsigned); err != nil {
			t.Error(err)
		}
	})
	t.Run("D1 sign", func(t *testing.T) {
		m := derivedMessage()
		got, err := vectorKey(t).SignDerived(&m, nil, vectorTime(), "self-1", "csms")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, derivedVector); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("another region, service or day fails", func(t *testing.T) {
		for scope, want := range map[string]error{
			"20261121/self-2/csms": ErrMismatch,
			"20261121/self-1/kms":  ErrMismatch,
			"20261122/self-1/csms": ErrScope,
		} {
			h, err := ParseHeader(strings.Replace(derivedVector, "20261121/self-1/csms", scope, 1))
			if err != nil {
				t.Fatal(err)
			}
			m := derivedMessage()
			if err := vectorKey(t).Verify(&h, &m, RefuseUnsigned); !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", scope, err, want)
			}
		}
	})
	t.Run("names that break the header are refused", func(t *testing.T) {
		for _, region := range []string{"", "a/b", "a b", "a,b"} {
			m := derivedMessage()
			if _, err := vectorKey(t).SignDerived(&m, nil, vectorTime(), region, "csms"); !errors.Is(err, ErrSyntax) {
				t.Errorf("%q: got %v, want ErrSyntax", region, err)
			}
		}
	})
}

// A token that is shown without a scheme, or in place of one, is not repeated.
func TestAWordThatCannotBeAnAlgorithmIsNotRepeated(t *testing.T) {
	const token = "gQpjbi1ub3J0aC00EXAMPLETOKEN"
	for _, value := range []string{token, "SDK-" + token, token + " and more"} {
		_, err := ParseHeader(value)
		if !errors.Is(err, ErrAlgorithm) || strings.Contains(err.Error(), token) {
			t.Errorf("%q: got %v, want ErrAlgorithm without the word", value, err)
		}
	}
}

// D2, D3 and the other algorithms of the SDKs are refused by name.
func TestOtherAlgorithmsAreRefused(t *testing.T) {
	for _, name := range []string{"SDK-HMAC-SM3", "SDK-ECDSA-P256-SHA256", "SDK-SM2-SM3", "sdk-hmac-sha256", "Bearer", "SDK-HMAC-SHA256,"} {
		v := vectors()[0]
		_, err := ParseHeader(strings.Replace(v.authorization(), "SDK-HMAC-SHA256", name, 1))
		if !errors.Is(err, ErrAlgorithm) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, want ErrAlgorithm with the name", name, err)
		}
	}
}
