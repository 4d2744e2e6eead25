/** Relay: pages through a connection with what relay-compiler generated for the fragment that is paged. */
import {
  Environment,
  Network,
  RecordSource,
  Store,
  commitMutation,
  createOperationDescriptor,
  fetchQuery,
  getPaginationMetadata,
  getPaginationVariables,
  getSingularSelector,
  type FetchFunction,
} from 'relay-runtime';

import { run, thrown, type Client, type Shown } from './asking';
import resize, { type documentsResizeMutation } from './relay/__generated__/documentsResizeMutation.graphql';
import roomsQuery, { type documentsRoomsQuery } from './relay/__generated__/documentsRoomsQuery.graphql';
import roomsFragment, { type documents_rooms$data } from './relay/__generated__/documents_rooms.graphql';
import tooManyQuery, { type documentsTooManyQuery } from './relay/__generated__/documentsTooManyQuery.graphql';

type Connection = NonNullable<documents_rooms$data['rooms']> & {
  /** Asked for by the compiler, since the field is a connection. */
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
};

/** What the application's own network layer throws for an answer that is not 2xx. */
class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: unknown,
  ) {
    super(`refused with ${status}`);
  }
}

function asking(url: string, token: string): FetchFunction {
  const headers = {
    'Content-Type': 'application/json',
    Accept: 'application/graphql-response+json, application/json;q=0.9',
    Authorization: `Bearer ${token}`,
  };
  return async ({ text }, variables) => {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query: text, variables }) });
    const body = await response.json();
    if (!response.ok) throw new Refused(response.status, body.errors?.[0]?.extensions?.code);
    return body;
  };
}

function connect(url: string, token: string): Client {
  const environment = new Environment({
    network: Network.create(asking(url, token)),
    store: new Store(new RecordSource()),
  });
  const { paginationRequest, paginationMetadata } = getPaginationMetadata(roomsFragment, 'rooms');
  const first = { first: 2, after: null };
  const everything = createOperationDescriptor(roomsQuery, first);
  environment.retain(everything);
  let known = 0;

  /** The connection with all pages so far, as the store has put them together. */
  function stored(): Connection {
    const { viewer } = environment.lookup(everything.fragment).data as { viewer: unknown };
    const { data } = environment.lookup(getSingularSelector(roomsFragment, viewer)!);
    return (data as unknown as { rooms: Connection }).rooms;
  }

  async function page(count: number, after: string | null) {
    if (after === null) {
      await fetchQuery<documentsRoomsQuery>(environment, roomsQuery, first).toPromise();
    } else {
      const next = getPaginationVariables('forward', count, after, {}, {}, paginationMetadata);
      await fetchQuery(environment, paginationRequest, next).toPromise();
    }
    const { edges, pageInfo } = stored();
    const rooms = edges.slice(known).map(({ node }) => node.account);
    known = edges.length;
    return { rooms, ...pageInfo };
  }

  async function tooMany() {
    const data = await fetchQuery<documentsTooManyQuery>(environment, tooManyQuery, {}).toPromise();
    const { rooms } = data!.viewer!;
    if (rooms.ok) throw new Error('the client showed no error');
    return { code: (rooms.errors[0] as { extensions: Shown }).extensions['code'] };
  }

  async function forbidden() {
    await page(first.first, null);
    const input = { room: stored().edges[0]!.node.id, expectedVersion: 1, capacity: 1 };
    return new Promise<Shown>((resolve, reject) => {
      commitMutation<documentsResizeMutation>(environment, {
        mutation: resize,
        variables: { input },
        onCompleted: ({ updateRoom }) => resolve({ ...updateRoom!.errors[0] }),
        onError: reject,
      });
    });
  }

  async function refused() {
    const error = await thrown(() => page(first.first, null));
    if (!(error instanceof Refused)) throw error;
    return { status: error.status, code: error.code };
  }

  return { page, tooMany, forbidden, refused };
}

await run(connect);
