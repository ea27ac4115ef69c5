'use strict';

// The same application on the kit's node-postgres: node application.js ADDRESS PORT
const { createServer } = require('node:http');

const { openDatabase } = require('bookedbarber-db');

/** More than the pooler is likely to have met before on a server connection, each several times. */
const statements = 150;
const rounds = 6;
const insertAppointment = {
  name: 'book',
  text: "INSERT INTO appointments (barber_id, client_id, location_id, appointment_date, duration_minutes, status) VALUES ($1, $2, 1, '2026-06-01 09:00Z', 30, 'confirmed') RETURNING id",
};
const insertPayment = { name: 'pay', text: "INSERT INTO payments (appointment_id, user_id, amount_cents, status) VALUES ($1, $2, 2500, 'paid')" };
const countBookings = { name: 'count', text: 'SELECT count(*)::int AS bookings, pg_is_in_recovery() AS standby FROM appointments WHERE barber_id = $1' };

async function main(address, port) {
  const database = await openDatabase();

  const routes = {
    'POST /bookings': async (parameters, phase) => {
      const client = parameters.get('client');
      const id = await database.write(async (session) => {
        phase.reached = 'statement';
        const { rows } = await session.query({ ...insertAppointment, values: [parameters.get('barber'), client] });
        await session.query({ ...insertPayment, values: [rows[0].id, client] });
        phase.reached = 'commit';
        return rows[0].id;
      });
      return { id: Number(id) };
    },
    'GET /bookings': (parameters, phase) =>
      database.read(async (session) => {
        phase.reached = 'statement';
        return (await session.query({ ...countBookings, values: [parameters.get('barber')] })).rows[0];
      }),
    'POST /read-session/bookings': () => database.read((session) => session.query({ ...insertAppointment, values: [1, 1] })),
    'GET /statements': async () => {
      let wrong = 0;
      for (let count = 0; count < statements * rounds; count++) {
        const number = count % statements;
        const { rows } = await database.read((session) => session.query({ name: `statement ${number}`, text: `SELECT ${number} AS number` }));
        wrong += Number(rows[0].number !== number);
      }
      return { wrong };
    },
  };

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    // Like FastAPI's path parameters.
    const [, barber] = /^\/barbers\/(\d+)\/bookings$/.exec(pathname) ?? [];
    if (barber) searchParams.set('barber', barber);
    const route = routes[`${request.method} ${barber ? '/bookings' : pathname}`];
    const phase = { reached: 'begin' };
    try {
      response.end(JSON.stringify(await route(searchParams, phase)));
    } catch (error) {
      response.writeHead(500).end(JSON.stringify({ phase: phase.reached, error: error.message }));
    }
  });
  server.listen(port, address);
}

void main(process.argv[2], Number(process.argv[3]));
