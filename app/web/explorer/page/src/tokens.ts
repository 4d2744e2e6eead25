/** What a token says about itself. The gateway alone decides whether it is true. */

export interface Claims {
  exp?: number;
  name?: string;
  preferred_username?: string;
  oid?: string;
}

/** The claims of a token; none where it cannot be read. */
export function claimsOf(token: string): Claims {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? claims : {};
  } catch {
    return {};
  }
}

/** When a token ends; undefined where it does not say so. */
export function endOf(token: string): Date | undefined {
  const { exp } = claimsOf(token);
  return typeof exp === "number" ? new Date(exp * 1000) : undefined;
}

/** What was pasted, as it goes behind `Bearer`; undefined where it cannot be a token. */
export function readToken(pasted: string): string | undefined {
  const token = pasted.trim().replace(/^(authorization:\s*)?bearer\s+/i, "");
  return /^[\w.~+/-]+=*$/.test(token) ? token : undefined;
}
