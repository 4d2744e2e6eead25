/** What relay-compiler generates from, with the scalars of the one file that all generators share. */
const scalars = require('../../fixtures/clients/scalars.json');

module.exports = {
  src: './src/relay',
  schema: '../../schema.graphql',
  language: 'typescript',
  artifactDirectory: './src/relay/__generated__',
  customScalarTypes: Object.fromEntries(Object.entries(scalars).map(([name, { typescript }]) => [name, typescript])),
  requireCustomScalarTypes: true,
  eagerEsModules: true,
  noSourceControl: true,
};
