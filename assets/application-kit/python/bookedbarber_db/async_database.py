"""The application's database on asyncio: SQLAlchemy 1.4 or 2 on asyncpg.

    database = AsyncDatabaseService()

    async with database.get_write_session() as session:
        ...
        await session.commit()
"""

from __future__ import annotations

import asyncio
from typing import Any, Callable

from sqlalchemy import __version__ as sqlalchemy_version
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import sessionmaker
from sqlalchemy.util import await_only

from .asyncpg_database import asyncpg_settings, keep_alive, unique_statement_name
from .credentials import Credentials
from .engine import POOL_SETTINGS, prepare_engine
from .tier import PREPARED_STATEMENTS, endpoint


class AsyncDatabaseService:
    """Sessions for reads and for writes; one for the whole process.

    :param engine_settings: of ``create_async_engine``, over the kit's own
    """

    def __init__(self, **engine_settings: Any) -> None:
        credentials = Credentials(endpoint("APPLICATION_SECRET_ARN"))
        self.write_engine = _engine(endpoint("DATABASE_URL"), credentials, False, engine_settings)
        self.read_engine = _engine(endpoint("READ_REPLICA_URL"), credentials, True, engine_settings)
        # An expired attribute would be read again behind an await that nobody wrote.
        self._write_sessions = sessionmaker(bind=self.write_engine, class_=AsyncSession, expire_on_commit=False)
        self._read_sessions = sessionmaker(bind=self.read_engine, class_=AsyncSession, expire_on_commit=False)

    def get_read_session(self) -> AsyncSession:
        """A session on the replicas. Whatever writes in it is refused."""
        return self._read_sessions()

    def get_write_session(self) -> AsyncSession:
        """A session on the primary; also for reads that must see what was written a moment ago."""
        return self._write_sessions()

    async def close(self) -> None:
        """Closes every connection that nobody uses."""
        await self.write_engine.dispose()
        await self.read_engine.dispose()


class GreenletWaiting:
    """Waits inside the greenlets in which SQLAlchemy runs its events."""

    def sleep(self, seconds: float) -> None:
        await_only(asyncio.sleep(seconds))

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        return await_only(asyncio.get_running_loop().run_in_executor(None, function, *args))


def _engine(url: str, credentials: Credentials, read_only: bool, settings: dict[str, Any]) -> AsyncEngine:
    connect_args = asyncpg_settings(url)
    if not PREPARED_STATEMENTS:
        if sqlalchemy_version.startswith("1."):
            raise RuntimeError(
                "SQLAlchemy 1.4 gives prepared statements of asyncpg names that other processes use too, and this pooler "
                "does not follow them (max_prepared_statements = 0); use SQLAlchemy 2, or psycopg2"
            )
        # SQLAlchemy prepares every statement, so a name must never be met twice on a server connection.
        connect_args.update(prepared_statement_cache_size=0, prepared_statement_name_func=unique_statement_name)
    engine = create_async_engine(
        # What asyncpg takes from a URL, SQLAlchemy hands on as an argument; asyncpg_settings has it.
        make_url(url).set(drivername="postgresql+asyncpg", query={}),
        **{**POOL_SETTINGS, "connect_args": connect_args, **settings},
    )
    dialect = engine.sync_engine.dialect
    _ping_without_transaction(dialect)
    prepare_engine(engine.sync_engine, credentials, GreenletWaiting(), read_only, _take_json_codecs(dialect))
    return engine


def _ping_without_transaction(dialect: Any) -> None:
    """Makes the pre-ping one statement by itself.

    SQLAlchemy 1.4 pings in a transaction that it leaves open. Whoever takes a connection and does nothing yet would hold
    one of the pooler's, and a pooler that drains would wait for it. SQLAlchemy 2 ends it, with two more round trips.
    """

    def ping(connection: Any) -> bool:
        try:
            await_only(connection.driver_connection.execute("SELECT 1"))
        except Exception as error:
            if not dialect.is_disconnect(error, connection, None):
                raise
            return False
        return True

    dialect.do_ping = ping


def _take_json_codecs(dialect: Any) -> Callable[[Any], None]:
    """Takes from SQLAlchemy the queries that it sends on each new connection, after the attempts to connect.

    They are the first that need a server: while the primary restarts, the pooler lets clients in and closes them there.
    """
    codecs = (dialect.setup_asyncpg_json_codec, dialect.setup_asyncpg_jsonb_codec)

    async def nothing(_connection: Any) -> None:
        pass

    dialect.setup_asyncpg_json_codec = dialect.setup_asyncpg_jsonb_codec = nothing

    def set_up(connection: Any) -> None:
        keep_alive(connection.driver_connection)
        for codec in codecs:
            await_only(codec(connection))

    return set_up
