import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Browser, Page } from 'puppeteer-core';

import { writeReport } from '../../../lib/rehearsal/report/report';
import { sampleReport } from '../../rehearsal/report/sample-report';
import { startBrowser } from './headless-browser';

let directory: string;
let browser: Browser;
/** What the page asked for but itself, and what it complained of. */
const complaints: string[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'report-page-'));
  writeReport(directory, sampleReport);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(width: number, height: number): Promise<Page> {
  const page = await browser.newPage();
  const url = pathToFileURL(join(directory, 'report.html')).href;
  page.on('console', (message) => void complaints.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => void complaints.push(`error: ${String(error)}`));
  page.on('request', (request) => void (request.url() !== url && !request.url().startsWith('data:') && complaints.push(`request: ${request.url()}`)));
  await page.setViewport({ width, height });
  await page.goto(url, { waitUntil: 'load' });
  return page;
}

describe('report.html in a browser', () => {
  it.each([
    ['a laptop', 1440, 900, '.wide'],
    ['a phone', 390, 844, '.narrow'],
  ])('shows every plot on %s, and nothing is wider than the page', async (_what, width, height, shown) => {
    const page = await open(width, height);
    const plots = (await page.evaluate(
      `[...document.querySelectorAll('figure.plot ${shown} svg')].map((svg) => ({ paths: svg.querySelectorAll('path').length, width: svg.getBoundingClientRect().width }))`,
    )) as readonly { readonly paths: number; readonly width: number }[];
    // One for latencies, indexes, the pooler and what ran, and one a drill.
    expect(plots).toHaveLength(4 + sampleReport.drills!.length);
    for (const plot of plots) {
      expect(plot.paths).toBeGreaterThan(5);
      expect(plot.width).toBeGreaterThan(width === 390 ? 300 : 900);
    }
    const hidden = `document.querySelector('figure.plot ${shown === '.wide' ? '.narrow' : '.wide'} svg').getBoundingClientRect().width`;
    expect(await page.evaluate(hidden)).toBe(0);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    expect(complaints).toEqual([]);
  });

  it('says first what was missed', async () => {
    const page = await open(1440, 900);
    expect(await page.evaluate("document.querySelector('.headline').textContent")).toMatch(/^failed: Indexed query, p95 is 83.1 ms, not < 50; Primary restart: the longest silence was 7.2 s/);
    expect(await page.evaluate("[...document.querySelectorAll('#targets tbody .verdict')].map(({ textContent }) => textContent)")).toEqual(sampleReport.checks.map(({ verdict }) => verdict));
  });

  it('shows the applications beside each other', async () => {
    const page = await open(1440, 900);
    const rows = "[...document.querySelectorAll('#application tbody tr')].map((row) => [...row.cells].map(({ textContent }) => textContent))";
    expect(await page.evaluate(rows)).toContainEqual(['Connections of its pool', '= 60', '60', '–']);
  });

  it('prints on A4 without its navigation', async () => {
    const page = await open(1440, 900);
    await page.emulateMediaType('print');
    expect(await page.evaluate("getComputedStyle(document.querySelector('nav')).display")).toBe('none');
    const path = join(directory, 'report.pdf');
    await page.pdf({ path, preferCSSPageSize: true, printBackground: true });
    const pages = readFileSync(path, 'latin1').match(/\/Type \/Page\b/g) ?? [];
    expect(pages.length).toBeGreaterThanOrEqual(3);
  });
});
