"""FastAPI and SQLAlchemy on the application kit's database.py, with the driver that DRIVER names."""

import os

from fastapi import FastAPI
from sqlalchemy import func, literal, select, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from answers import CROWD, ROUNDS, STATEMENTS, Phase, appointment, failed
from bookedbarber_db.database import DatabaseService
from models import Appointment, Payment

app = FastAPI()
database = DatabaseService(os.environ["DRIVER"])


@app.post("/bookings")
def book(barber: int, client: int):
    phase = Phase()
    try:
        with database.get_write_session() as session:
            session.connection()  # begins
            phase.reached = "statement"
            booked = appointment(barber, client)
            session.add(booked)
            session.flush()
            session.add(Payment(appointment_id=booked.id, user_id=client, amount_cents=2500, status="paid"))
            session.flush()
            booked_id = booked.id
            phase.reached = "commit"
            session.commit()
            return {"id": booked_id}
    except Exception as error:
        return failed(phase, error)


@app.get("/barbers/{barber}/bookings")
def bookings(barber: int):
    phase = Phase()
    try:
        with database.get_read_session() as session:
            session.connection()
            phase.reached = "statement"
            count = session.execute(select(func.count()).where(Appointment.barber_id == barber)).scalar()
            return {"bookings": count, "standby": session.execute(select(func.pg_is_in_recovery())).scalar()}
    except Exception as error:
        return failed(phase, error)


@app.post("/read-session/bookings")
def book_in_read_session():
    phase = Phase()
    try:
        with database.get_read_session() as session:
            session.add(appointment(1, 1))
            session.commit()
            return {}
    except Exception as error:
        return failed(phase, error)


@app.get("/statements")
def statements():
    """Each with a transaction of its own, and so perhaps a server connection of its own."""
    wrong = 0
    for number in list(range(STATEMENTS)) * ROUNDS:
        with database.get_read_session() as session:
            wrong += session.execute(select(literal(1), text(str(number)))).one()[1] != number
    return {"wrong": wrong}


@app.post("/crowd")
def crowd():
    """Takes connections until the pool has no more."""
    held = []
    try:
        while len(held) < CROWD:
            held.append(database.write_engine.connect())
        return {"connections": len(held)}
    except PoolTimeoutError as error:
        return {"connections": len(held), "refusal": str(error)}
    finally:
        for connection in held:
            connection.close()
