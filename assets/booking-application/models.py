"""The tables of booking-sample that the application uses."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, Text
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Appointment(Base):
    __tablename__ = "appointments"
    id = Column(BigInteger, primary_key=True)
    barber_id = Column(BigInteger, nullable=False)
    client_id = Column(BigInteger, nullable=False)
    location_id = Column(BigInteger, nullable=False)
    appointment_date = Column(DateTime(timezone=True), nullable=False)
    duration_minutes = Column(Integer, nullable=False)
    status = Column(Text, nullable=False)


class Payment(Base):
    __tablename__ = "payments"
    id = Column(BigInteger, primary_key=True)
    appointment_id = Column(BigInteger, nullable=False)
    user_id = Column(BigInteger, nullable=False)
    amount_cents = Column(Integer, nullable=False)
    status = Column(Text, nullable=False)
