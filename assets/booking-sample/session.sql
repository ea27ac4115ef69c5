-- A person: one indexed read, then time to think.
\set client :rows / 500 + random(1, :rows / 10)
\set think random(:think_seconds * 500, :think_seconds * 1500)
SELECT id, appointment_date, status FROM appointments WHERE client_id = :client ORDER BY appointment_date DESC LIMIT 5;
\sleep :think ms
