import { Child } from '../../../lib/rehearsal/engines/child';
import { processTreeCpuSeconds } from '../../../lib/rehearsal/engines/process-cpu';

const environment = { PATH: '/usr/bin:/bin', SPIN: 'i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done' };

describe('CPU seconds of a process', () => {
  it.each([
    ['of its grandchildren, while they run', `sh -c 'sh -c "while :; do :; done"; :'; :`],
    ['of its children that have ended', `sh -c "$SPIN"; sleep 60; :`],
    ['of its grandchildren that have ended', `sh -c 'sh -c "$SPIN"; sleep 60; :'; :`],
  ])('count those %s', async (_title, script) => {
    const child = new Child({ name: 'busy', command: 'sh', args: ['-c', script], environment });
    try {
      let seconds = 0;
      for (const deadline = Date.now() + 20_000; seconds < 0.1 && Date.now() < deadline; ) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        seconds = await processTreeCpuSeconds(child.pid);
      }
      expect(seconds).toBeGreaterThanOrEqual(0.1);
    } finally {
      await child.stop('SIGKILL');
    }
  });
});
