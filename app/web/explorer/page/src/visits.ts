/** What somebody finds open who comes for the first time; from then on GraphiQL keeps what they made of it. */
import type { GraphiQLPlugin } from "@graphiql/react";

const VISITED = "explorer:visited";
const VISIBLE = "graphiql:visiblePlugin";
/** Where a panel is beside the editors and not above them, as page.css has it. */
const WIDE = "(width > 60rem)";

export function openAtFirst({ title }: GraphiQLPlugin): void {
  if (localStorage.getItem(VISITED) || !matchMedia(WIDE).matches) return;
  localStorage.setItem(VISITED, "yes");
  localStorage.setItem(VISIBLE, title);
}
