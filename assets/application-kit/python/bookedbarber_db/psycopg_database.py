"""psycopg 3 itself with psycopg_pool, without SQLAlchemy.

    database = PsycopgDatabase()

    with database.write() as connection:    # a transaction on the primary
        connection.execute("INSERT …")
    with database.read() as connection:     # one on a replica, READ ONLY
        connection.execute("SELECT …")
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import Any, Iterator

import psycopg
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

from .credentials import Credentials, is_refused_login
from .retry import Retry
from .tier import (
    MAX_OVERFLOW,
    POOL_RECYCLE_SECONDS,
    POOL_SIZE,
    POOL_TIMEOUT_SECONDS,
    PREPARED_STATEMENTS,
    endpoint,
    libpq_settings,
)


def prepare_threshold() -> int | None:
    """How often a statement is seen before psycopg prepares it; None prepares nothing.

    The pooler follows prepared statements, but only those that are closed as the protocol does it. libpq can do that
    since 17; before, psycopg would close them by DEALLOCATE, on a server connection that may never have had them.
    """
    capabilities = getattr(psycopg, "capabilities", None)  # since 3.2
    closes_by_protocol = capabilities is not None and capabilities.has_send_close_prepared()
    return 5 if PREPARED_STATEMENTS and closes_by_protocol else None


class PsycopgDatabase:
    """A pool for reads and one for writes; one of these for the whole process."""

    def __init__(self) -> None:
        credentials = Credentials(endpoint("APPLICATION_SECRET_ARN"))
        self._read_pool = _pool(endpoint("READ_REPLICA_URL"), credentials, read_only=True)
        self._write_pool = _pool(endpoint("DATABASE_URL"), credentials, read_only=False)

    def read(self) -> Any:
        """A transaction on a replica. Whatever writes in it is refused."""
        return _transaction(self._read_pool)

    def write(self) -> Any:
        """A transaction on the primary: committed at the end, rolled back if an exception leaves it."""
        return _transaction(self._write_pool)

    def close(self) -> None:
        self._read_pool.close()
        self._write_pool.close()


@contextmanager
def _transaction(pool: ConnectionPool) -> Iterator[psycopg.Connection]:
    connection = _begin(pool)
    try:
        try:
            yield connection
            # PostgreSQL would answer COMMIT by a rollback, without an error.
            if connection.info.transaction_status == TransactionStatus.INERROR:
                raise psycopg.errors.InFailedSqlTransaction("rolled back: a statement of the transaction had failed")
        except BaseException:
            with suppress(psycopg.Error):  # a connection that is lost has rolled back; what was said of it counts
                connection.rollback()
            raise
        connection.commit()
    finally:
        pool.putconn(connection)


def _begin(pool: ConnectionPool) -> psycopg.Connection:
    retry = Retry()
    while True:
        connection = pool.getconn(timeout=POOL_TIMEOUT_SECONDS)
        try:
            connection.execute("SELECT 1")  # psycopg begins with the first statement only
            return connection
        except BaseException as error:
            lost = connection.closed
            pool.putconn(connection)
            pause = retry.pause_after(error) if lost and isinstance(error, Exception) else None
            if pause is None:
                raise
        time.sleep(pause)


def _pool(url: str, credentials: Credentials, read_only: bool) -> ConnectionPool:
    class TierConnection(psycopg.Connection):
        """Asks for the login at each new connection; a rotation changes user and password."""

        @classmethod
        def connect(cls, conninfo: str = "", **settings: Any) -> Any:
            retry = Retry()
            while True:
                login = credentials.current()
                try:
                    return super().connect(conninfo, **{**settings, "user": login.username, "password": login.password})
                except psycopg.OperationalError as error:
                    if is_refused_login(error):
                        if not credentials.refused(login):
                            raise
                        continue
                    pause = retry.pause_after(error)
                    if pause is None:
                        raise
                time.sleep(pause)

    def configure(connection: psycopg.Connection) -> None:
        connection.read_only = read_only

    return ConnectionPool(
        url,
        kwargs={**libpq_settings(url), "prepare_threshold": prepare_threshold()},
        connection_class=TierConnection,
        configure=configure,
        min_size=0,
        max_size=POOL_SIZE + MAX_OVERFLOW,
        max_lifetime=POOL_RECYCLE_SECONDS,
        open=True,
    )
