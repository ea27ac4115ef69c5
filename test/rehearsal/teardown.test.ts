import { Teardown } from '../../lib/rehearsal/teardown';

describe('Teardown', () => {
  it('stops what was started last first', async () => {
    const stopped: string[] = [];
    const teardown = new Teardown();
    for (const name of ['server', 'pooler']) teardown.defer(name, () => void stopped.push(name));
    await expect(teardown.run()).resolves.toEqual([]);
    expect(stopped).toEqual(['pooler', 'server']);
  });

  it('stops the rest when one cannot be stopped, and says which', async () => {
    const stopped: string[] = [];
    const teardown = new Teardown();
    teardown.defer('server', () => void stopped.push('server'));
    teardown.defer('pooler', () => Promise.reject(new Error('no such process')));
    const failures = await teardown.run();
    expect(failures.map(({ message }) => message)).toEqual(['could not stop pooler: no such process']);
    expect(stopped).toEqual(['server']);
  });

  it('stops everything once, however often it is asked', async () => {
    let count = 0;
    const teardown = new Teardown();
    teardown.defer('server', () => void count++);
    await Promise.all([teardown.run(), teardown.run()]);
    expect(count).toBe(1);
  });
});
