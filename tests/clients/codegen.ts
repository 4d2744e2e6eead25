/** What graphql-codegen generates from: types of our documents, and a file of all of them by their hash. */
import type { CodegenConfig } from '@graphql-codegen/cli';
import scalars from '../../fixtures/clients/scalars.json';

const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: ['src/*.ts', '../../fixtures/queries/*.graphql'],
  generates: {
    './src/gql/': {
      preset: 'client',
      presetConfig: { persistedDocuments: true, fragmentMasking: false },
      config: {
        scalars: Object.fromEntries(Object.entries(scalars).map(([name, { typescript }]) => [name, typescript])),
        strictScalars: true,
        enumsAsTypes: true,
        useTypeImports: true,
      },
    },
  },
};

export default config;
