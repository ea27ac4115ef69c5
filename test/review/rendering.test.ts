import type { Finding } from '../../lib/review/impact';
import { renderMarkdown } from '../../lib/review/render/markdown';
import { renderText } from '../../lib/review/render/text';
import type { ReviewReport } from '../../lib/review/review-report';

const place = { stack: 'bookedbarber-production-data', environment: 'production' };
const primary: Finding = { ...place, logicalId: 'DatabasePrimaryEDE0B3D0', resourceType: 'AWS::RDS::DBInstance', name: 'Database/Primary', section: 'state', impact: 'data loss', what: 'replaced: KmsKeyId <Key.Arn> → <SecondKey.Arn>', atDeploy: 'a new one is made empty; the old one is left behind.' };
const index: Finding = { ...place, logicalId: 'Indexes3C5', resourceType: 'Custom::Indexes', name: 'Indexes', section: 'indexes', impact: 'no interruption', what: '+ CREATE INDEX "a`b" ON public.users (phone)', atDeploy: 'build: concurrently' };
const rest: Finding = { ...place, logicalId: 'Function1', resourceType: 'AWS::Lambda::Function', name: 'Function', section: 'rest', impact: 'no interruption', what: 'its code', atDeploy: 'the next call runs it' };

const report: ReviewReport = {
  schemaVersion: 1,
  base: 'main (0123456)',
  head: 'the working tree',
  environments: ['staging', 'production'],
  findings: [primary, { ...primary, environment: 'staging', acknowledged: 'staging is filled anew every night' }, index, { ...index, environment: 'staging' }, rest],
  pools: { staging: [], production: [{ figure: 'bookedbarber: server connections of all tasks', before: '100', after: '80' }, { figure: 'tasks', before: '2 to 4', after: '2 to 4' }] },
  remarks: ['package-lock.json differs: <both> were synthesized'],
  worst: 'data loss',
  openRisks: 1,
};

describe('a review as Markdown', () => {
  it('says first what is worst and open, then each section, the pools as a table, and collapses what nobody notices', () => {
    expect(renderMarkdown(report)).toBe(`## ⛔ At worst: data loss. 1 risk is not acknowledged, 1 acknowledged.

\`main (0123456)\` → \`the working tree\`, staging, production — data loss: something that holds state is deleted, replaced by an empty one, or left behind

> package-lock.json differs: \\<both\\> were synthesized

### What holds state

- ⛔ **data loss** \`Database/Primary\` (\`DatabasePrimaryEDE0B3D0\`), production: \`replaced: KmsKeyId <Key.Arn> → <SecondKey.Arn>\`<br>at deploy: a new one is made empty; the old one is left behind.
- **data loss** \`Database/Primary\` (\`DatabasePrimaryEDE0B3D0\`), staging: \`replaced: KmsKeyId <Key.Arn> → <SecondKey.Arn>\`<br>at deploy: a new one is made empty; the old one is left behind.<br>acknowledged: staging is filled anew every night

### Indexes

- **no interruption** \`Indexes\` (\`Indexes3C5\`), production, staging: \`\` + CREATE INDEX "a\`b" ON public.users (phone) \`\`<br>at deploy: build: concurrently

### The rest

<details><summary>1 more, each a consequence or unnoticed: 1 × AWS::Lambda::Function; at worst: no interruption</summary>

- **no interruption** \`Function\` (\`Function1\`), production: \`its code\`<br>at deploy: the next call runs it

</details>

| production | before | after |
|---|--:|--:|
| bookedbarber: server connections of all tasks | 100 | **80** |
| tasks | 2 to 4 | = |
`);
  });

  it('fits into a comment, however much changes, and says how much it leaves out', () => {
    const many = Array.from({ length: 600 }, (_, number): Finding => ({ ...primary, logicalId: `Primary${number}`, what: 'x'.repeat(300) }));
    const text = renderMarkdown({ ...report, findings: [...many, index] });
    expect(text.length).toBeLessThan(65_536);
    expect(text).toContain('## ⛔ At worst: data loss.');
    expect(text).toContain('⛔ **data loss** `Database/Primary` (`Primary0`)');
    expect(text).toMatch(/_\d+ findings more do not fit here; run npm run review for all\._/);
  });

  it('says only that nothing changes where nothing does', () => {
    const { schemaVersion, base, head, environments } = report;
    expect(renderMarkdown({ schemaVersion, base, head, environments, findings: [], pools: {}, remarks: [], openRisks: 0 })).toBe('## ✅ Nothing changes.\n\n`main (0123456)` → `the working tree`, staging, production\n');
  });
});

describe('a review in a terminal', () => {
  const render = (width: number, all = false) => renderText(report, { all, width, paint: (_impact, text) => text });

  it('has risks in capitals, what follows collapsed until it is asked for, and the verdict at the end, where it is still seen', () => {
    const lines = render(160).split('\n');
    expect(lines).toContain('  DATA LOSS  Database/Primary (DatabasePrimaryEDE0B3D0), production');
    expect(lines).toContain('  1 more, each a consequence or unnoticed (--all shows them): 1 × AWS::Lambda::Function; at worst: no interruption');
    expect(lines.at(-2)).toBe('');
    expect(lines.findIndex((line) => line.startsWith('At worst: data loss. 1 risk is not acknowledged'))).toBeGreaterThan(lines.length - 5);
    expect(render(160, true)).toContain('  no interruption  Function (Function1), production\n    its code');
  });

  it('wraps at the width of the terminal, below what it belongs to', () => {
    const text = render(60);
    expect(text).toContain('    at deploy: a new one is made empty; the old one is\n      left behind.');
    for (const line of text.split('\n').filter((line) => !/[│─]|^ {2}\S/.test(line))) expect(line.length).toBeLessThanOrEqual(60);
  });
});
