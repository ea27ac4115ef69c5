import { findParameter, isRdsManaged, type ServerParameter, similarParameters } from './parameter-catalogue';

/**
 * What is wrong with a parameter of a parameter group: value, limit and fix; undefined if RDS takes it and PostgreSQL
 * runs with it.
 */
export function parameterProblem(name: string, value: string): string | undefined {
  const parameter = findParameter(name);
  if (!parameter) {
    const similar = similarParameters(name);
    return `neither PostgreSQL 17 nor RDS has it${similar.length > 0 ? `; did you mean ${similar.join(' or ')}?` : ''}`;
  }
  if (isRdsManaged(name)) return 'is set by RDS itself, and no parameter group may change it; leave it out';
  return judges[parameter.type](value, parameter);
}

type Judge = (value: string, parameter: ServerParameter) => string | undefined;

const judges: Readonly<Record<ServerParameter['type'], Judge>> = {
  bool: (value) => (value === '0' || value === '1' ? undefined : `"${value}" is no boolean as RDS takes it; write "1" for on, "0" for off`),
  enum: (value, { values = [] }) => {
    // PostgreSQL reads 0 and 1 wherever an enum has on and off.
    const allowed = values.includes('on') ? [...values, '0', '1'] : values;
    return allowed.includes(value) ? undefined : `"${value}" is not one of ${allowed.join(', ')}`;
  },
  integer: (value, parameter) => (formula.test(value) ? undefined : number(value, parameter, /^-?\d+$/, 'a whole number')),
  real: (value, parameter) => number(value, parameter, /^-?\d+(\.\d+)?$/, 'a number'),
  string: () => undefined,
};

/** https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ParamValuesRef.html */
const formula = /^(\{.*DBInstance\w+.*\}|(GREATEST|LEAST|SUM)\(.+\))$/;

function number(value: string, { unit, min, max }: ServerParameter, pattern: RegExp, kind: string): string | undefined {
  const inUnit = unit ? `, in units of ${unit}` : '';
  if (!pattern.test(value)) return `"${value}" is not ${kind}${inUnit}; RDS takes no suffix: write the number alone`;
  const outside = (min !== undefined && Number(value) < Number(min)) || (max !== undefined && Number(value) > Number(max));
  return outside ? `${value} is not ${kind} from ${min} to ${max}${inUnit}` : undefined;
}
