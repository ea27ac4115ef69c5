"""FastAPI and SQLAlchemy on the application kit's async_database.py: asyncpg."""

from fastapi import FastAPI
from sqlalchemy import func, literal, select, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from answers import CROWD, ROUNDS, STATEMENTS, Phase, appointment, failed
from bookedbarber_db.async_database import AsyncDatabaseService
from models import Appointment, Payment

app = FastAPI()
database = AsyncDatabaseService()


@app.post("/bookings")
async def book(barber: int, client: int):
    phase = Phase()
    try:
        async with database.get_write_session() as session:
            await session.connection()  # begins
            phase.reached = "statement"
            booked = appointment(barber, client)
            session.add(booked)
            await session.flush()
            session.add(Payment(appointment_id=booked.id, user_id=client, amount_cents=2500, status="paid"))
            await session.flush()
            phase.reached = "commit"
            await session.commit()
            return {"id": booked.id}
    except Exception as error:
        return failed(phase, error)


@app.get("/barbers/{barber}/bookings")
async def bookings(barber: int):
    phase = Phase()
    try:
        async with database.get_read_session() as session:
            await session.connection()
            phase.reached = "statement"
            count = (await session.execute(select(func.count()).where(Appointment.barber_id == barber))).scalar()
            return {"bookings": count, "standby": (await session.execute(select(func.pg_is_in_recovery()))).scalar()}
    except Exception as error:
        return failed(phase, error)


@app.post("/read-session/bookings")
async def book_in_read_session():
    phase = Phase()
    try:
        async with database.get_read_session() as session:
            session.add(appointment(1, 1))
            await session.commit()
            return {}
    except Exception as error:
        return failed(phase, error)


@app.get("/statements")
async def statements():
    """Each with a transaction of its own, and so perhaps a server connection of its own."""
    wrong = 0
    for number in list(range(STATEMENTS)) * ROUNDS:
        async with database.get_read_session() as session:
            wrong += (await session.execute(select(literal(1), text(str(number))))).one()[1] != number
    return {"wrong": wrong}


@app.post("/crowd")
async def crowd():
    """Takes connections until the pool has no more."""
    held = []
    try:
        while len(held) < CROWD:
            held.append(await database.write_engine.connect())
        return {"connections": len(held)}
    except PoolTimeoutError as error:
        return {"connections": len(held), "refusal": str(error)}
    finally:
        for connection in held:
            await connection.close()
