import type { Statement } from './bootstrap-sql';
import type { RoleCatalogue } from './role-catalogue';
import { quoteIdentifier } from '../database/sql-quoting';

/** A privilege that a group should have on a relation of schema public, and has not. */
export interface MissingPrivilege {
  readonly role: string;
  readonly privilege: string;
  readonly kind: 'TABLE' | 'SEQUENCE';
  /** Schema-qualified and quoted by the server. */
  readonly relation: string;
}

/** A relation of schema public that does not belong to the owner's group. */
export interface ForeignRelation {
  readonly relation: string;
  readonly owner: string;
}

/** Relations that belong to an extension have its privileges, and are nobody's business here. */
const relations = `
  SELECT c.oid, c.relowner, c.relkind, format('%I.%I', n.nspname, c.relname) AS relation,
         CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/**
 * Default privileges reach only what is created after them. Asks for what else is missing, on relations whose
 * privileges the master may grant: a grant that is there already would be written to the catalog again.
 */
export function missingPrivilegesQuery(catalogue: RoleCatalogue<unknown>): Statement {
  const wanted = catalogue.groups.flatMap(({ name, privileges }) => [
    ...privileges.tables.map((privilege) => ({ role: name, kind: 'TABLE', privilege })),
    ...privileges.sequences.map((privilege) => ({ role: name, kind: 'SEQUENCE', privilege })),
  ]);
  return {
    what: 'look for missing privileges',
    sql: `
      SELECT w.role, w.privilege, w.kind, r.relation
      FROM (${relations}) r
      JOIN unnest($1::text[], $2::text[], $3::text[]) AS w (role, kind, privilege) USING (kind)
      WHERE pg_has_role(r.relowner, 'USAGE')
        AND NOT CASE r.kind WHEN 'SEQUENCE' THEN has_sequence_privilege(w.role, r.oid, w.privilege)
                            ELSE has_table_privilege(w.role, r.oid, w.privilege) END
      ORDER BY r.relation, w.role, w.privilege`,
    values: [wanted.map(({ role }) => role), wanted.map(({ kind }) => kind), wanted.map(({ privilege }) => privilege)],
  };
}

export function grantMissingPrivileges(missing: readonly MissingPrivilege[]): readonly Statement[] {
  return missing.map(({ role, privilege, kind, relation }) => ({
    what: `grant ${privilege} on ${relation} to "${role}"`,
    sql: `GRANT ${privilege} ON ${kind} ${relation} TO ${quoteIdentifier(role)}`,
  }));
}

/** Sequences that belong to a column follow their table. */
export function foreignRelationsQuery(owner: string): Statement {
  return {
    what: 'look for relations of other owners',
    sql: `
      SELECT r.relation, pg_get_userbyid(r.relowner) AS owner
      FROM (${relations}) r
      WHERE r.relowner <> $1::regrole AND r.relkind IN ('r', 'p', 'm')
      ORDER BY owner, r.relation`,
    values: [quoteIdentifier(owner)],
  };
}

/** One warning for each owner: the bootstrap takes nobody's tables away, but the tier cannot serve them fully. */
export function foreignRelationWarnings(foreign: readonly ForeignRelation[], owner: string): readonly string[] {
  const byOwner = new Map<string, string[]>();
  for (const { relation, owner: other } of foreign) byOwner.set(other, [...(byOwner.get(other) ?? []), relation]);
  return [...byOwner].map(([other, names]) => {
    const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
    return (
      `${shown}: owned by "${other}", not by "${owner}", so no index can be built there and new privileges depend on "${other}"; ` +
      `for each, run ALTER TABLE ${names[0]!} OWNER TO ${quoteIdentifier(owner)}`
    );
  });
}
