import jest from 'eslint-plugin-jest';
import tseslint from 'typescript-eslint';

/** Only contracts may cross from what is deployed to what reads an assembly: the template is the only bridge. */
const bridge = {
  regex: '/(config|tier)/(?!.*\\.contract$)',
  message: 'Read the assembly instead: only *.contract.ts may be imported from config or tier.',
};
const barrel = { name: 'aws-cdk-lib', message: "Import from 'aws-cdk-lib/core' or 'aws-cdk-lib/aws-…': the barrel doubles the type check." };

export default tseslint.config(
  { ignores: ['**/node_modules', '**/cdk.out', '**/coverage', '**/rehearsal-out'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.ts', '*.mjs', 'lib/rehearsal/aws/*.cjs', 'lib/rehearsal/network/*.cjs', 'assets/application-kit/node/*/*.js', 'assets/booking-application/*.js', 'test/application/*.js'] } } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-restricted-imports': ['error', { paths: [barrel] }],
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'The environment is read in bin/ and in Lambda handlers.' }],
    },
  },
  {
    files: ['lib/application-kit/**', 'lib/assembly/**', 'lib/diagnosis/**', 'lib/rehearsal/**', 'lib/review/**'],
    rules: { 'no-restricted-imports': ['error', { paths: [barrel], patterns: [bridge] }] },
  },
  { files: ['bin/**', '**/*.lambda.ts', 'test/**', 'bench/**', 'assets/**', 'jest.config.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['test/**'],
    ...jest.configs['flat/recommended'],
    rules: {
      ...jest.configs['flat/recommended'].rules,
      'jest/expect-expect': ['error', { assertFunctionNames: ['expect', '*.hasResource*', '*.hasOutput', '*.allResources*', '*.resourceCountIs', '*.resourcePropertiesCountIs'] }],
      // A template is whatever CloudFormation takes; the assertions on it are the types.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: ['**/*.mjs', '**/*.cjs', '**/*.js'], ...tseslint.configs.disableTypeChecked },
  { files: ['**/*.cjs', '**/*.js'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
);
