"""What the tier's template says (tier.json), and where the deployed tier is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_DIRECTORY = Path(__file__).parent

#: Generated with this kit; holds no secret.
TIER: dict[str, Any] = json.loads((_DIRECTORY / "tier.json").read_text(encoding="utf-8"))

#: The authorities that sign the pooler's certificate, where the tier has one that can be verified; else those of RDS.
CA_FILE = str(next(path for path in (_DIRECTORY / "pooler-ca.pem", _DIRECTORY / "rds-ca.pem") if path.exists()))

#: The guide's pool of each process, for reads and for writes apart.
POOL_SIZE = 20
MAX_OVERFLOW = 40
POOL_RECYCLE_SECONDS = 3600

#: A request that has waited so long for a connection of its own process gives up, as the pooler's queue does.
POOL_TIMEOUT_SECONDS = TIER["pooler"]["queryWaitTimeoutSeconds"]

#: Of TCP, TLS and login together.
CONNECT_TIMEOUT_SECONDS = 5

#: When a host that has vanished is noticed: by probes of an idle connection, and by what was sent and nobody acknowledges.
KEEPALIVE_IDLE_SECONDS = 30
KEEPALIVE_INTERVAL_SECONDS = 5
KEEPALIVE_COUNT = 3
UNACKNOWLEDGED_SECONDS = 10

#: How the sessions are called in pg_stat_activity. One name for all: the pooler sets another one again at every switch.
APPLICATION_NAME = "bookedbarber"

#: Whether the pooler follows prepared statements from one server connection to the next.
PREPARED_STATEMENTS = TIER["pooler"]["maxPreparedStatements"] > 0


def endpoint(name: str) -> str:
    """A URL or the ARN of a secret: the variable of that name, else the value in tier.json, else the SSM parameter."""
    known = os.environ.get(name) or TIER["endpoints"][name]["value"]
    if known:
        return known
    import boto3

    parameter = TIER["endpoints"][name]["parameter"]
    return boto3.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]


def libpq_settings(url: str) -> dict[str, Any]:
    """Settings of psycopg2 and psycopg 3 that a URL does not hold.

    A host that has vanished is noticed within seconds, in the middle of a query too. ``options`` must stay away: the
    pooler refuses it.
    """
    settings: dict[str, Any] = {
        "application_name": APPLICATION_NAME,
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "keepalives": 1,
        "keepalives_idle": KEEPALIVE_IDLE_SECONDS,
        "keepalives_interval": KEEPALIVE_INTERVAL_SECONDS,
        "keepalives_count": KEEPALIVE_COUNT,
        "tcp_user_timeout": UNACKNOWLEDGED_SECONDS * 1000,
    }
    if sslmode(url).startswith("verify-"):
        settings["sslrootcert"] = ca_file(url)
    return settings


def sslmode(url: str) -> str:
    """How the server is verified; ``require`` encrypts and trusts whoever answers."""
    return parse_qs(urlsplit(url).query).get("sslmode", ["require"])[0]


def ca_file(url: str) -> str:
    """The authorities that the server's certificate must come from: what the URL or PGSSLROOTCERT names, else the kit's."""
    named = parse_qs(urlsplit(url).query).get("sslrootcert", [""])[0]
    return named or os.environ.get("PGSSLROOTCERT") or CA_FILE
