-- One indexed read: a barber's day.
\set barber random(1, :rows / 500)
\set day random(0, 364)
SELECT appointment_date, duration_minutes FROM appointments
 WHERE barber_id = :barber AND appointment_date >= timestamptz '2025-01-04' + :day * interval '1 day'
   AND appointment_date < timestamptz '2025-01-05' + :day * interval '1 day';
