// Why there is no connection, in words: one sentence what is wrong, one what to do.

import { plain } from "./text.js";

// What wsgui itself says at an end: the words below are the same, for a person.
const OWN_REASONS = new Set(["Target closed", "The tunnel is stopping"]);
const AT_WSGUI = "Look at wsgui’s window or its output: the reason stands there.";

// RFC 6455, 7.4.1, as wsgui uses them.
const MEANINGS = {
  1000: ["The other side has ended the connection.", ""],
  1001: ["The tunnel was stopped.", "Start it again in wsgui."],
  1005: ["The connection was closed without a reason.", AT_WSGUI],
  1006: ["The connection was lost.", "Check the network, and whether wsgui still runs."],
  1008: ["The tunnel does not permit this connection.", "Ask whoever runs it for a link or token that is still valid."],
  1009: ["A message was too large for the tunnel.", AT_WSGUI],
  1011: ["The tunnel could not go on.", AT_WSGUI],
  1012: ["The tunnel is being restarted.", "Try again in a moment."],
  1013: ["The tunnel is too busy just now.", "Try again in a moment."],
};
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
  if (code === 1011 && /connect/i.test(said)) {
    const [what, hint] = NO_TARGET;
    return { what, hint, said: "", well: false, never: true };
  }
  const [what, hint] = MEANINGS[code] ?? ["The connection has ended.", AT_WSGUI];
  return { what, hint, said: said && !OWN_REASONS.has(said) ? `${code}: ${said}` : "", well: code === 1000 };
}

/** Returns why a WebSocket never opened, after having asked for this page once more: that goes to no target. */
export async function ofRefusal() {
  let status = 0;
  try {
    status = (await fetch(location.pathname, { method: "HEAD", cache: "no-store", credentials: "same-origin" })).status;
  } catch {
    return { what: "Nothing answers at this address any more.", hint: "Check the network, and whether wsgui still runs.", said: "", well: false };
  }
  if (status === 401) {
    return { what: "The tunnel asks for a password.", hint: "Reload this page to be asked for it.", said: "", well: false };
  }
  return { what: "The tunnel did not let this page in.", hint: AT_WSGUI, said: "", well: false };
}
