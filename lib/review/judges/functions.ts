import type { Judgement } from '../impact';
import { describeProperty, type Judge } from './generic';

/** Judges a function: nobody who uses the tier calls one. */
export const judgeFunction: Judge = ({ kind, properties }) => {
  const say = (what: string, atDeploy: string): Judgement => ({ section: 'rest', impact: 'no interruption', what, atDeploy });
  if (kind !== 'changed') return [say(`function ${kind}`, kind === 'added' ? 'made' : 'deleted')];
  return properties.map((property) => (property.name === 'Code' ? say('its code', 'the next call runs it') : say(describeProperty(property), 'from the next call on')));
};
