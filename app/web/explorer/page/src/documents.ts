/** The documents that come with the gateway, as a partner's tool and a frontend send them. */
import { Kind, parse } from "graphql";
import { ask } from "./asking";

export interface Example {
  name: string;
  about: string;
  query: string;
}

const TEXTS: Record<string, string> = import.meta.glob("../documents/*.graphql", {
  query: "?raw",
  import: "default",
  eager: true,
});

export const EXAMPLES: Example[] = Object.entries(TEXTS).map(([path, query]) => ({
  name: path.replace(/^.*\/(.*)\.graphql$/, "$1"),
  about: commentOf(query),
  query,
}));

/** What is asked before anything else was. */
export const FIRST = `# The same question is answered differently for everybody:
# choose somebody else above.
query Rooms {
  viewer {
    tenant { displayName }
    rooms(first: 5) {
      totalCount { value }
      nodes { displayName customer { displayName } }
    }
  }
}
`;

const ROOM = "{ viewer { rooms(first: 1) { nodes { id } } } }";

/** How a value for a variable that has no default is found: the first of these that the asker sees. */
const FOUND_BY: Record<string, string> = { room: ROOM, id: ROOM };

/** Variables with which the asker can send this document as it is; empty where none are needed. */
export async function variablesFor(query: string, token: string | undefined): Promise<string> {
  const values: Record<string, string> = {};
  for (const name of neededBy(query)) {
    const lookup = FOUND_BY[name];
    values[name] = lookup && token ? firstId((await ask(token, { query: lookup })).body.data) : "";
  }
  return Object.keys(values).length ? JSON.stringify(values, null, 2) : "";
}

function neededBy(query: string): string[] {
  const definitions = parse(query).definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? (definition.variableDefinitions ?? []) : [],
  );
  return definitions
    .filter(({ type, defaultValue }) => type.kind === Kind.NON_NULL_TYPE && !defaultValue)
    .map(({ variable }) => variable.name.value);
}

function firstId(answer: unknown): string {
  if (typeof answer !== "object" || answer === null) return "";
  if ("id" in answer && typeof answer.id === "string") return answer.id;
  return Object.values(answer).map(firstId).find(Boolean) ?? "";
}

function commentOf(query: string): string {
  const lines = query.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("#"));
  return lines.slice(0, end).map((line) => line.replace(/^#\s*/, "")).join(" ");
}
