/** The page: GraphiQL, asked as whoever is chosen. */
import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from "@graphiql/plugin-doc-explorer";
import { HISTORY_PLUGIN, HistoryStore } from "@graphiql/plugin-history";
import { GraphiQLProvider, pick, ToolbarButton, useGraphiQL } from "@graphiql/react";
import type { Fetcher } from "@graphiql/toolkit";
import { GraphiQL, GraphiQLInterface } from "graphiql";
import { useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
import { type Asking, AskingProvider, ask, useAsking } from "./asking";
import { Bar } from "./bar";
import { EXAMPLES, FIRST, variablesFor } from "./documents";
import { Answered } from "./footer";
import { type Link, readLink, showLink } from "./links";
import { useOpen } from "./opening";
import { DOCUMENTS_PLUGIN } from "./panel";
import { loadRoster, type Person, type Roster } from "./people";

const PLUGINS = [DOC_EXPLORER_PLUGIN, DOCUMENTS_PLUGIN, HISTORY_PLUGIN];
const NOBODY = { errors: [{ message: "Nobody asks yet: give an access token above." }] };

export function Explorer({ roster: found }: { roster: Roster }) {
  const asking = useRosterAsking(found);
  return (
    <AskingProvider value={asking}>
      <GraphiQLProvider
        fetcher={asking.fetcher}
        plugins={PLUGINS}
        referencePlugin={DOC_EXPLORER_PLUGIN}
        defaultTabs={[{ query: FIRST }]}
        inputValueDeprecation
        schemaDescription
      >
        <HistoryStore>
          <DocExplorerStore>
            <div className="graphiql-container explorer-page">
              <Bar />
              <GraphiQLInterface isHeadersEditorEnabled={false} showPersistHeadersSettings={false} defaultEditorToolsVisibility>
                <GraphiQL.Logo> </GraphiQL.Logo>
                <GraphiQL.Toolbar>
                  {({ prettify, merge, copy }) => (
                    <>
                      {prettify}
                      {merge}
                      {copy}
                      <LinkButton />
                    </>
                  )}
                </GraphiQL.Toolbar>
                <GraphiQL.Footer>
                  <Answered />
                </GraphiQL.Footer>
              </GraphiQLInterface>
              <Linked />
            </div>
          </DocExplorerStore>
        </HistoryStore>
      </GraphiQLProvider>
    </AskingProvider>
  );
}

/** Who asks. The fetcher stays the same for good: with a new one GraphiQL would ask for the schema again. */
function useRosterAsking(found: Roster): Asking & { fetcher: Fetcher } {
  const [{ people, reason }, setRoster] = useState(found);
  const [asker, setAsker] = useState(() => found.people.find(({ name }) => name === readLink().as) ?? found.people[0]);
  const [refusedToken, setRefusedToken] = useState<string>();
  const current = useRef(asker);
  const latest: Asking["latest"] = useRef(undefined);
  const fetcher = useMemo<Fetcher>(
    () => async (question) => {
      const person = current.current;
      if (!person) return NOBODY;
      const reply = await ask(person.token, question);
      setRefusedToken(reply.status === 401 ? person.token : undefined);
      if (question.operationName !== "IntrospectionQuery") latest.current = { asker: person, reply };
      return reply.body as Awaited<ReturnType<Fetcher>>;
    },
    [],
  );
  const choose = (person: Person) => {
    current.current = person;
    setAsker(person);
    if (person.organization) showLink({ ...readLink(), as: person.name });
  };
  const renew = async () => {
    const roster = await loadRoster();
    setRoster(roster);
    return roster.people.find(({ name }) => name === current.current?.name);
  };
  const refused = refusedToken !== undefined && refusedToken === asker?.token;
  return { people, reason, asker, latest, refused, choose, renew, fetcher };
}

/** Opens what the address links to, now and whenever it changes. It is never run by itself: anybody can make a link. */
function Linked() {
  const { asker } = useAsking();
  const { queryEditor, variableEditor } = useGraphiQL(pick("queryEditor", "variableEditor"));
  const open = useOpen();
  const follow = useEffectEvent(() => void openLink(readLink(), asker, open));
  useEffect(() => {
    if (!queryEditor || !variableEditor) return;
    const onChange = () => follow();
    onChange();
    window.addEventListener("hashchange", onChange);
    return () => window.removeEventListener("hashchange", onChange);
  }, [queryEditor, variableEditor]);
  return null;
}

async function openLink(link: Link, asker: Person | undefined, open: ReturnType<typeof useOpen>): Promise<void> {
  const query = EXAMPLES.find(({ name }) => name === link.document)?.query ?? link.query;
  if (query) open(query, link.variables ?? (link.document ? await variablesFor(query, asker?.token) : ""));
}

/** Puts a link to what is in the editors into the address, and onto the clipboard. */
function LinkButton() {
  const { asker } = useAsking();
  const { queryEditor, variableEditor } = useGraphiQL(pick("queryEditor", "variableEditor"));
  const link = () => {
    const [query, variables] = [queryEditor?.getValue() ?? "", variableEditor?.getValue() ?? ""];
    showLink({ query, variables, ...(asker ? { as: asker.name } : {}) });
    void navigator.clipboard?.writeText(location.href).catch(() => undefined);
  };
  return (
    <ToolbarButton label="Copy a link to this document" onClick={link}>
      <svg className="graphiql-toolbar-icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.500" aria-hidden="true">
        <path d="M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 6 6l1-1" strokeLinecap="round" />
      </svg>
    </ToolbarButton>
  );
}
