/** Links to a document: all in the fragment, which browsers send to nobody. There is never a token in one. */

export interface Link {
  /** The name of one of the documents that come with the gateway. */
  document?: string;
  query?: string;
  variables?: string;
  /** The name of whom to ask as. */
  as?: string;
}

const PARTS = ["document", "query", "variables", "as"] as const;

/** What the address of this page links to. */
export function readLink(): Link {
  const given = new URLSearchParams(location.hash.slice(1));
  const link: Link = {};
  for (const part of PARTS) {
    const value = given.get(part);
    if (value) link[part] = value;
  }
  return link;
}

/** Let the address of this page link there, without loading it again. */
export function showLink(link: Link): void {
  const said = new URLSearchParams();
  for (const part of PARTS) {
    if (link[part]) said.set(part, link[part]);
  }
  const address = new URL(location.href);
  address.hash = said.toString();
  history.replaceState(null, "", address);
}
