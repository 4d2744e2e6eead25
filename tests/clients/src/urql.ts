/** urql, whose `Accept` names event streams last. */
import { CombinedError, Client as Urql, cacheExchange, fetchExchange } from '@urql/core';

import { run, thrown, type Client, type Shown } from './asking';
import { RESIZE, ROOMS } from './documents';

function connect(url: string, token: string): Client {
  const client = new Urql({
    url,
    exchanges: [cacheExchange, fetchExchange],
    preferGetMethod: false, // it would send short queries by GET, which is refused
    fetchOptions: { headers: { Authorization: `Bearer ${token}` } },
  });

  async function page(first: number, after: string | null) {
    const { data, error } = await client.query(ROOMS, { first, after }).toPromise();
    if (error) throw error;
    const { nodes, pageInfo } = data!.viewer!.rooms!;
    return { rooms: nodes.map((room) => room.account), ...pageInfo };
  }

  async function shown(attempt: () => Promise<unknown>): Promise<Shown> {
    const error = await thrown(attempt);
    if (!(error instanceof CombinedError)) throw error;
    return { status: error.response.status, code: error.graphQLErrors[0]?.extensions['code'] };
  }

  async function forbidden() {
    const { data: read } = await client.query(ROOMS, { first: 1 }).toPromise();
    const input = { room: read!.viewer!.rooms!.nodes[0]!.id, expectedVersion: 1, capacity: 1 };
    const { data } = await client.mutation(RESIZE, { input }).toPromise();
    return { ...data!.updateRoom!.errors[0] };
  }

  return { page, tooMany: () => shown(() => page(101, null)), forbidden, refused: () => shown(() => page(1, null)) };
}

/** As it comes, urql asks by GET; what its users see then has to tell them what to do. */
async function asItComes(url: string): Promise<void> {
  const client = new Urql({ url, exchanges: [fetchExchange] });
  const { error } = await client.query(ROOMS, { first: 1 }).toPromise();
  if (error?.response?.status !== 405 || !error.message.includes('`POST`')) {
    throw new Error(`a query by GET shows ${error?.message}`);
  }
}

await asItComes(process.env['GATEWAY_URL']!);
await run(connect);
