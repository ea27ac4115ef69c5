"""How far a transaction had come when it failed, and what the applications answer then."""

from datetime import datetime, timezone

from fastapi.responses import JSONResponse

from models import Appointment

#: More than drivers keep prepared, and each often enough that drivers prepare it.
STATEMENTS = 150
ROUNDS = 6

#: More connections than a pool has.
CROWD = 100


class Phase:
    """``begin``, then ``statement``, then ``commit``."""

    def __init__(self) -> None:
        self.reached = "begin"


def failed(phase: Phase, error: Exception) -> JSONResponse:
    cause = getattr(error, "orig", None) or error
    return JSONResponse({"phase": phase.reached, "error": str(cause).strip()}, status_code=500)


def appointment(barber: int, client: int) -> Appointment:
    return Appointment(
        barber_id=barber,
        client_id=client,
        location_id=1,
        appointment_date=datetime(2026, 6, 1, 9, tzinfo=timezone.utc),
        duration_minutes=30,
        status="confirmed",
    )
