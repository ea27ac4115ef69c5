"""What every SQLAlchemy engine of the tier has in common, of 1.4 and of 2, blocking and asyncio."""

from __future__ import annotations

import time
from typing import Any, Callable, Protocol

from sqlalchemy import event, exc
from sqlalchemy.engine import Connection, Engine

from .credentials import Credentials, is_refused_login
from .retry import Retry
from .tier import MAX_OVERFLOW, POOL_RECYCLE_SECONDS, POOL_SIZE, POOL_TIMEOUT_SECONDS

#: The guide's. Others may be given to the services, for example ``pool_size=5`` where many processes run.
POOL_SETTINGS: dict[str, Any] = {
    "pool_size": POOL_SIZE,
    "max_overflow": MAX_OVERFLOW,
    "pool_recycle": POOL_RECYCLE_SECONDS,
    "pool_pre_ping": True,
    "pool_timeout": POOL_TIMEOUT_SECONDS,
}


#: libpq's PQTRANS_INERROR, by psycopg2 and psycopg 3; asyncpg does not tell.
_IN_ERROR = 3


class Waiting(Protocol):
    """How an engine waits: a thread sleeps, a coroutine lets others run."""

    def sleep(self, seconds: float) -> None: ...

    def call(self, function: Callable[..., Any], *args: Any) -> Any: ...


class ThreadWaiting:
    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args)


def prepare_engine(
    engine: Engine,
    credentials: Credentials,
    waiting: Waiting,
    read_only: bool,
    on_connection: Callable[[Any], None] = lambda _connection: None,
) -> None:
    """Gives the engine its logins and the retry before the first statement, and keeps a reading one from writing.

    :param on_connection: what a new connection must be asked; tried again with it
    """

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _record: Any, args: Any, settings: dict[str, Any]) -> Any:
        retry = Retry()
        while True:
            login = waiting.call(credentials.current)
            try:
                connection = dialect.connect(*args, **{**settings, "user": login.username, "password": login.password})
                on_connection(connection)
                return connection
            except Exception as error:  # drivers raise what they like here, OSError too
                if is_refused_login(error):
                    if not waiting.call(credentials.refused, login):
                        raise
                    continue
                pause = retry.pause_after(error)
                if pause is None:
                    raise
            waiting.sleep(pause)

    if read_only:

        @event.listens_for(engine, "connect")
        def only_read(dbapi_connection: Any, _record: Any) -> None:
            # Each transaction then begins READ ONLY. That also holds where there is no replica behind the alias.
            engine.dialect.set_readonly(dbapi_connection, True)

    @event.listens_for(engine, "begin")
    def open_transaction(connection: Connection) -> None:
        # A driver begins on the server with the first statement only. Between the pre-ping and that statement a pooler
        # may close the connection. So the transaction is opened here, by a statement that does nothing, and what fails
        # here has done nothing.
        retry = Retry()
        while True:
            pooled = connection.connection
            try:
                cursor = pooled.cursor()
                cursor.execute("SELECT 1")
                cursor.close()
                return
            except Exception as error:
                lost = connection.dialect.is_disconnect(error, pooled.dbapi_connection, None)
                if lost:
                    connection.invalidate(error)
                pause = retry.pause_after(error) if lost else None
                if pause is None:
                    raise _as_sqlalchemy_does(error, connection, lost) from error
            waiting.sleep(pause)


    @event.listens_for(engine, "commit")
    def refuse_failed(connection: Connection) -> None:
        # PostgreSQL would answer COMMIT by a rollback, without an error.
        status = getattr(getattr(connection.connection.dbapi_connection, "info", None), "transaction_status", None)
        if status == _IN_ERROR:
            raise exc.InvalidRequestError("rolled back: a statement of the transaction had failed")


def _as_sqlalchemy_does(error: Exception, connection: Connection, lost: bool) -> BaseException:
    """The error as callers know it from any other statement."""
    dialect = connection.dialect
    return exc.DBAPIError.instance("BEGIN", None, error, dialect.dbapi.Error, connection_invalidated=lost, dialect=dialect)
