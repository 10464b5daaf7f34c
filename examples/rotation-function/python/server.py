"""Serves the handler of index.py over HTTP, as a target of `functions` in the configuration
of Coffer.

    ENGINE=postgresql DB_HOST=db.example.org SIGNING_SECRET=whsec_... python3 server.py

LISTEN is host:port, by default 127.0.0.1:8080. The sub-type comes from the rotation_config
of each secret. Put a proxy with TLS in front of it: a request holds a key.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import threading
import time

import index

LIMIT = 64 * 1024  # bytes of a request
TOLERANCE = 300  # seconds that the clocks may differ

running = threading.Lock()  # one rotation at a time


def signed(headers, body, secret, now):
    """Reports whether the body was signed with the secret: Standard Webhooks."""
    name, sent = headers.get("Webhook-Id", ""), headers.get("Webhook-Timestamp", "")
    if not sent.isdigit() or abs(now - int(sent)) > TOLERANCE:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, "{}.{}.".format(name, sent).encode() + body, hashlib.sha256).digest()
    wanted = "v1," + base64.b64encode(digest).decode()
    return any(hmac.compare_digest(wanted, given) for given in headers.get("Webhook-Signature", "").split())


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > LIMIT:
            return self.answer(413, {"error_code": "TOO_LARGE", "error_msg": "the request is too large"})
        body = self.rfile.read(length)
        if not signed(self.headers, body, os.environ["SIGNING_SECRET"], time.time()):
            return self.answer(401, {"error_code": "NOT_SIGNED", "error_msg": "the signature is wrong or too old"})
        try:
            with running:
                event = json.loads(body)
                index.SECRET_SUB_TYPE = json.loads(event["rotation_config"])["SecretSubType"]
                self.answer(200, index.handler(event))
        except Exception as error:  # its text may hold a value, so it is not told
            self.answer(500, {"error_code": "FUNCTION_BROKEN", "error_msg": type(error).__name__})

    def answer(self, status, members):
        body = json.dumps(members).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    index.ENGINE = os.environ.get("ENGINE", index.ENGINE)
    host, _, port = os.environ.get("LISTEN", "127.0.0.1:8080").rpartition(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    print("listening on {}:{}".format(*server.server_address), flush=True)
    server.serve_forever()
