import { InvalidArgumentError } from 'commander';

/** Of an option that counts something. */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a whole number above 0.`);
  return Number(text);
}
