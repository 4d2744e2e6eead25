/** Putting a document into the editors, and asking the one that is there again. */
import { pick, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { getOperationAST, Kind, parse } from "graphql";
import { FIRST } from "./documents";

/** Shows a document: where it is open already, else in a tab of its own. */
export function useOpen(): (query: string, variables: string) => void {
  const { addTab, changeTab, setOperationFacts, setOperationName } = useGraphiQLActions();
  const { tabs, queryEditor, variableEditor } = useGraphiQL(pick("tabs", "queryEditor", "variableEditor"));
  return (query, variables) => {
    const open = tabs.findIndex((tab) => tab.query === query);
    const untouched = ["", FIRST].includes(queryEditor?.getValue() ?? "");
    if (open >= 0) changeTab(open);
    else if (!untouched) addTab();
    queryEditor?.setValue(query);
    if (variables) variableEditor?.setValue(variables);
    // At once: the editor itself only tells a moment later, and a run before that would name the old operation.
    const facts = factsOf(query);
    setOperationFacts(facts);
    setOperationName(facts.operationName ?? "");
  };
}

function factsOf(query: string): Parameters<ReturnType<typeof useGraphiQLActions>["setOperationFacts"]>[0] {
  try {
    const documentAST = parse(query);
    const operations = documentAST.definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
    const operationName = operations[0]?.name?.value;
    return { documentAST, operations, ...(operationName ? { operationName } : {}) };
  } catch {
    return {};
  }
}

/** Asks what is in the editor again, if it only reads: a change is made once and by hand. */
export function useAskAgain(): () => void {
  const { introspect, run } = useGraphiQLActions();
  const { schema, queryEditor, operationName } = useGraphiQL(pick("schema", "queryEditor", "operationName"));
  return () => {
    if (!schema) void introspect();
    if (reads(queryEditor?.getValue() ?? "", operationName)) run();
  };
}

function reads(query: string, operationName: string | undefined): boolean {
  try {
    return getOperationAST(parse(query), operationName)?.operation === "query";
  } catch {
    return false;
  }
}
