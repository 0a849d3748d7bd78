// Why there is no desktop, in words: one sentence what is wrong, one what to do.

import { meaning, neverReached, ownWords } from "../shared/closing.js";
import { plain } from "../shared/text.js";

// These are not tried again: the other side does not want us, or does not fit (RFC 6455, 7.4.1).
const FINAL_CODES = new Set([1002, 1003, 1007, 1008, 1009, 1010]);
const DESKTOP_ENDED = ["The desktop has ended the connection.", "Its VNC server was stopped, or another viewer took it over."];
const NO_SERVER = ["The tunnel could not reach the VNC server.", "Start the VNC server there, or check the number: display :1 is port 5901."];
const OTHER_SERVICES = [
  [/^SSH-/, "an SSH server", "VNC is often on port 5900 or 5901; SSH needs an SSH client, not this page."],
  [/^HTTP\//, "a web server", "Listen and target may be swapped; VNC is often on port 5900 or 5901."],
  [/^\xff[\xfa-\xfe]/, "a telnet server", "Use the terminal page for telnet; VNC is often on port 5900 or 5901.", "terminal"],
];

/** Returns why a WebSocket that was open has been closed: { what, hint, said, final }. */
export function ofClose({ code, reason }) {
  const final = FINAL_CODES.has(code);
  if (code === 1014 || neverReached(code, reason)) {
    const [what, hint] = NO_SERVER;
    return { what, hint, said: "", final };
  }
  const [what, hint] = code === 1000 ? DESKTOP_ENDED : meaning(code);
  return { what, hint, said: ownWords(code, plain(reason)), final };
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
