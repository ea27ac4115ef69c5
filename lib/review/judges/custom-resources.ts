import type { Judgement } from '../impact';
import { arrow, describeProperty, type Judge } from './generic';

const fields: ReadonlySet<string> = new Set(['ServiceToken', 'ServiceTimeout', 'Database', 'Userlist', 'Extensions', 'Owner', 'SmokeTableWriter']);

/** Judges the roles of the database, a property for each. */
export const judgeRoles: Judge = ({ kind, properties }) => {
  const say = (what: string, atDeploy: string): Judgement => ({ section: 'security', impact: 'no interruption', what, atDeploy });
  if (kind === 'added') return [say('the bootstrap of roles is added', 'roles are made, or brought to what is said here')];
  if (kind === 'removed') return [say('the bootstrap of roles is removed', 'every role stays, and nobody looks after it any more')];
  return properties.map((property) => {
    if (fields.has(property.name)) return say(describeProperty(property), 'the roles are gone through once more');
    if (property.before === undefined) return say(`role ${property.name} is added: ${arrow(undefined, property.after)}`, 'made');
    if (property.after === undefined) return say(`role ${property.name} is no longer listed`, 'see whether it stays in the database, and who still logs in with it');
    return say(`role ${describeProperty(property)}`, 'altered at the deploy; sessions that are open keep what they have');
  });
};

/** Judges the check at the end of a deploy. */
export const judgeSmokeCheck: Judge = ({ kind, properties }) => {
  if (kind === 'removed') return [{ section: 'alarms', impact: 'no interruption', what: 'the check at the end of a deploy is removed', atDeploy: 'a deploy is green whether or not the tier answers' }];
  return [{ section: 'rest', impact: 'no interruption', what: kind === 'added' ? 'smoke check added' : `smoke check: ${properties.map(describeProperty).join('; ')}`, atDeploy: 'a write and a read prove the deploy' }];
};
