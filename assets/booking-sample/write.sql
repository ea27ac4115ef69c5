-- One write transaction: an appointment and its payment.
\set barber random(1, :rows / 500)
\set client :rows / 500 + random(1, :rows / 10)
\set day random(0, 364)
WITH booked AS (
  INSERT INTO appointments (barber_id, client_id, location_id, appointment_date, duration_minutes, status)
  VALUES (:barber, :client, 1, timestamptz '2026-01-04' + :day * interval '1 day', 30, 'confirmed') RETURNING id, client_id
)
INSERT INTO payments (appointment_id, user_id, amount_cents, status) SELECT id, client_id, 2500, 'paid' FROM booked;
