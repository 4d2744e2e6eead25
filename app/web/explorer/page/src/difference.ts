/** How one answer differs from another, line by line of what is shown. */

export interface Difference {
  /** Lines of the new answer, from 1, that the old one does not have. */
  added: number[];
  /** How many lines of the old answer the new one does not have. */
  missing: number;
}

/** Compares without regard to order, which is the same for everybody, and to the comma at the end. */
export function compare(before: string, after: string): Difference {
  const spare = new Map<string, number>();
  for (const line of linesOf(before)) spare.set(line, (spare.get(line) ?? 0) + 1);
  const added: number[] = [];
  linesOf(after).forEach((line, index) => {
    const left = spare.get(line) ?? 0;
    if (left) spare.set(line, left - 1);
    else added.push(index + 1);
  });
  const missing = [...spare.values()].reduce((sum, left) => sum + left, 0);
  return { added, missing };
}

function linesOf(answer: string): string[] {
  return answer.split("\n").map((line) => line.trim().replace(/,$/, ""));
}
