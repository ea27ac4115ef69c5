import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { compile } from 'handlebars';

import { pageData } from './page-data';
import type { Report } from '../report';

const read = (name: string): string => readFileSync(join(__dirname, name), 'utf8');

/** The report as one page that needs nothing but itself: no script, no font, no picture from anywhere. */
export function renderPage(report: Report): string {
  const template = compile(read('page.hbs'), { strict: false, noEscape: false });
  return template({ ...pageData(report), css: read('page.css') });
}
