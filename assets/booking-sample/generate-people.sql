-- Locations and users for :rows appointments (the setting sample.rows): 500 appointments a barber, 10 a client. Users
-- 1 … rows / 500 are the barbers. Every figure follows from the row's number, so two runs make the same data.
INSERT INTO locations (name, timezone)
SELECT 'Shop ' || n, 'America/New_York'
  FROM generate_series(1, current_setting('sample.rows')::bigint / 2000 + 1) AS n;

INSERT INTO users (email, name, role, location_id, created_at)
SELECT 'user' || n || '@example.com',
       'User ' || n,
       CASE WHEN n <= size.rows / 500 THEN 'barber' ELSE 'client' END,
       n % (size.rows / 2000 + 1) + 1,
       timestamptz '2024-01-01' + n * interval '5 minutes'
  FROM (SELECT current_setting('sample.rows')::bigint AS rows) AS size,
       generate_series(1, size.rows / 500 + size.rows / 10) AS n;
