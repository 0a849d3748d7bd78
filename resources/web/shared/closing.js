// Why a WebSocket was closed or never opened, in words: one sentence what is wrong, one what to do.

export const AT_WSGUI = "Look at wsgui’s window or its output: the reason stands there.";
// What wsgui itself says at an end: the words below are the same, for a person.
const OWN_REASONS = new Set(["Target closed", "The tunnel is stopping"]);
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

/** Returns what a close code means: [what, hint]. */
export function meaning(code) {
  return MEANINGS[code] ?? ["The connection has ended.", AT_WSGUI];
}

/** Returns the close's own words when they say more than `meaning`, else "". */
export function ownWords(code, said) {
  return said && !OWN_REASONS.has(said) ? `${code}: ${said}` : "";
}

/** Returns whether it was closed because the target could not be reached. */
export function neverReached(code, reason) {
  return code === 1011 && /connect/i.test(reason);
}

/** Returns why a WebSocket never opened, after having asked for this page once more, which goes to no target:
 *  { what, hint, answers }; `answers`: whether the tunnel is there. */
export async function ofRefusal() {
  let status = 0;
  try {
    status = (await fetch(location.pathname, { method: "HEAD", cache: "no-store", credentials: "same-origin" })).status;
  } catch {
    return { what: "Nothing answers at this address any more.", hint: "Check the network, and whether wsgui still runs.", answers: false };
  }
  if (status === 401) return { what: "The tunnel asks for a password.", hint: "Reload this page to be asked for it.", answers: true };
  return { what: "The tunnel did not let this page in.", hint: AT_WSGUI, answers: true };
}
