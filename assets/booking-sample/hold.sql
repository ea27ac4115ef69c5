-- A transaction that the application computes in, between its statements.
\set client :rows / 500 + random(1, :rows / 10)
BEGIN;
SELECT id, appointment_date, status FROM appointments WHERE client_id = :client ORDER BY appointment_date DESC LIMIT 5;
\sleep :hold_ms ms
COMMIT;
