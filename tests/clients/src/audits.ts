/** The audits of GraphQL over HTTP, as the reference implementation ships them, with somebody's token. */
import { auditServer } from 'graphql-http';

const token: string = Object.values<string>(JSON.parse(process.env['GATEWAY_TOKENS']!))[0]!;
const results = await auditServer({
  url: process.env['GATEWAY_URL']!,
  fetchFn: (url: string, init: RequestInit = {}) =>
    fetch(url, { ...init, headers: { ...(init.headers as Record<string, string>), Authorization: `Bearer ${token}` } }),
});
const failed = results.filter((each) => each.status !== 'ok').map(({ id, name }) => ({ id, name }));
console.log(JSON.stringify({ audits: results.length, failed }));
