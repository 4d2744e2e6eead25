/** A client that sends what the file of persisted documents holds, found by the hash in the typed document. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';

import { run, type Client } from './asking';
import { RESIZE, ROOMS } from './documents';

const file: Record<string, string> = JSON.parse(readFileSync('src/gql/persisted-documents.json', 'utf8'));
for (const [hash, text] of Object.entries(file)) {
  const computed = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  if (hash !== computed) throw new Error(`${hash} is not the hash of its document`);
}

type Answer<Data> = { data?: Data; errors?: { extensions: { code: string } }[] };
type Typed<Data, Variables> = DocumentTypeDecoration<Data, Variables> & { __meta__?: Record<string, unknown> };

function connect(url: string, token: string): Client {
  async function ask<Data, Variables>(document: Typed<Data, Variables>, variables: Variables) {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/graphql-response+json',
        Authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({ query: file[String(document.__meta__?.['hash'])], variables }),
    });
    return { status: response.status, ...((await response.json()) as Answer<Data>) };
  }

  async function page(first: number, after: string | null) {
    const { data } = await ask(ROOMS, { first, after });
    const { nodes, pageInfo } = data!.viewer!.rooms!;
    return { rooms: nodes.map((room) => room.account), ...pageInfo };
  }

  async function shown(first: number) {
    const { status, errors } = await ask(ROOMS, { first });
    return { status, code: errors?.[0]?.extensions.code };
  }

  async function forbidden() {
    const { data: read } = await ask(ROOMS, { first: 1 });
    const input = { room: read!.viewer!.rooms!.nodes[0]!.id, expectedVersion: 1, capacity: 1 };
    const { data } = await ask(RESIZE, { input });
    return { ...data!.updateRoom!.errors[0] };
  }

  return { page, tooMany: () => shown(101), forbidden, refused: () => shown(1) };
}

await run(connect);
