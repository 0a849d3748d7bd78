// Why there is no connection, in words: one sentence what is wrong, one what to do.

import { AT_WSGUI, meaning, neverReached, ownWords } from "../shared/closing.js";
import { plain } from "../shared/text.js";

// Who speaks first and is nothing for a terminal; `page`: the one of wsgui's that shows it.
const OTHER_SERVICES = [
  [/^SSH-\d/, {
    what: "The target is an SSH server, which this page cannot speak to.",
    hint: 'Use an SSH client; or let wsgui run one here: [command] run = ["ssh", "host"] and mode = "terminal" in the profile.',
  }],
  [/^RFB \d{3}\.\d{3}\n/, { what: "The target is a VNC server: a desktop, not a terminal.", hint: "Open it as one.", page: "vnc" }],
];
/** What is said when a line was sent and nothing has ever come back. */
export const SILENCE = {
  what: "The target has said nothing yet.",
  hint: "If it takes lines of text, as Redis or a mail server does, have lines ended by CR LF and shown here as you type.",
  lines: true,
};
const NO_TARGET = ["The tunnel could not reach its target or start its program.", AT_WSGUI];

/** Returns what is there, by its first characters, when it is nothing for a terminal: { what, hint, page }; else null. */
export function ofGreeting(start) {
  return OTHER_SERVICES.find(([pattern]) => pattern.test(start))?.[1] ?? null;
}

/** Returns why a WebSocket that was open has been closed: { what, hint, said, well }; `well`: as it should be; `never`:
 *  the target was not reached. */
export function ofClose({ code, reason }) {
  const said = plain(reason);
  if (code === 1000 && /^The program (ended|was ended) /.test(said)) {
    return { what: `${said}.`, hint: "", said: "", well: said === "The program ended with status 0" };
  }
  if (neverReached(code, said)) {
    const [what, hint] = NO_TARGET;
    return { what, hint, said: "", well: false, never: true };
  }
  const [what, hint] = meaning(code);
  return { what, hint, said: ownWords(code, said), well: code === 1000 };
}
