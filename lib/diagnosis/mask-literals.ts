/**
 * Takes every value out of a statement, and its comments, which often carry values: names, keywords and `$1` stay.
 * Works on texts that were cut off anywhere, as `pg_stat_activity` cuts them.
 *
 * @see https://www.postgresql.org/docs/17/sql-syntax-lexical.html
 */
export function maskLiterals(statement: string): string {
  return statement
    .replace(token, (text: string) => {
      if (text.startsWith('--') || text.startsWith('/*')) return ' ';
      // A name in quotes, a parameter, or a word that may end in digits.
      if (/^["$A-Za-z_\u0080-\uffff]/.test(text) && !/^\$[^0-9]/.test(text) && !/^[A-Za-z]&?'/.test(text)) return text;
      return '?';
    })
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * In this order: comments, values, and what only looks like one. Where the text ends inside of one, all that is left
 * belongs to it. In a plain string, a backslash before a quote says nothing certain about where the string ends, since
 * that depends on standard_conforming_strings: all that follows is taken for a part of it.
 */
const token = new RegExp(
  [
    /--[^\n]*/,
    /\/\*(?:(?!\/\*|\*\/)[^])*(?:\*\/|\/\*[^]*|$)/,
    /[eE]'(?:[^'\\]|\\[^]|'')*(?:'|\\?$)/,
    /(?:[bBxXnN]|[uU]&)?'(?:[^'\\]|''|\\(?!'))*(?:'|\\'[^]*|$)/,
    /\$([A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$[^]*?(?:\$\1\$|$)/,
    /"(?:[^"]|"")*(?:"|$)/,
    /\$\d+/,
    /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/,
    /(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?\w*/,
  ]
    .map(({ source }) => `(?:${source})`)
    .join('|'),
  'g',
);
