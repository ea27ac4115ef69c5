"""Plays scenarios with one of the kit's clients: each line of its input names one, and a line of JSON says what happened.

    client.py CLIENT

At a step it asks CONTROL_URL and goes on when that has answered: the test then does something to the servers.
"""

import asyncio
import json
import logging
import os
import socket
import sys
import time
import urllib.request
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy import event, text

logging.basicConfig(level=logging.WARNING)


class Retries(logging.Handler):
    """Counts what the kit tried again."""

    count = 0

    def emit(self, record):
        Retries.count += record.getMessage().startswith("before the first statement")


logging.getLogger("bookedbarber_db").addHandler(Retries())


def step(name):
    urllib.request.urlopen(f"{os.environ['CONTROL_URL']}/{name}", data=b"").read()


class Sqlalchemy:
    def __init__(self, driver, **settings):
        from bookedbarber_db.database import DatabaseService

        self.database = DatabaseService(driver, **settings)
        self.engine = self.database.write_engine

    @asynccontextmanager
    async def transaction(self, which):
        get = self.database.get_read_session if which == "read" else self.database.get_write_session
        with get() as session:

            async def execute(sql):
                result = session.execute(text(sql))
                return [list(row) for row in result] if result.returns_rows else []

            async def commit():
                session.commit()

            yield execute, commit

    async def close(self):
        self.database.close()


class AsyncSqlalchemy:
    def __init__(self, **settings):
        from bookedbarber_db.async_database import AsyncDatabaseService

        self.database = AsyncDatabaseService(**settings)
        self.engine = self.database.write_engine.sync_engine

    @asynccontextmanager
    async def transaction(self, which):
        get = self.database.get_read_session if which == "read" else self.database.get_write_session
        async with get() as session:

            async def execute(sql):
                result = await session.execute(text(sql))
                return [list(row) for row in result] if result.returns_rows else []

            yield execute, session.commit

    async def close(self):
        await self.database.close()


class Asyncpg:
    engine = None

    @asynccontextmanager
    async def transaction(self, which):
        if not hasattr(self, "database"):
            from bookedbarber_db.asyncpg_database import AsyncpgDatabase

            self.database = await AsyncpgDatabase.open()
        async with getattr(self.database, which)() as connection:

            async def execute(sql):
                return [list(row) for row in await connection.fetch(sql)]

            yield execute, nothing

    async def close(self):
        await self.database.close()


class Psycopg:
    engine = None

    def __init__(self):
        from bookedbarber_db.psycopg_database import PsycopgDatabase

        self.database = PsycopgDatabase()

    @asynccontextmanager
    async def transaction(self, which):
        with getattr(self.database, which)() as connection:

            async def execute(sql):
                cursor = connection.execute(sql)
                return [list(row) for row in cursor] if cursor.description else []

            yield execute, nothing

    async def close(self):
        self.database.close()


async def nothing():
    """These commit at the end of the block."""


clients = {
    "psycopg2": partial(Sqlalchemy, "psycopg2"),
    "psycopg": partial(Sqlalchemy, "psycopg"),
    "asyncpg": AsyncSqlalchemy,
    "asyncpg alone": Asyncpg,
    "psycopg alone": Psycopg,
}


async def run(client, which, *statements):
    async with client.transaction(which) as (execute, commit):
        rows = [await execute(sql) for sql in statements]
        await commit()
    return rows[-1]


async def drained_before_first_statement(client):
    await run(client, "write", "SELECT 1")
    if client.engine:
        # After the pre-ping, which found the connection well.
        event.listen(client.engine, "checkout", lambda *_: step("drain"), once=True)
    else:
        step("drain")
    await run(client, "write", "INSERT INTO appointments VALUES (1)")
    return await run(client, "write", "SELECT id FROM appointments")


async def lost_after_first_statement(client):
    async with client.transaction("write") as (execute, commit):
        await execute("INSERT INTO appointments VALUES (2)")
        step("kill")
        await execute("INSERT INTO appointments VALUES (3)")
        await commit()


