"""The application's database: SQLAlchemy 1.4 or 2 on psycopg2, or SQLAlchemy 2 on psycopg 3.

    database = DatabaseService()

    with database.get_read_session() as session:    # a replica, perhaps some seconds behind
        ...
    with database.get_write_session() as session:   # the primary
        ...
        session.commit()
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.orm import Session, sessionmaker

from .credentials import Credentials
from .engine import POOL_SETTINGS, ThreadWaiting, prepare_engine
from .tier import endpoint, libpq_settings


class DatabaseService:
    """Sessions for reads and for writes; one for the whole process.

    :param driver: ``psycopg2``, or ``psycopg`` for psycopg 3
    :param engine_settings: of ``create_engine``, over the kit's own
    """

    def __init__(self, driver: str = "psycopg2", **engine_settings: Any) -> None:
        credentials = Credentials(endpoint("APPLICATION_SECRET_ARN"))
        self.write_engine = _engine(endpoint("DATABASE_URL"), driver, credentials, False, engine_settings)
        self.read_engine = _engine(endpoint("READ_REPLICA_URL"), driver, credentials, True, engine_settings)
        self._write_sessions = sessionmaker(bind=self.write_engine)
        self._read_sessions = sessionmaker(bind=self.read_engine)

    def get_read_session(self) -> Session:
        """A session on the replicas. Whatever writes in it is refused."""
        return self._read_sessions()

    def get_write_session(self) -> Session:
        """A session on the primary; also for reads that must see what was written a moment ago."""
        return self._write_sessions()

    def close(self) -> None:
        """Closes every connection that nobody uses."""
        self.write_engine.dispose()
        self.read_engine.dispose()


def _engine(url: str, driver: str, credentials: Credentials, read_only: bool, settings: dict[str, Any]) -> Engine:
    connect_args = libpq_settings(url)
    if driver == "psycopg":
        from .psycopg_database import prepare_threshold

        connect_args["prepare_threshold"] = prepare_threshold()
    # psycopg2 would ask each new connection for the type, outside of every retry.
    engine_settings = {"use_native_hstore": False} if driver == "psycopg2" else {}
    engine = create_engine(
        make_url(url).set(drivername=f"postgresql+{driver}"),
        **{**POOL_SETTINGS, "connect_args": connect_args, **engine_settings, **settings},
    )
    prepare_engine(engine, credentials, ThreadWaiting(), read_only)
    return engine
