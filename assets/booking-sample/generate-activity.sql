-- What the guide's analytics and review pages read.
INSERT INTO analytics_events (barber_id, event_type, event_date)
SELECT n * 104729 % (size.rows / 500) + 1,
       CASE WHEN n % 500 = 0 THEN 'refund' WHEN n % 20 = 1 THEN 'booking' ELSE 'profile_view' END,
       date '2025-01-01' + (n * 365 / (size.rows / 2))::int
  FROM (SELECT current_setting('sample.rows')::bigint AS rows) AS size, generate_series(1, size.rows / 2) AS n;

INSERT INTO reviews (location_id, client_id, rating, body, created_at)
SELECT n * 7919 % (size.rows / 2000 + 1) + 1,
       size.rows / 500 + n % (size.rows / 10) + 1,
       CASE WHEN n % 100 = 0 THEN 1 WHEN n % 10 = 1 THEN 3 ELSE 5 END,
       'Review ' || n,
       timestamptz '2025-01-01' + n * (interval '365 days' / (size.rows / 10))
  FROM (SELECT current_setting('sample.rows')::bigint AS rows) AS size, generate_series(1, size.rows / 10) AS n;