async def lost_at_commit(client):
    async with client.transaction("write") as (execute, commit):
        await execute("INSERT INTO appointments VALUES (4)")
        step("kill")
        await commit()


async def caught_error(client):
    async with client.transaction("write") as (execute, commit):
        await execute("INSERT INTO appointments VALUES (7)")
        try:
            await execute("SELECT 1 / 0")
        except Exception:
            pass
        await commit()


async def terminated(client):
    await run(client, "write", "INSERT INTO appointments VALUES (6)", "SELECT pg_terminate_backend(pg_backend_pid())")


async def rotated(client):
    who = ["SELECT current_user"]
    before = await run(client, "write", *who)
    step("rotate")
    return [before, await run(client, "write", *who)]


async def split(client):
    where = "SELECT pg_is_in_recovery(), host(inet_server_addr()), current_setting('transaction_read_only')"
    return [(await run(client, "write", where))[0], (await run(client, "read", where))[0]]


async def replica_restarted(client):
    before = await run(client, "read", "SELECT 1")
    step("restart-replica")
    return [before, await run(client, "read", "SELECT 1")]


async def keepalive(client):
    async with client.transaction("write") as (execute, _):
        await execute("SELECT 1")
        sockets = [each for each in map(socket_of, os.listdir("/proc/self/fd")) if each and each.getpeername()[1] == 6432]
        return [
            [each.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), *(each.getsockopt(socket.IPPROTO_TCP, option) for option in tcp_options)]
            for each in sockets
        ]


tcp_options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)


def socket_of(descriptor):
    """Of a connection to somebody over IPv4, whoever opened it."""
    try:
        opened = socket.socket(fileno=os.dup(int(descriptor)))
        return opened if opened.family == socket.AF_INET and opened.getpeername() else None
    except OSError:
        return None


async def replica_lost(client):
    await run(client, "read", "SELECT 1")
    step("stop-replica")
    began = time.monotonic()
    try:
        await run(client, "read", "SELECT 1")
    except Exception as error:
        return [str(error), time.monotonic() - began]


async def written_in_read_session(client):
    await run(client, "read", "INSERT INTO appointments VALUES (5)")


async def prepared(client):
    """More statements than any client keeps prepared, several times over, so that old ones are closed and made again.

    The pooler takes its server connections in turn, and there are three: each statement meets another one than before.
    """
    async with client.transaction("write") as (first, _), client.transaction("write") as (second, _):
        await first("SELECT 1")
        await second("SELECT 1")
        await run(client, "write", "SELECT 1")
    total = 0
    for _ in range(8):
        for number in range(150):
            total += (await run(client, "write", f"SELECT {number}"))[0][0]
    return total


async def pool_settings(client):
    """Of SQLAlchemy, which has no word for some of them."""
    pool = client.engine.pool
    return {"size": pool.size(), "overflow": pool._max_overflow, "recycle": pool._recycle, "pre_ping": pool._pre_ping, "timeout": pool.timeout()}


async def crowd(client):
    """Takes as many connections as the pool gives out, and one more."""
    held = []
    try:
        while True:
            transaction = client.transaction("write")
            execute, _ = await transaction.__aenter__()
            await execute("SELECT 1")
            held.append(transaction)
    except Exception as error:
        return [len(held), str(error)]
    finally:
        for each in held:
            await each.__aexit__(None, None, None)


async def play(name, scenario, settings):
    Retries.count = 0
    try:
        client = clients[name](**settings)
        try:
            answer = {"result": await globals()[scenario](client)}
        finally:
            await client.close()
    except Exception as error:
        answer = {"error": f"{type(error).__module__}.{type(error).__name__}: {error}"}
    print(json.dumps({**answer, "retries": Retries.count}), flush=True)


async def main(name):
    while line := await asyncio.to_thread(sys.stdin.readline):
        await play(name, **json.loads(line))


asyncio.run(main(*sys.argv[1:]))
