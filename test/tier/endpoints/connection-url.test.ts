import { connectionUrl } from '../../../lib/tier/endpoints/connection-url';

describe('connectionUrl', () => {
  it('holds neither user nor password', () => {
    expect(connectionUrl({ host: 'db.internal', port: 5432, database: 'bookedbarber', sslmode: 'verify-full' })).toBe(
      'postgresql://db.internal:5432/bookedbarber?sslmode=verify-full',
    );
  });
});
