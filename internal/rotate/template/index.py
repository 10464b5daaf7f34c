"""Rotation function for database secrets of Coffer, contract version 1.

Coffer calls handler() with an event that names the secret and, for HTTP targets, brings
a key that may touch this secret only. The function makes a password, sets it on the
database, tries it, and moves the labels of the secret:

    PENDING      -> the version with the new password, before the database knows it
    SYSPREVIOUS  -> the version that was current
    SYSCURRENT   -> the version with the new password: this ends the rotation

It may be called again after every one of these steps, and goes on where it was.

The account changes its own password, with the one that it has, so no administrator is
needed. SingleUser changes the account of SYSCURRENT. MultiUser changes that of
SYSPREVIOUS, so that clients that still use the current one are not disturbed.

The secret is a JSON object with `username` and `password` (or user, name, account; passwd,
pwd). `host`, `port` and `dbname` may stand in it too, or in DB_HOST, DB_PORT and DB_NAME of
the environment. Everything else in it is kept as it is.

Needs Python 3.8 and one driver: PyMySQL, psycopg2 or pymssql. A private CA of Coffer goes
into SSL_CERT_FILE.
"""

import datetime
import hashlib
import hmac
import http.client
import importlib
import json
import os
import re
import secrets
import string
import urllib.error
import urllib.parse
import urllib.request

ENGINE = "mysql"  # mysql, postgresql or sqlserver
SECRET_SUB_TYPE = "SingleUser"  # SingleUser or MultiUser

PENDING, CURRENT, PREVIOUS = "PENDING", "SYSCURRENT", "SYSPREVIOUS"
USER_FIELDS = ("username", "user", "name", "account")
PASSWORD_FIELDS = ("password", "passwd", "pwd")
PUNCTUATION = "~!@#%^*-_=+?,"  # what every supported database takes
TIMEOUT = 10  # seconds, of each request and each login


