import type { Guard } from './guarded-stack';

/**
 * Logical ids of what holds state, and of what cannot be replaced under it. Another id, and CloudFormation makes a new,
 * empty one and lets go of the old one. An entry leaves this list only together with what it names, on purpose. Replicas are not
 * in it: they have the names that the configuration gives them.
 */
export const pinnedLogicalIds = {
  data: ['Key961B73FD', 'NetworkVpc7FB7348F', 'DatabaseSubnets56F17B9A', 'DatabaseMasterSecretC5C2A01F', 'DatabasePrimaryEDE0B3D0'],
  service: [
    'RolesApplicationSecret3FB5A989',
    'RolesReadOnlySecretF573AE0E',
    'RolesMigrationsSecretEF7F76FC',
    'RolesIndexesSecret622977E2',
    'RolesCollectorSecret7E13537F',
    'RolesPoolerAdminSecret71EF6A6E',
    'RolesRotationSecret9C246679',
    'RolesUserlist2F58AEC0',
  ],
} as const;

/** Refuses a template that lacks a pinned id: a renamed construct, above all. */
export const guardPinnedLogicalIds: Guard = ({ id, template }) =>
  pinnedLogicalIds[id]
    .filter((logicalId) => !(logicalId in template.Resources))
    .map((logicalId) => ({
      logicalId,
      message: `pinned, and gone from the ${id} stack: a deploy would lose what it holds; give the construct its old id and place again, or take the entry out of lib/tier/guards/pinned-logical-ids.ts in the same change`,
    }));
