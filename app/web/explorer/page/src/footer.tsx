/** Below an answer: whose it is, and how it differs from the one that somebody else got to the same question. */
import { type MonacoEditor, pick, useGraphiQL } from "@graphiql/react";
import { useEffect, useState } from "react";
import { type Asking, useAsking } from "./asking";
import { compare, type Difference } from "./difference";

interface Answer {
  name: string;
  milliseconds: number;
  question: string;
  text: string;
}

export function Answered() {
  const { latest } = useAsking();
  const { queryEditor, variableEditor, responseEditor } = useGraphiQL(
    pick("queryEditor", "variableEditor", "responseEditor"),
  );
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (!responseEditor) return;
    const question = () => `${queryEditor?.getValue()}\n${variableEditor?.getValue()}`;
    return follow(responseEditor, question, latest, setSaid);
  }, [latest, queryEditor, variableEditor, responseEditor]);
  return (
    <div className="explorer-answered" role="status">
      {said}
    </div>
  );
}

/** Says of each answer that is shown whose it is, and marks what the one before did not have. Ends when called. */
function follow(
  editor: MonacoEditor,
  question: () => string,
  latest: Asking["latest"],
  say: (said: string) => void,
): () => void {
  const marks = editor.createDecorationsCollection();
  let before: Answer | undefined;
  const listening = editor.onDidChangeModelContent(() => {
    const [text, came] = [editor.getValue(), latest.current];
    marks.clear();
    say("");
    if (!text) return; // it is awaited
    latest.current = undefined;
    const other = before;
    // What did not come just now is the answer of another tab, and whose it was is not known.
    before = came && { name: came.asker.name, milliseconds: came.reply.milliseconds, question: question(), text };
    if (!before) return;
    const isOther = other && other.question === before.question && other.name !== before.name;
    const difference = isOther ? compare(other.text, text) : undefined;
    if (difference) marks.set(difference.added.map(mark));
    say(describe(before, difference, other?.name));
  });
  return () => {
    listening.dispose();
    marks.clear();
  };
}

function mark(line: number) {
  return {
    range: { startLineNumber: line, endLineNumber: line, startColumn: 1, endColumn: 1 },
    options: { isWholeLine: true, className: "explorer-differs", linesDecorationsClassName: "explorer-edge" },
  };
}

function describe({ name, milliseconds }: Answer, difference?: Difference, other?: string): string {
  const facts = `Answered as ${name} in ${milliseconds} ms`;
  if (!difference) return `${facts}.`;
  const { added, missing } = difference;
  if (!added.length && !missing) return `${facts}: the same as ${other}.`;
  return `${facts}: ${added.length} lines that ${other} does not get, and without ${missing} that they get.`;
}