class RotationError(Exception):
    """A failure whose code and text are shown in the task; never with a value in it."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def handler(event, context=None):
    """Rotates the secret of the event, and returns the version that is current then."""
    try:
        return {"version_id": rotate(event, context)}
    except RotationError as error:
        return {"error_code": error.code, "error_msg": str(error)}


def rotate(event, context):
    if event.get("version") != "1":
        raise RotationError("CONTRACT_UNKNOWN", "this function knows version 1 of the contract")
    secret = Secret(event, context)
    current = secret.version_of(CURRENT)
    if current != event["current_version"]:
        return current  # rotated already
    pending, base = prepare(secret, current)
    database = DATABASES[ENGINE]()
    if not database.accepts(pending.value):
        database.change(base.value, pending.value)
        if not database.accepts(pending.value):
            raise RotationError("LOGIN_REFUSED", "the new password was set, and a login with it is refused")
    secret.move(PREVIOUS, current)
    secret.move(CURRENT, pending.id)
    return pending.id


def prepare(secret, current):
    """Returns the version with the new password, and the one whose account gets it.

    A version that was left under PENDING is taken over if it is of the same account: the
    database may know its password already.
    """
    previous, left = secret.version_of(PREVIOUS), secret.version_of(PENDING)
    if left == current:
        left = None  # the label of the last rotation
    if SECRET_SUB_TYPE == "MultiUser":
        if left and previous == current:
            pending = secret.version(left)  # all was done but the last move
            return pending, pending
        base = secret.version(previous or current)
        if base.value.user == secret.version(current).value.user:
            raise RotationError("SECOND_ACCOUNT_MISSING", "MultiUser takes turns: store the second account as a version first")
    else:
        base = secret.version(current)
    if left:
        pending = secret.version(left)
        if pending.value.user == base.value.user:
            return pending, base
    return secret.store(base.value.renewed(new_password())), base


def new_password(length=24):
    """Returns a random password with characters of all four classes."""
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, PUNCTUATION)
    while True:
        password = "".join(secrets.choice("".join(classes)) for _ in range(length))
        if all(any(c in kind for c in password) for kind in classes):
            return password


class Value:
    """The JSON text of a version: an account, and where it logs in."""

    def __init__(self, text):
        try:
            self.members = json.loads(text)
            self.user_field = next(f for f in USER_FIELDS if f in self.members)
            self.password_field = next(f for f in PASSWORD_FIELDS if f in self.members)
        except (TypeError, ValueError, StopIteration):
            raise RotationError("VALUE_UNKNOWN", "the secret must be a JSON object with username and password") from None
        self.user, self.password = self.members[self.user_field], self.members[self.password_field]
        if not isinstance(self.user, str) or not re.fullmatch(r"[A-Za-z0-9_@.%-]+", self.user):
            raise RotationError("ACCOUNT_NAME_REFUSED", "the name of the account has characters that are not allowed")

    def renewed(self, password):
        return json.dumps({**self.members, self.password_field: password})

    def place(self, default_port):
        host = self.members.get("host") or os.environ.get("DB_HOST")
        if not host:
            raise RotationError("HOST_MISSING", "neither the secret nor DB_HOST names the database")
        port = self.members.get("port") or os.environ.get("DB_PORT") or default_port
        name = self.members.get("dbname") or os.environ.get("DB_NAME")
        return host, int(port), name


class Version:
    def __init__(self, answer):
        self.id = answer["version_metadata"]["id"]
        self.value = Value(answer.get("secret_string"))


class Secret:
    """The secret of an event, over the API of Coffer."""

    def __init__(self, event, context):
        self.base = event["csms_endpoint"].rstrip("/")
        self.path = "/v1/{}/secrets/{}".format(event["project_id"], event["secret_name"])
        self.key = credential(event, context)

    def version_of(self, label):
        answer = self.call("GET", "/stages/" + label, missing=True)
        return answer and answer["stage"]["version_id"]

    def version(self, version_id):
        return Version(self.call("GET", "/versions/" + version_id)["version"])

    def store(self, text):
        body = {"secret_string": text, "version_stages": [PENDING]}
        return self.version(self.call("POST", "/versions", body)["version_metadata"]["id"])

    def move(self, label, version_id):
        self.call("PUT", "/stages/" + label, {"version_id": version_id})

    def call(self, method, path, body=None, missing=False):
        data = json.dumps(body).encode() if body is not None else b""
        request = urllib.request.Request(self.base + self.path + path, method=method, data=data or None)
        for name, value in sign(self.key, method, request.full_url, data).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if missing and error.code == 404:
                return None
            raise RotationError(*explained(error)) from None
        except (OSError, ValueError, http.client.HTTPException):
            raise RotationError("COFFER_UNREACHABLE", "no answer from " + self.base) from None


def explained(error):
    """Returns the code and the text of an error answer."""
    try:
        body = json.load(error)
        body = body.get("error", body)
        return body["error_code"], body["error_msg"]
    except (ValueError, KeyError, AttributeError, OSError):
        return "COFFER_REFUSED", "the answer was status {}".format(error.code)


def credential(event, context):
    """Returns access key, secret key and security token: those of the event, else those
    that the function platform has for an agency, else those of the environment."""
    given = event.get("credential")
    if given:
        return given["access"], given["secret"], given.get("securitytoken")
    if hasattr(context, "getSecurityAccessKey"):
        return context.getSecurityAccessKey(), context.getSecuritySecretKey(), context.getSecurityToken()
    if os.environ.get("CLOUD_SDK_AK"):
        return os.environ["CLOUD_SDK_AK"], os.environ["CLOUD_SDK_SK"], os.environ.get("CLOUD_SDK_SECURITY_TOKEN")
    raise RotationError("CREDENTIAL_MISSING", "neither the event, nor an agency, nor CLOUD_SDK_AK gives a key")


def sign(key, method, url, body):
    """Returns the headers of a request with the signature SDK-HMAC-SHA256."""
    access, secret, token = key
    parts = urllib.parse.urlsplit(url)
    headers = {
        "content-type": "application/json",
        "host": parts.netloc,
        "x-sdk-date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ"),
    }
    if token:
        headers["x-security-token"] = token
    signed = sorted(name for name in headers if name != "content-type")
    path = "/".join(urllib.parse.quote(urllib.parse.unquote(p), safe="-_.~") for p in parts.path.split("/"))
    canonical = "\n".join([
        method, path.rstrip("/") + "/", "", "".join("{}:{}\n".format(name, headers[name]) for name in signed),
        ";".join(signed), hashlib.sha256(body).hexdigest(),
    ])
    text = "\n".join(["SDK-HMAC-SHA256", headers["x-sdk-date"], hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = "SDK-HMAC-SHA256 Access={}, SignedHeaders={}, Signature={}".format(access, ";".join(signed), signature)
    return headers


class Database:
    """A database of one kind: what differs is how to log in and how to change."""

    driver = port = None

    def __init__(self):
        try:
            self.module = importlib.import_module(self.driver)
        except ImportError:
            raise RotationError("DRIVER_MISSING", "the function lacks the driver " + self.driver) from None

    def accepts(self, value):
        """Reports whether the account can log in with its password. Only an answer of the
        database counts as a refusal."""
        try:
            self.login(value).close()
            return True
        except self.module.Error as error:
            if self.refused(error):
                return False
            raise RotationError("HOST_UNREACHABLE", "no login was possible at {}:{}".format(*value.place(self.port)[:2])) from None

    def change(self, old, new):
        """Logs the account in with its old password and sets the new one."""
        try:
            connection = self.login(old)
        except self.module.Error as error:
            code = "LOGIN_REFUSED" if self.refused(error) else "HOST_UNREACHABLE"
            raise RotationError(code, "the login of {} with the stored password failed".format(old.user)) from None
        try:
            with connection.cursor() as cursor:
                self.set_password(connection, cursor, old, new)
            connection.commit()
        except self.module.Error:
            raise RotationError("CHANGE_REFUSED", "the database refused the new password of {}".format(old.user)) from None
        finally:
            connection.close()


class MySQL(Database):
    """MySQL, MariaDB, TaurusDB."""

    driver, port = "pymysql", 3306

    def login(self, value):
        host, port, name = value.place(self.port)
        return self.module.connect(
            host=host, port=port, user=value.user, password=value.password, database=name, connect_timeout=TIMEOUT)

    def refused(self, error):
        return error.args[:1] == (1045,)  # ER_ACCESS_DENIED_ERROR

    def set_password(self, connection, cursor, old, new):
        cursor.execute("SELECT VERSION()")
        if "MariaDB" in cursor.fetchone()[0]:
            cursor.execute("SET PASSWORD = PASSWORD(%s)", (new.password,))
        else:
            cursor.execute("ALTER USER USER() IDENTIFIED BY %s", (new.password,))


class PostgreSQL(Database):
    driver, port = "psycopg2", 5432

    def login(self, value):
        host, port, name = value.place(self.port)
        return self.module.connect(
            host=host, port=port, user=value.user, password=value.password, dbname=name or "postgres", connect_timeout=TIMEOUT)

    def refused(self, error):
        return "authentication failed" in str(error)  # a failed login has no SQLSTATE here

    def set_password(self, connection, cursor, old, new):
        # The server is given a verifier, so the password is in none of its logs.
        extensions = importlib.import_module("psycopg2.extensions")
        verifier = extensions.encrypt_password(new.password, old.user, connection, "scram-sha-256")
        cursor.execute("ALTER ROLE CURRENT_USER PASSWORD %s", (verifier,))


class SQLServer(Database):
    driver, port = "pymssql", 1433

    def login(self, value):
        host, port, name = value.place(self.port)
        return self.module.connect(
            server=host, port=str(port), user=value.user, password=value.password, database=name or "master", login_timeout=TIMEOUT)

    def refused(self, error):
        return "18456" in str(error)  # login failed for user

    def set_password(self, connection, cursor, old, new):
        # The name has passed the check of Value, so brackets are enough around it.
        cursor.execute("ALTER LOGIN [" + old.user + "] WITH PASSWORD = %s OLD_PASSWORD = %s", (new.password, old.password))


DATABASES = {"mysql": MySQL, "postgresql": PostgreSQL, "sqlserver": SQLServer}
