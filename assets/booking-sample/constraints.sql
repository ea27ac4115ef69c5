-- After the data: one pass over each table instead of a check for each row.
ALTER TABLE users ADD FOREIGN KEY (location_id) REFERENCES locations;
ALTER TABLE appointments ADD FOREIGN KEY (barber_id) REFERENCES users, ADD FOREIGN KEY (client_id) REFERENCES users;
ALTER TABLE payments ADD FOREIGN KEY (appointment_id) REFERENCES appointments, ADD FOREIGN KEY (user_id) REFERENCES users;
ALTER TABLE reviews ADD FOREIGN KEY (location_id) REFERENCES locations;
