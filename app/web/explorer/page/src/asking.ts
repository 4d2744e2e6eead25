/** Questions to the gateway that serves this page, and to nobody else. */
import type { ExecutionResult } from "graphql";
import { createContext, useContext } from "react";
import type { Person } from "./people";

export interface Question {
  query: string;
  variables?: unknown;
  operationName?: string | null | undefined;
}

export interface Reply {
  status: number;
  milliseconds: number;
  body: ExecutionResult;
}

/** Who asks, and what the page knows about it. */
export interface Asking {
  people: Person[];
  /** Why there are no people although this is the demo. */
  reason: string | undefined;
  asker: Person | undefined;
  /** Whose answer came last, and how fast; until it is shown. */
  latest: { current: { asker: Person; reply: Reply } | undefined };
  /** Whether the gateway refused the asker's token. */
  refused: boolean;
  choose: (person: Person) => void;
  renew: () => Promise<Person | undefined>;
}

const AskingContext = createContext<Asking | undefined>(undefined);
export const AskingProvider = AskingContext.Provider;

export function useAsking(): Asking {
  const asking = useContext(AskingContext);
  if (!asking) throw new Error("useAsking outside of AskingProvider");
  return asking;
}

export const UNREACHABLE = "The gateway does not answer; is it still running?";
const ENDPOINT = new URL("../graphql", document.baseURI);

/** What the gateway answers to whoever has this token. */
export async function ask(token: string, question: Question): Promise<Reply> {
  const started = performance.now();
  try {
    const response = await fetch(ENDPOINT, {
      method: "POST",
      credentials: "omit",
      headers: {
        Accept: "application/graphql-response+json, application/json;q=0.9",
        Authorization: `Bearer ${token}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify(question),
    });
    const body = (await response.json()) as ExecutionResult;
    return { status: response.status, milliseconds: Math.round(performance.now() - started), body };
  } catch {
    throw new Error(UNREACHABLE);
  }
}
