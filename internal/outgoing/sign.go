package outgoing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
)

// Sign adds the headers of Standard Webhooks: id, time of this attempt, and HMAC-SHA256
// over id, time and body. An empty secret signs nothing. at is wall time: receivers
// refuse a signature that is minutes old.
func Sign(h http.Header, secret []byte, id string, at time.Time, body []byte) {
	second := strconv.FormatInt(at.Unix(), 10)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", second)
	if len(secret) == 0 {
		return
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + second + "."))
	mac.Write(body)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
