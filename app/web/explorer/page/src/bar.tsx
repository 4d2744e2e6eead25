/** Who asks: chosen from the people of the demo, or by a token of one's own. */
import { useEffect, useRef, useState } from "react";
import { useAsking } from "./asking";
import { useAskAgain } from "./opening";
import { bearerOf, byOrganization, type Person } from "./people";
import { endOf, readToken } from "./tokens";

const LOOKS_EVERY = 5_000;
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const SOON = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "numeric", minute: "2-digit" });
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export function Bar() {
  const { people, asker, choose } = useAsking();
  const askAgain = useAskAgain();
  const become = (person: Person) => {
    choose(person);
    askAgain();
  };
  return (
    <header className="explorer-bar">
      <div className="explorer-row">
        <strong>Partner Gateway</strong>
        {people.length > 0 && <Chooser onChoose={become} />}
        {people.length === 0 && asker && <span>{asker.name}</span>}
        <span className="explorer-end">{asker && <Ending token={asker.token} />}</span>
        <OwnToken onGiven={(token) => become(bearerOf(token))} />
      </div>
      {asker?.expects && <p className="explorer-expects">{asker.expects}</p>}
      <Trouble onRenewed={become} />
    </header>
  );
}

function Chooser({ onChoose }: { onChoose: (person: Person) => void }) {
  const { people, asker } = useAsking();
  const isOwn = asker && !people.includes(asker);
  return (
    <label className="explorer-chooser">
      Ask as{" "}
      <select
        value={isOwn ? "" : asker?.name}
        onChange={({ target }) => {
          const chosen = people.find(({ name }) => name === target.value);
          if (chosen) onChoose(chosen);
        }}
      >
        {isOwn && <option value="">{asker.name}</option>}
        {[...byOrganization(people)].map(([organization, members]) => (
          <optgroup key={organization} label={organization}>
            {members.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

/** Until when a token is good, or since when it is not. */
function Ending({ token }: { token: string }) {
  const now = useNow();
  const end = endOf(token);
  if (!end) return null;
  return <>{end.getTime() > now ? `Token until ${SOON.format(end)}` : "Token expired"}</>;
}

/** What is wrong with the token, if anything, and what helps. */
function Trouble({ onRenewed }: { onRenewed: (person: Person) => void }) {
  const { people, reason, asker, refused, renew } = useAsking();
  const said = explain(asker, refused, useNow(), reason);
  if (!said) return null;
  const isOfDemo = asker && people.some(({ name }) => name === asker.name);
  return (
    <p className="explorer-trouble" role="alert">
      {said}{" "}
      {isOfDemo && (
        <button type="button" onClick={() => void renew().then((person) => person && onRenewed(person))}>
          Get new tokens
        </button>
      )}
    </p>
  );
}

function explain(asker: Person | undefined, refused: boolean, now: number, reason: string | undefined): string {
  if (!asker) return `${reason ?? ""} Give an access token to ask with: “Own token…”.`.trim();
  const end = endOf(asker.token);
  if (end && end.getTime() <= now) {
    return `The token of ${asker.name} expired ${since(end, now)}, at ${MOMENT.format(end)}: the gateway answers it no more.`;
  }
  if (!refused) return "";
  const claim = end ? ` although it says that it is good until ${MOMENT.format(end)}` : "";
  return `The gateway does not accept the token of ${asker.name}${claim}. It may be of another issuer.`;
}

function since(end: Date, now: number): string {
  const minutes = Math.round((end.getTime() - now) / 60_000);
  if (minutes > -1) return "just now";
  return minutes > -90 ? AGO.format(minutes, "minute") : AGO.format(Math.round(minutes / 60), "hour");
}

/** The time by this machine's clock, looked at every few seconds. */
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), LOOKS_EVERY);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function OwnToken({ onGiven }: { onGiven: (token: string) => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const [wrong, setWrong] = useState(false);
  const close = () => {
    if (field.current) field.current.value = "";
    setWrong(false);
    dialog.current?.close();
  };
  const give = () => {
    const token = readToken(field.current?.value ?? "");
    if (!token) return setWrong(true);
    close();
    onGiven(token);
  };
  return (
    <>
      <button type="button" onClick={() => dialog.current?.showModal()}>
        Own token…
      </button>
      <dialog ref={dialog} className="explorer-dialog" aria-labelledby="own-token" onCancel={close}>
        <h2 id="own-token">Ask with a token of your own</h2>
        <p>
          An access token for this gateway, such as <code>gateway token --as NAME</code> prints. It stays in the memory
          of this page: it is not stored, and gone when the page is loaded again.
        </p>
        <textarea ref={field} rows={6} autoComplete="off" spellCheck={false} aria-label="Access token" autoFocus />
        {wrong && <p role="alert">That is no token: three parts of letters and digits with dots between them.</p>}
        <div className="explorer-actions">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="button" onClick={give}>
            Ask with it
          </button>
        </div>
      </dialog>
    </>
  );
}
