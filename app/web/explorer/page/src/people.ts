/** Who the gateway is asked as. Tokens live in this page's memory and nowhere else. */
import { UNREACHABLE } from "./asking";
import { claimsOf } from "./tokens";

export interface Person {
  name: string;
  organization: string;
  expects: string;
  token: string;
}

/** Who there is: in the demo its people, elsewhere nobody, with the reason if one was given. */
export interface Roster {
  people: Person[];
  reason?: string;
}

/** The people of the demo, with fresh tokens. */
export async function loadRoster(): Promise<Roster> {
  try {
    const response = await fetch("people", { credentials: "omit" });
    if (response.status === 404) return { people: [] };
    const body = (await response.json()) as { people?: Person[]; errors?: { message: string }[] };
    return body.people ? { people: body.people } : { people: [], reason: body.errors?.[0]?.message ?? UNREACHABLE };
  } catch {
    return { people: [], reason: UNREACHABLE };
  }
}

/** Whoever a token of one's own is for, as far as it says. */
export function bearerOf(token: string): Person {
  const { preferred_username, name, oid } = claimsOf(token);
  return { name: preferred_username ?? name ?? oid ?? "own token", organization: "", expects: "", token };
}

/** People by their organization, in the order in which they come. */
export function byOrganization(people: Person[]): Map<string, Person[]> {
  const groups = new Map<string, Person[]>();
  for (const person of people) {
    groups.set(person.organization, [...(groups.get(person.organization) ?? []), person]);
  }
  return groups;
}
