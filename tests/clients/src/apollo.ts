/** Apollo Client, with a cache that knows what interfaces and unions can be. */
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, ServerError } from '@apollo/client';

import possibleTypes from '../../../fixtures/clients/possibleTypes.json';
import { run, thrown, type Client, type Shown } from './asking';
import { RESIZE, ROOMS } from './documents';

function connect(url: string, token: string): Client {
  const client = new ApolloClient({
    cache: new InMemoryCache({ possibleTypes }),
    link: new HttpLink({ uri: url, headers: { Authorization: `Bearer ${token}` } }),
  });

  async function page(first: number, after: string | null) {
    const { data } = await client.query({ query: ROOMS, variables: { first, after } });
    const { principal, rooms } = data!.viewer!;
    // Without `possibleTypes` the cache does not know that a `User` is a `Node`, and loses its id.
    if (!('id' in principal)) throw new Error('the cache lost what was asked of an interface');
    return { rooms: rooms!.nodes.map((room) => room.account), ...rooms!.pageInfo };
  }

  async function shown(attempt: () => Promise<unknown>): Promise<Shown> {
    const error = await thrown(attempt);
    if (CombinedGraphQLErrors.is(error)) return { code: error.errors[0]!.extensions!['code'] };
    if (ServerError.is(error)) return { status: error.statusCode, text: error.bodyText };
    throw error;
  }

  async function forbidden() {
    const { data: read } = await client.query({ query: ROOMS, variables: { first: 1 } });
    const input = { room: read!.viewer!.rooms!.nodes[0]!.id, expectedVersion: 1, capacity: 1 };
    const { data } = await client.mutate({ mutation: RESIZE, variables: { input } });
    return { ...data!.updateRoom!.errors[0] };
  }

  return { page, tooMany: () => shown(() => page(101, null)), forbidden, refused: () => shown(() => page(1, null)) };
}

await run(connect);
