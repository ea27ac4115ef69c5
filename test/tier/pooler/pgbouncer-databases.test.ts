import { renderPoolerDatabase, serverTlsSslmode } from '../../../lib/tier/pooler/pgbouncer-databases';

const database = { alias: 'shop_ro', databaseName: 'shop', port: 5432, maxDbConnections: 25, requiredAtStart: false };

it('an alias of one instance names it, with the cap for all users together', () => {
  expect(renderPoolerDatabase({ ...database, hosts: ['a'] })).toBe(
    'host=a port=5432 dbname=shop pool_size=25 max_db_connections=25',
  );
});

it('an alias of several instances takes them in turn', () => {
  expect(renderPoolerDatabase({ ...database, hosts: ['a', 'b'] })).toBe(
    'host=a,b port=5432 dbname=shop load_balance_hosts=round-robin pool_size=25 max_db_connections=25',
  );
});

it('an alias of no instance is refused', () => {
  expect(() => renderPoolerDatabase({ ...database, hosts: [] })).toThrow(
    'shop_ro has no instance behind it; keep one replica that is not retiring',
  );
});

it('certificates are verified with the name of the instance, unless an alias has several', () => {
  expect(serverTlsSslmode([{ ...database, hosts: ['a'] }])).toBe('verify-full');
  expect(
    serverTlsSslmode([
      { ...database, hosts: ['a'] },
      { ...database, hosts: ['b', 'c'] },
    ]),
  ).toBe('verify-ca');
});
