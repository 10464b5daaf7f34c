"""Stands in for the drivers that the rotation function uses: a database whose accounts
are in the JSON file that ACCOUNTS names."""

import json
import os


class Error(Exception):
    pass


def connect(user, password, **place):
    host = place.get("host") or place.get("server")
    if host != "db.example" or "" in (user, password):
        raise Error(2003, "can not connect to {}".format(host))
    if accounts().get(user) != password:
        raise Error(1045, "18456: password authentication failed")
    return Connection(user, password)


def accounts():
    with open(os.environ["ACCOUNTS"]) as file:
        return json.load(file)


class Connection:
    def __init__(self, user, password):
        self.user, self.password, self.new = user, password, None

    def cursor(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def close(self):
        pass

    def fetchone(self):
        return (os.environ.get("SERVER_VERSION", "8.0.36"),)

    def execute(self, statement, parameters=()):
        if statement == "SELECT VERSION()":
            return
        maria = "MariaDB" in self.fetchone()[0]
        known = {
            "SET PASSWORD = PASSWORD(%s)" if maria else "ALTER USER USER() IDENTIFIED BY %s": lambda new: new,
            "ALTER ROLE CURRENT_USER PASSWORD %s": lambda verifier: verifier[len("SCRAM of "):],
            "ALTER LOGIN [{}] WITH PASSWORD = %s OLD_PASSWORD = %s".format(self.user): self.with_old,
        }
        if statement not in known:
            raise Error(1064, "syntax error")
        if "REFUSE_CHANGE" in os.environ:
            raise Error(1819, "the password does not satisfy the policy")
        self.new = known[statement](*parameters)

    def with_old(self, new, old):
        if old != self.password:
            raise Error(15151, "wrong old password")
        return new

    def commit(self):
        known = accounts()
        known[self.user] = self.new
        with open(os.environ["ACCOUNTS"], "w") as file:
            json.dump(known, file)


def encrypt_password(password, user, scope, algorithm):
    if algorithm != "scram-sha-256" or scope.user != user:
        raise Error("wrong verifier")
    return "SCRAM of " + password
