-- A year of appointments and their payments. Popular barbers have several times the appointments of others; what people
-- search for (pending, failed) is rare, as in life.
INSERT INTO appointments (barber_id, client_id, location_id, appointment_date, duration_minutes, status, created_at)
SELECT barber_id,
       size.rows / 500 + n * 7919 % (size.rows / 10) + 1,
       barber_id % (size.rows / 2000 + 1) + 1,
       booked_at + interval '3 days',
       30,
       CASE WHEN n % 200 = 0 THEN 'pending' WHEN n % 100 = 1 THEN 'confirmed' WHEN n % 25 = 2 THEN 'cancelled' ELSE 'completed' END,
       booked_at
  FROM (SELECT current_setting('sample.rows')::bigint AS rows) AS size,
       generate_series(1, size.rows) AS n,
       LATERAL (SELECT ((n * 104729 % 1000003 / 1000003.0::float8) ^ 2 * (size.rows / 500))::bigint % (size.rows / 500) + 1 AS barber_id,
                       timestamptz '2025-01-01 08:00+00' + n * (interval '365 days' / size.rows) AS booked_at) AS row;

INSERT INTO payments (appointment_id, user_id, amount_cents, status, created_at)
SELECT id,
       client_id,
       2500 + id % 40 * 100,
       CASE WHEN id % 500 = 0 THEN 'failed' WHEN id % 200 = 1 THEN 'refunded' ELSE 'paid' END,
       created_at
  FROM appointments
 WHERE status <> 'cancelled';
