/** graphql-request, with documents typed by graphql-codegen. */
import { ClientError, GraphQLClient } from 'graphql-request';

import { run, thrown, type Client, type Shown } from './asking';
import { RESIZE, ROOMS } from './documents';

function connect(url: string, token: string): Client {
  const client = new GraphQLClient(url, { headers: { Authorization: `Bearer ${token}` } });

  async function page(first: number, after: string | null) {
    const { viewer } = await client.request(ROOMS, { first, after });
    const { nodes, pageInfo } = viewer!.rooms!;
    return { rooms: nodes.map((room) => room.account), ...pageInfo };
  }

  async function shown(attempt: () => Promise<unknown>): Promise<Shown> {
    const error = await thrown(attempt);
    if (!(error instanceof ClientError)) throw error;
    return { status: error.response.status, code: error.response.errors?.[0]?.extensions?.['code'] };
  }

  async function forbidden() {
    const { viewer } = await client.request(ROOMS, { first: 1 });
    const input = { room: viewer!.rooms!.nodes[0]!.id, expectedVersion: 1, capacity: 1 };
    const { updateRoom } = await client.request(RESIZE, { input });
    return { ...updateRoom!.errors[0] };
  }

  return { page, tooMany: () => shown(() => page(101, null)), forbidden, refused: () => shown(() => page(1, null)) };
}

await run(connect);
