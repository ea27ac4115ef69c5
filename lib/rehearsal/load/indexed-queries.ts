/** A query of the application for which the guide has an index. */
export interface IndexedQuery {
  readonly index: string;
  readonly sql: string;
}

/** One for each of the guide's indexes; the planner must choose that index by itself. */
export const indexedQueries: readonly IndexedQuery[] = [
  { index: 'idx_appointments_barber_date', sql: "SELECT * FROM appointments WHERE barber_id = 7 AND appointment_date >= '2025-06-01' AND appointment_date < '2025-06-02'" },
  { index: 'idx_appointments_client_date', sql: 'SELECT * FROM appointments WHERE client_id = (SELECT max(id) - 9 FROM users) ORDER BY appointment_date DESC LIMIT 5' },
  { index: 'idx_appointments_status_date', sql: "SELECT * FROM appointments WHERE status = 'pending' AND appointment_date >= '2025-06-01' AND appointment_date < '2025-06-08'" },
  { index: 'idx_appointments_location', sql: "SELECT * FROM appointments WHERE location_id = (SELECT max(id) FROM locations) AND appointment_date >= '2025-06-01' AND appointment_date < '2025-06-08' ORDER BY appointment_date" },
  { index: 'idx_payments_appointment', sql: 'SELECT * FROM payments WHERE appointment_id = 4711' },
  { index: 'idx_payments_user_date', sql: 'SELECT * FROM payments WHERE user_id = (SELECT max(id) - 9 FROM users) ORDER BY created_at DESC LIMIT 20' },
  { index: 'idx_payments_status', sql: "SELECT * FROM payments WHERE status = 'failed'" },
  { index: 'idx_users_email', sql: "SELECT * FROM users WHERE email = 'user42@example.com'" },
  { index: 'idx_users_location', sql: 'SELECT * FROM users WHERE location_id = 3' },
  { index: 'idx_analytics_barber_date', sql: "SELECT event_type, count(*) FROM analytics_events WHERE barber_id = 7 AND event_date >= '2025-06-01' AND event_date < '2025-07-01' GROUP BY 1" },
  { index: 'idx_analytics_type_date', sql: "SELECT count(barber_id) FROM analytics_events WHERE event_type = 'refund' AND event_date >= '2025-06-01' AND event_date < '2025-06-15'" },
  { index: 'idx_reviews_location_date', sql: 'SELECT * FROM reviews WHERE location_id = 3 ORDER BY created_at DESC LIMIT 10' },
  { index: 'idx_reviews_rating', sql: 'SELECT * FROM reviews WHERE rating = 1' },
];
