import { Child } from '../../../lib/rehearsal/engines/child';
import { processTreeCpuSeconds } from '../../../lib/rehearsal/engines/process-cpu';

const environment = { PATH: '/usr/bin:/bin', SPIN: 'i=0; while [ $i -lt 500000 ]; do i=$((i+1)); done' };

describe('CPU seconds of a process', () => {
  it.each([
    ['of its grandchildren, while they run', `sh -c 'timeout --foreground 60 sh -c "echo; while :; do :; done"; :'; :`],
    ['of its children that have ended', `sh -c "$SPIN"; echo; sleep 60; :`],
    ['of its grandchildren that have ended', `sh -c 'sh -c "$SPIN"; echo; sleep 60; :'; :`],
  ])('count those %s', async (_title, script) => {
    let child!: Child;
    const hasCome = new Promise<void>((resolve) => (child = new Child({ name: 'busy', command: 'sh', args: ['-c', script], environment, onLine: () => resolve() })));
    try {
      await hasCome;
      let seconds = 0;
      while (seconds < 0.1 && child.isRunning) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        seconds = await processTreeCpuSeconds(child.pid);
      }
      expect(seconds).toBeGreaterThanOrEqual(0.1);
    } finally {
      await child.stop('SIGKILL');
    }
  });
});
