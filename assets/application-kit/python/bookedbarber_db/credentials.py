"""User and password of a role, from its secret."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Callable, NamedTuple

_log = logging.getLogger(__name__)

#: A rotation is noticed after that long at the latest; what it replaces stays valid for much longer.
MAX_AGE_SECONDS = 300


class Login(NamedTuple):
    """What a new connection logs in with. A rotation changes both."""

    username: str
    password: str


class Credentials:
    """Hands out the login for each new connection, so that a rotation needs no restart.

    A secret is read once for many connections, and at once when a login is refused. While Secrets Manager does not
    answer, the login that was read last goes on being used.
    """

    def __init__(self, secret_arn: str, read: Callable[[str], str] | None = None) -> None:
        self._secret_arn = secret_arn
        self._read = read or _read_secret
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._read_at = 0.0

    def current(self) -> Login:
        """The login to use now. May take as long as a call of Secrets Manager."""
        with self._lock:
            if self._login is None or time.monotonic() - self._read_at > MAX_AGE_SECONDS:
                self._renew()
            return self._login  # type: ignore[return-value]

    def refused(self, login: Login) -> bool:
        """To be told that this login was refused: reads the secret again, and says whether there is another one to try."""
        with self._lock:
            if login == self._login:
                self._renew()
            return login != self._login

    def _renew(self) -> None:
        try:
            secret = json.loads(self._read(self._secret_arn))
        except Exception as error:
            if self._login is None:
                raise
            _log.warning("the secret %s cannot be read, its last value stays in use: %s", self._secret_arn, error)
        else:
            self._login = Login(secret["username"], secret["password"])
        self._read_at = time.monotonic()


def is_refused_login(error: BaseException) -> bool:
    """Whether the server or the pooler did not accept user and password.

    libpq hands on no error code for a failed login, so its message must do; the pooler's are always English.
    """
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    return code.startswith("28") or "authentication failed" in str(error)


def _read_secret(secret_arn: str) -> str:
    import boto3
    from botocore.config import Config

    # A login must not wait for long: the pool waits with it.
    settings = Config(connect_timeout=3, read_timeout=3, retries={"max_attempts": 3, "mode": "standard"})
    return boto3.client("secretsmanager", config=settings).get_secret_value(SecretId=secret_arn)["SecretString"]
