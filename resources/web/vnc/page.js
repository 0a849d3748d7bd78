// The page around a desktop: its bar, its panels, and what is said while there is none.

import { offerFullScreen } from "../shared/fullscreen.js";
import { duration, plain, say } from "../shared/text.js";
import { goTo } from "../shared/tunnel.js";
import { ring } from "./bell.js";
import { Clipboard } from "./clipboard.js";
import { Keys } from "./keys.js";
import { Session } from "./session.js";
import { SoftKeyboard } from "./softkeyboard.js";

const WORDS = {
  connecting: "Connecting", login: "Password needed", verify: "Check the server", connected: "Connected",
  waiting: "Waiting to try again", failed: "Not connected",
};
const PANELS = ["keys", "clipboard", "view"];
const WHILE_CONNECTED = ["watch", "type", "keys", "clipboard"];

const element = (id) => document.getElementById(id);
const session = new Session(element("screen"));
const desktop = () => (session.word === "connected" ? session.desktop : null);
const keys = new Keys(desktop, (held) => {
  element("keys").classList.toggle("held", held.length > 0);
  element("keys").setAttribute("aria-label", held.length ? `Keys: ${held.join(" and ")} held down` : "Keys");
});
const clipboard = new Clipboard(desktop);
const soft = new SoftKeyboard(element("soft"), desktop);
let watching = false, moving = true, retryAt = 0, counting = 0, asked = [], fingerprint = "";

// What the session tells

session.addEventListener("state", ({ detail }) => {
  const { word, what, hint, said, retryMs, page } = detail;
  document.body.dataset.state = word;
  say(element("word"), WORDS[word]);
  element("login").hidden = word !== "login";
  element("verify").hidden = word !== "verify";
  element("notice").hidden = ["login", "verify", "connected"].includes(word);
  say(element("what"), what || (word === "connecting" ? "Connecting" : WORDS[word]));
  say(element("hint"), hint);
  say(element("said"), said);
  element("retry").hidden = !["failed", "waiting"].includes(word);
  say(element("retry"), word === "waiting" ? "Now" : what === "Disconnected." ? "Connect" : "Try again");
  element("stop").hidden = word !== "waiting" && word !== "connecting";
  element("terminal").hidden = !page;
  element("retry").classList.toggle("first", !page);
  retryAt = retryMs && performance.now() + retryMs;
  const connected = word === "connected";
  for (const id of WHILE_CONNECTED) element(id).disabled = !connected;
  element("disconnect").disabled = !connected;
  if (word !== "connected") gone();
  if (connected) came();
  else if (word === "login") askLogin(detail);
  else if (word === "verify") askServer(detail);
  else if (word === "failed") element(page || "retry").focus();
  say(element("spoken"), [WORDS[word], what, hint].filter(Boolean).join(". "));
  if (word === "waiting") count();
});

session.addEventListener("desktop", ({ detail: fresh }) => {
  clipboard.clear();
  fresh.background = "transparent";
  fresh.showDotCursor = true;
  fresh.addEventListener("desktopname", ({ detail }) => name(plain(detail.name)));
  fresh.addEventListener("resize", ({ detail }) => say(element("size"), ` · ${detail.width} × ${detail.height}`));
  fresh.addEventListener("clippingviewport", ({ detail }) => clipped(detail));
  fresh.addEventListener("clipboard", ({ detail }) => clipboard.received(detail.text));
  fresh.addEventListener("cuttextdropped", () => clipboard.dropped());
  fresh.addEventListener("bell", () => element("bell").checked && ring());
  fresh.watching = watching;
});

function came() {
  canvas().tabIndex = 0;
  canvas().setAttribute("role", "application");
  canvas().addEventListener("blur", () => desktop()?.releaseKeys());
  name(element("name").textContent);
  resize();
  session.desktop.focus({ preventScroll: true });
}

function gone() {
  keys.release(false);
  soft.hide();
  clipped(false);
  for (const id of ["keys", "clipboard"]) open(id, false);
  say(element("size"), "");
}

function canvas() {
  return element("screen").querySelector("canvas");
}

function name(text) {
  const shown = text || "Desktop";
  say(element("name"), shown);
  document.title = `${shown} – wsgui`;
  canvas()?.setAttribute("aria-label", `${shown}. Ctrl+Alt+Shift+M leads to the controls.`);
}

function clipped(yes) {
  element("move").hidden = !yes;
  if (session.desktop) session.desktop.dragViewport = yes && moving;
}

// Waiting

function count() {
  clearTimeout(counting);
  if (!retryAt) return;
  const left = (retryAt - performance.now()) / 1000;
  say(element("hint"), left > 0 ? `Trying again in ${duration(left)}.` : "Trying again.");
  counting = setTimeout(count, 250);
}

