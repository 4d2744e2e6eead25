/** The panel with the documents that come with the gateway, one click away. */
import { type GraphiQLPlugin, useGraphiQLActions } from "@graphiql/react";
import { useAsking } from "./asking";
import { EXAMPLES, type Example, variablesFor } from "./documents";
import { showLink } from "./links";
import { useOpen } from "./opening";

export const DOCUMENTS_PLUGIN: GraphiQLPlugin = { title: "Documents", icon: Icon, content: Documents };

function Documents() {
  const { asker } = useAsking();
  const { run } = useGraphiQLActions();
  const open = useOpen();
  const show = async (example: Example) => {
    open(example.query, await variablesFor(example.query, asker?.token));
    showLink({ document: example.name, ...(asker ? { as: asker.name } : {}) });
    run();
  };
  return (
    <section aria-label="Documents" className="explorer-documents">
      <h2 className="explorer-title">Documents</h2>
      <p>What a partner’s tool and a frontend send. A click opens one and asks it.</p>
      {EXAMPLES.map((example) => (
        <button key={example.name} type="button" className="explorer-document" onClick={() => show(example)}>
          <strong>{example.name}</strong>
          <span>{withCode(example.about)}</span>
        </button>
      ))}
    </section>
  );
}

/** What stands between backticks, as code. */
function withCode(text: string) {
  return text.split("`").map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part));
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.500" aria-hidden="true">
      <path d="M4 6h10M4 10h16M4 14h13M4 18h8" strokeLinecap="round" />
    </svg>
  );
}
