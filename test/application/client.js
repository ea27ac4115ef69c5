'use strict';

// Plays scenarios as client.py does, on the kit's node-postgres.
const { createInterface } = require('node:readline');

const { openDatabase } = require('bookedbarber-db');

const step = (name) => fetch(`${process.env.CONTROL_URL}/${name}`, { method: 'POST' });

const scenarios = {
  drainedBeforeFirstStatement: async ({ write }) => {
    await write((session) => session.query('SELECT 1'));
    await step('drain');
    await write((session) => session.query('INSERT INTO appointments VALUES (1)'));
    return write(async (session) => (await session.query('SELECT id FROM appointments')).rows.map(({ id }) => id));
  },
  lostAfterFirstStatement: ({ write }) =>
    write(async (session) => {
      await session.query('INSERT INTO appointments VALUES (2)');
      await step('kill');
      await session.query('INSERT INTO appointments VALUES (3)');
    }),
  lostAtCommit: ({ write }) =>
    write(async (session) => {
      await session.query('INSERT INTO appointments VALUES (4)');
      await step('kill');
    }),
  caughtError: ({ write }) =>
    write(async (session) => {
      await session.query('INSERT INTO appointments VALUES (7)');
      await session.query('SELECT 1 / 0').catch(() => undefined);
    }),
  rotated: async ({ write }) => {
    const who = () => write(async (session) => (await session.query('SELECT current_user AS name')).rows[0].name);
    const before = await who();
    await step('rotate');
    return [before, await who()];
  },
  split: async ({ read, write }) => {
    const where = async (session) => (await session.query('SELECT host(inet_server_addr()) AS address')).rows[0].address;
    return [await write(where), await read(where)];
  },
  writtenInReadSession: ({ read }) => read((session) => session.query('INSERT INTO appointments VALUES (5)')),
  prepared: async ({ write }) => {
    // The pooler takes its server connections in turn, and then there are three.
    await write(() => write(() => write((session) => session.query('SELECT 1'))));
    let total = 0;
    for (let number = 0; number < 300; number++) {
      const query = { name: `statement ${number % 150}`, text: `SELECT ${number % 150} AS number` };
      total += await write(async (session) => (await session.query(query)).rows[0].number);
    }
    return total;
  },
};

async function play({ scenario }) {
  const database = await openDatabase();
  const answer = await scenarios[scenario](database).then(
    (result) => ({ result }),
    (error) => ({ error: error.message }),
  );
  await database.close();
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) await play(JSON.parse(line));
}

void main();
