// Why there is no desktop, in words: one sentence what is wrong, one what to do.

import { plain } from "./text.js";

const AT_WSGUI = "Look at wsgui’s window or its output: the reason stands there.";
const DISPLAYS = "Start the VNC server there, or check the number: display :1 is port 5901.";

// RFC 6455, 7.4.1, as wsgui uses them. These are not tried again: the other side does not want us, or does not fit.
const FINAL_CODES = new Set([1002, 1003, 1007, 1008, 1009, 1010]);
const MEANINGS = {
  1000: ["The desktop has ended the connection.", "Its VNC server was stopped, or another viewer took it over."],
  1001: ["The tunnel was stopped.", "Start it again in wsgui."],
  1005: ["The connection was closed without a reason.", AT_WSGUI],
  1006: ["The connection was lost.", "Check the network, and whether wsgui still runs."],
  1008: ["The tunnel does not permit this connection.", "Ask whoever runs it for a link or token that is still valid."],
  1009: ["A message was too large for the tunnel.", AT_WSGUI],
  1011: ["The tunnel could not go on.", AT_WSGUI],
  1012: ["The tunnel is being restarted.", "Try again in a moment."],
  1013: ["The tunnel is too busy just now.", "Try again in a moment."],
  1014: ["The tunnel could not reach the VNC server.", DISPLAYS],
};
// What wsgui itself says at an end: the words above are the same, for a person.
const OWN_REASONS = new Set(["Target closed", "The tunnel is stopping"]);
const OTHER_SERVICES = [
  [/^SSH-/, "an SSH server", "VNC is often on port 5900 or 5901; SSH needs an SSH client, not this page."],
  [/^HTTP\//, "a web server", "Listen and target may be swapped; VNC is often on port 5900 or 5901."],
  [/^\xff[\xfa-\xfe]/, "a telnet server", "Use the terminal page for telnet; VNC is often on port 5900 or 5901.", "terminal"],
];

/** Returns why a WebSocket that was open has been closed: { what, hint, said, final }. */
export function ofClose({ code, reason }) {
  let [what, hint] = MEANINGS[code] ?? ["The connection has ended.", AT_WSGUI];
  let said = reason && !OWN_REASONS.has(reason) ? `${code}: ${plain(reason)}` : "";
  if (code === 1011 && /connect/i.test(reason)) {
    [what, hint] = MEANINGS[1014];
    said = "";
  }
  return { what, hint, said, final: FINAL_CODES.has(code) };
}

/** Returns why a WebSocket never opened, after having asked for this page once more: that goes to no target. */
export async function ofRefusal() {
  let status = 0;
  try {
    status = (await fetch(location.pathname, { method: "HEAD", cache: "no-store", credentials: "same-origin" })).status;
  } catch {
    return { what: "Nothing answers at this address any more.", hint: "Check the network, and whether wsgui still runs.", said: "", final: false };
  }
  if (status === 401) {
    return { what: "The tunnel asks for a password.", hint: "Reload this page to be asked for it.", said: "", final: true };
  }
  return { what: "The tunnel did not let this page in.", hint: AT_WSGUI, said: "", final: true };
}

/** Returns why a desktop gave up by itself; `page`: the one of wsgui's that shows what is there, when it is known. */
export function ofDesktop(desktop) {
  const { otherGreeting, problem, leftOutSecureLogin } = desktop;
  const result = (what, hint, said = "") => ({ what, hint, said: plain(said), final: true });
  if (otherGreeting) {
    const known = OTHER_SERVICES.find(([pattern]) => pattern.test(otherGreeting));
    if (known) return { ...result(`The target answers as ${known[1]}, not as a VNC server.`, known[2]), page: known[3] };
    return result("The target answers, but not as a VNC server.", "Check its address: VNC is often on port 5900 or 5901.");
  }
  if (problem.startsWith("Invalid server version")) {
    return result("The VNC server speaks a version of the protocol that this page does not know.", "Use a newer server.", problem);
  }
  if (/^(Unsupported (security types|auth)|No supported sub-auth)/.test(problem)) {
    if (leftOutSecureLogin) {
      return result("This server’s login works on encrypted pages only.", "Open this page with https://: give the tunnel a certificate.");
    }
    return result("The VNC server offers no login that this page knows.",
      "Let it offer VncAuth, Plain or None as well; TLS is then the tunnel’s part.", problem);
  }
  if (problem.startsWith("RA2")) {
    return result("The VNC server’s login failed.", "Try again; if it stays so, let the server offer another login.", problem);
  }
  return result("The VNC server sent something that this page does not take.", "Try again; if it stays so, use another VNC server.", problem);
}

/** Returns why a VNC server turned somebody away, as { what, hint, said }; `banned`: whatever the password. */
export function ofSecurity(reason, triedPassword) {
  const said = reason ? `The server says: ${plain(reason)}` : "";
  if (/too many|blacklist|locked/i.test(reason)) {
    const hint = "Wait a minute or so, then try again.";
    return { what: "The VNC server turns viewers away for a while, after too many failed logins.", hint, said, banned: true };
  }
  if (triedPassword) return { what: "The VNC server did not take this login.", hint: "Check it, and type it again.", said };
  return { what: "The VNC server turned this page away.", hint: "Its settings or its log say why.", said };
}
