"""asyncpg itself (0.30 or later), without SQLAlchemy.

    database = await AsyncpgDatabase.open()

    async with database.write() as connection:    # a transaction on the primary
        await connection.execute("INSERT …")
    async with database.read() as connection:     # one on a replica, READ ONLY
        await connection.fetch("SELECT …")
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from .credentials import Credentials, is_refused_login
from .retry import Retry
from .tier import (
    APPLICATION_NAME,
    CONNECT_TIMEOUT_SECONDS,
    KEEPALIVE_COUNT,
    KEEPALIVE_IDLE_SECONDS,
    KEEPALIVE_INTERVAL_SECONDS,
    MAX_OVERFLOW,
    POOL_RECYCLE_SECONDS,
    POOL_SIZE,
    POOL_TIMEOUT_SECONDS,
    PREPARED_STATEMENTS,
    UNACKNOWLEDGED_SECONDS,
    ca_file,
    endpoint,
    sslmode,
)


def asyncpg_settings(url: str) -> dict[str, Any]:
    """Arguments of ``asyncpg.connect`` beside host, port, database, user and password."""
    mode = sslmode(url)
    settings: dict[str, Any] = {
        "ssl": _verifying_context(url) if mode.startswith("verify-") else mode,
        "timeout": CONNECT_TIMEOUT_SECONDS,
        # Nothing else may stand here: the pooler refuses startup parameters that it does not know.
        "server_settings": {"application_name": APPLICATION_NAME},
    }
    if not PREPARED_STATEMENTS:
        settings["statement_cache_size"] = 0
    return settings


def keep_alive(connection: asyncpg.Connection) -> None:
    """Lets the kernel notice a host that has vanished, as libpq's settings do: asyncpg has none, and would wait for a quarter of an hour."""
    transport = getattr(connection, "_transport", None)
    sock = transport and transport.get_extra_info("socket")
    if not sock:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE_SECONDS),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_SECONDS),
        ("TCP_KEEPCNT", KEEPALIVE_COUNT),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_SECONDS * 1000),
    ):
        if hasattr(socket, name):  # a developer's machine may not have it
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def unique_statement_name() -> str:
    return f"__asyncpg_{uuid4()}__"


class AsyncpgDatabase:
    """A pool for reads and one for writes; one of these for the whole process."""

    def __init__(self, read_pool: asyncpg.Pool, write_pool: asyncpg.Pool) -> None:
        self._read_pool = read_pool
        self._write_pool = write_pool

    @classmethod
    async def open(cls) -> AsyncpgDatabase:
        credentials = Credentials(await asyncio.to_thread(endpoint, "APPLICATION_SECRET_ARN"))
        read_url = await asyncio.to_thread(endpoint, "READ_REPLICA_URL")
        write_url = await asyncio.to_thread(endpoint, "DATABASE_URL")
        return cls(await _create_pool(read_url, credentials), await _create_pool(write_url, credentials))

    def read(self) -> Any:
        """A transaction on a replica. Whatever writes in it is refused."""
        return _transaction(self._read_pool, read_only=True)

    def write(self) -> Any:
        """A transaction on the primary: committed at the end, rolled back if an exception leaves it."""
        return _transaction(self._write_pool, read_only=False)

    async def close(self) -> None:
        await self._read_pool.close()
        await self._write_pool.close()


@asynccontextmanager
async def _transaction(pool: asyncpg.Pool, read_only: bool) -> AsyncIterator[asyncpg.Connection]:
    connection, transaction = await _begin(pool, read_only)
    try:
        try:
            yield connection
        except BaseException:
            if not _is_lost(connection):
                await transaction.rollback()
            raise
        await transaction.commit()
    finally:
        await pool.release(connection)


async def _begin(pool: asyncpg.Pool, read_only: bool) -> tuple[asyncpg.Connection, Any]:
    retry = Retry()
    while True:
        connection = await pool.acquire(timeout=POOL_TIMEOUT_SECONDS)
        try:
            transaction = connection.transaction(readonly=read_only)
            await transaction.start()
            return connection, transaction
        except BaseException as error:
            lost = _is_lost(connection)
            await pool.release(connection)
            pause = retry.pause_after(error) if lost and isinstance(error, Exception) else None
            if pause is None:
                raise
        await asyncio.sleep(pause)


def _is_lost(connection: asyncpg.Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool takes a lost connection back by itself, and then nothing may be asked of it
        return True


async def _create_pool(url: str, credentials: Credentials) -> asyncpg.Pool:
    async def connect(*args: Any, **settings: Any) -> asyncpg.Connection:
        # Not a password function: a rotation changes the user as well.
        retry = Retry()
        while True:
            login = await asyncio.to_thread(credentials.current)
            try:
                connection = await asyncpg.connect(*args, **{**settings, "user": login.username, "password": login.password})
                keep_alive(connection)
                return connection
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, asyncio.TimeoutError) as error:
                if is_refused_login(error):
                    if not await asyncio.to_thread(credentials.refused, login):
                        raise
                    continue
                pause = retry.pause_after(error)
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    async def nothing_to_reset(_connection: asyncpg.Connection) -> None:
        """RESET ALL and UNLISTEN would go to whichever server connection is next, for a state that there is none of."""

    parts = urlsplit(url)
    return await asyncpg.create_pool(
        host=parts.hostname,
        port=parts.port,
        database=parts.path[1:],
        min_size=0,
        max_size=POOL_SIZE + MAX_OVERFLOW,
        max_inactive_connection_lifetime=POOL_RECYCLE_SECONDS,
        connect=connect,
        reset=nothing_to_reset,
        **asyncpg_settings(url),
    )


def _verifying_context(url: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file(url))
    context.check_hostname = sslmode(url) == "verify-full"
    return context