element("retry").addEventListener("click", () => session.connect());
element("stop").addEventListener("click", () => session.stop());
element("terminal").addEventListener("click", () => goTo("terminal"));
element("disconnect").addEventListener("click", () => {
  open("view", false);
  session.stop();
});
addEventListener("online", () => retryAt && session.connect());

// What the server asks

function askLogin({ what, hint, said, types }) {
  asked = types;
  for (const label of element("login").querySelectorAll("label")) label.hidden = !types.includes(label.dataset.for);
  say(element("login-problem"), `${what} ${hint}`);
  say(element("login-said"), said);
  element("login-problem").hidden = !what;
  element("login").querySelector("label:not([hidden]) input").focus();
}

element("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const credentials = Object.fromEntries(asked.map((type) => [type, element(type).value]));
  element("password").value = "";
  session.login(credentials);
});

element("login-stop").addEventListener("click", () => session.stop());

function askServer(detail) {
  fingerprint = detail.fingerprint;
  say(element("fingerprint"), fingerprint);
  say(element("verify-title"), detail.changed ? "This is another server than before" : "Is this the right server?");
  element("approve").focus();
}

element("approve").addEventListener("click", () => session.approve(fingerprint));
element("reject").addEventListener("click", () => session.stop());

// The bar

function press(id, on) {
  element(id).setAttribute("aria-pressed", String(on));
}

element("watch").addEventListener("click", () => {
  watching = !watching;
  press("watch", watching);
  keys.release();
  for (const id of ["keys", "clipboard"]) open(id, false);
  if (session.desktop) session.desktop.watching = watching;
  element("keys").disabled = element("clipboard").disabled = element("type").disabled = watching || !desktop();
  say(element("spoken"), watching ? "Watching only: nothing that you do goes to the desktop." : "Your keys and pointer go to the desktop again.");
  desktop()?.focus({ preventScroll: true });
});

element("move").addEventListener("click", () => {
  moving = !moving;
  press("move", moving);
  clipped(true);
});

function open(id, yes) {
  element(`${id}-panel`).hidden = !yes;
  element(id).setAttribute("aria-expanded", String(yes));
  if (yes) element(`${id}-panel`).querySelector("button:enabled, input:checked, textarea")?.focus();
}

for (const id of PANELS) {
  element(id).addEventListener("click", () => {
    const yes = element(`${id}-panel`).hidden;
    for (const other of PANELS) open(other, other === id && yes);
    element("no-resize").hidden = !session.desktop || session.desktop.canResize;
  });
}

function closePanels() {
  const which = PANELS.find((id) => !element(`${id}-panel`).hidden);
  if (which) open(which, false);
  return which;
}

addEventListener("keydown", (event) => {
  if (event.code === "KeyM" && event.ctrlKey && event.altKey && event.shiftKey) {
    event.preventDefault();
    event.stopPropagation();
    desktop()?.releaseKeys();
    bare(false);
    element("bar").querySelector("button:enabled:not([hidden])").focus();
  } else if (event.key === "Escape" && event.target !== canvas()) {
    const which = closePanels();
    if (which) element(which).focus();
  }
}, { capture: true });

element("screen").addEventListener("pointerdown", closePanels);

function bare(yes) {
  document.body.classList.toggle("bare", yes);
  element("show").hidden = !yes;
}

element("hide").addEventListener("click", () => {
  closePanels();
  bare(true);
  (canvas() ?? element("show")).focus();
});

element("show").addEventListener("click", () => {
  bare(false);
  element("hide").focus();
});

// Size

function resize() {
  const mode = document.querySelector("input[name=size]:checked").value, shown = session.desktop;
  if (!shown) return;
  shown.scaleViewport = mode === "fit";
  shown.clipViewport = mode !== "fit";
  shown.resizeSession = mode === "remote";
  clipped(shown.clippingViewport);
}

for (const choice of document.querySelectorAll("input[name=size]")) choice.addEventListener("change", resize);

offerFullScreen(element("full"), (full) => {
  bare(full);
  desktop()?.focus({ preventScroll: true });
});

// Touch

element("type").hidden = !matchMedia("(any-pointer: coarse)").matches;
element("type").addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus it has
element("type").addEventListener("click", () => (document.activeElement === element("soft") ? soft.hide() : soft.show()));
element("soft").addEventListener("focus", () => press("type", true));
element("soft").addEventListener("blur", () => press("type", false));

addEventListener("pagehide", () => session.desktop?.disconnect());
addEventListener("pageshow", (event) => event.persisted && session.connect());
session.connect();
