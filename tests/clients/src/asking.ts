/** What every client is asked to do, and how it tells what came of it. */

export type Page = { rooms: string[]; hasNextPage: boolean; endCursor: string | null | undefined };
/** An error as users of the client get hold of it. */
export type Shown = Record<string, unknown>;

export interface Client {
  /** A page of the rooms that the person sees. */
  page(first: number, after: string | null): Promise<Page>;
  /** What is shown for more rooms than a page has, which is a top-level error. */
  tooMany(): Promise<Shown>;
  /** What is shown for a change that the person may not make, which is an error in the payload. */
  forbidden(): Promise<Shown>;
  /** What is shown where the token is none. */
  refused(): Promise<Shown>;
}

/** A client of one person. */
export type Connect = (url: string, token: string) => Client;

const FIRST = 2;
const MOST_PAGES = 100;

async function everything(client: Client): Promise<{ rooms: string[]; pages: number }> {
  const rooms: string[] = [];
  let after: string | null = null;
  for (let pages = 1; pages <= MOST_PAGES; pages++) {
    const page: Page = await client.page(FIRST, after);
    rooms.push(...page.rooms);
    if (!page.hasNextPage) return { rooms, pages };
    after = page.endCursor ?? null;
  }
  throw new Error(`there is always another page after ${MOST_PAGES}`);
}

/** What `attempt` throws; that it throws nothing is an error of its own. */
export async function thrown(attempt: () => Promise<unknown>): Promise<unknown> {
  try {
    await attempt();
  } catch (error) {
    return error;
  }
  throw new Error('the client showed no error');
}

/** Do everything as everybody, and print it for the script that knows what is right. */
export async function run(connect: Connect): Promise<void> {
  const url = process.env['GATEWAY_URL']!;
  const tokens: Record<string, string> = JSON.parse(process.env['GATEWAY_TOKENS']!);
  const people: Record<string, unknown> = {};
  for (const [name, token] of Object.entries(tokens)) {
    people[name] = await everything(connect(url, token));
  }
  const last = connect(url, Object.values(tokens).at(-1)!);
  const nobody = connect(url, 'no-token');
  const [tooMany, forbidden, refused] = [await last.tooMany(), await last.forbidden(), await nobody.refused()];
  console.log(JSON.stringify({ people, tooMany, forbidden, refused }));
}
