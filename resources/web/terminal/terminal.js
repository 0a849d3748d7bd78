// The page around a terminal: its bar, its panels, and what is said while there is no connection.

import { offerFullScreen } from "../shared/fullscreen.js";
import { pasteable, plain, say } from "../shared/text.js";
import { goTo } from "../shared/tunnel.js";
import "./stylesheets.js"; // before xterm.js makes its first one
import { Terminal } from "../vendor/xterm/lib/xterm.mjs";
import { FitAddon } from "../vendor/xterm/lib/addon-fit.mjs";
import { Output } from "./output.js";
import { Session } from "./session.js";
import { followTheme } from "./theme.js";

const WORDS = { connecting: "Connecting", connected: "Connected", ended: "Disconnected", failed: "Not connected" };
const PANELS = ["paste", "keys", "view"];
const WHILE_CONNECTED = ["paste", "keys", "disconnect"];
const SMALLEST = 8, LARGEST = 32;
const MOST_TITLE = 80, TITLE_MS = 100;
// As xterm.js sends them for the keys of the same names.
const PRESSES = [
  ["Esc", "\x1b"], ["Tab", "\t"], ["Ctrl+C", "\x03"], ["Ctrl+D", "\x04"], ["Ctrl+Z", "\x1a"], ["Ctrl+\\", "\x1c"],
  ["Ctrl+W", "\x17"], ["Ctrl+T", "\x14"], ["↑", "ArrowUp"], ["↓", "ArrowDown"], ["←", "ArrowLeft"], ["→", "ArrowRight"],
  ["Home", "Home"], ["End", "End"], ["PgUp", "\x1b[5~"], ["PgDn", "\x1b[6~"], ["Break", "break"],
];
const CURSOR_KEYS = { ArrowUp: "A", ArrowDown: "B", ArrowRight: "C", ArrowLeft: "D", Home: "H", End: "F" };

const element = (id) => document.getElementById(id);
const session = new Session();
const terminal = new Terminal({
  fontFamily: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace',
  fontSize: 14, scrollback: 5000, cursorBlink: false, minimumContrastRatio: 4.5, macOptionIsMeta: true,
  linkHandler: { activate: (_, address) => askLink(address) },
  logLevel: "off",
});
const fit = new FitAddon();
const output = new Output(terminal);
let typed = false, titleTimer = 0, title = "";

terminal.loadAddon(fit);
followTheme((theme) => (terminal.options.theme = theme));
terminal.open(element("screen"));

// What the session tells

session.addEventListener("output", ({ detail }) => output.write(detail));
session.addEventListener("shown", ({ detail }) => output.write(detail));

session.addEventListener("state", ({ detail: { word, what, hint, said, well } }) => {
  const connected = word === "connected", over = word === "ended" || word === "failed";
  document.body.dataset.state = word === "ended" && !well ? "failed" : word;
  say(element("word"), WORDS[word]);
  say(element("what"), what);
  say(element("hint"), hint);
  say(element("said"), said);
  element("notice").hidden = !over;
  element("notice").classList.toggle("bad", !well);
  element("again").hidden = !over;
  element("desktop").hidden = element("lines").hidden = true;
  say(element("again"), word === "ended" ? "Connect again" : "Try again");
  for (const id of WHILE_CONNECTED) element(id).disabled = !connected;
  terminal.options.disableStdin = !connected;
  typed = false;
  if (connected) {
    name("");
    terminal.focus();
  } else {
    for (const id of ["paste", "keys"]) open(id, false);
  }
  if (over) {
    if (word === "ended") output.settle();
    element("again").focus({ preventScroll: true });
  }
  say(element("spoken"), [WORDS[word], what, hint].filter(Boolean).join(". "));
});

session.addEventListener("remark", ({ detail }) => {
  if (session.word !== "connected") return;
  say(element("what"), detail?.what ?? "");
  say(element("hint"), detail?.hint ?? "");
  element("desktop").hidden = detail?.page !== "vnc";
  element("lines").hidden = !detail?.lines;
  element("notice").hidden = !detail;
  if (detail) say(element("spoken"), `${detail.what} ${detail.hint}`);
});

element("again").addEventListener("click", () => session.connect());
element("desktop").addEventListener("click", () => goTo("vnc"));
element("lines").addEventListener("click", () => {
  for (const choice of ["both", "always"]) document.querySelector(`input[value=${choice}]`).click();
  element("notice").hidden = true;
  terminal.focus();
});
element("disconnect").addEventListener("click", () => {
  open("view", false);
  session.stop();
});
addEventListener("beforeunload", (event) => {
  if (typed && session.word === "connected") event.preventDefault(); // Ctrl+W rubs out a word, and closes a tab
});

// What the terminal tells

terminal.onData((text) => {
  typed = true;
  session.type(text);
});
terminal.onBinary((text) => session.typeBytes(Uint8Array.from(text, (character) => character.charCodeAt(0) & 255)));
terminal.onResize(({ cols, rows }) => {
  say(element("size"), ` · ${cols} × ${rows}`);
  session.resize(cols, rows);
});
terminal.onSelectionChange(() => (element("copy").disabled = !terminal.hasSelection()));
terminal.onTitleChange((text) => {
  title = text.slice(0, 4 * MOST_TITLE);
  titleTimer ||= setTimeout(() => {
    titleTimer = 0;
    name(title);
  }, TITLE_MS);
});

function name(text) {
  const shown = plain(text.trim(), MOST_TITLE);
  say(element("name"), shown || "Terminal");
  document.title = shown ? `wsgui – ${shown}` : "Terminal – wsgui";
}

function askLink(address) {
  if (!/^https?:\/\//i.test(address)) return;
  element("link-address").textContent = plain(address, 1024);
  element("link").returnValue = "";
  element("link").onclose = () => {
    if (element("link").returnValue === "open") window.open(address, "_blank", "noopener,noreferrer");
    terminal.focus();
  };
  element("link").showModal();
}

// Size

let fitting = 0;
new ResizeObserver(() => {
  cancelAnimationFrame(fitting);
  fitting = requestAnimationFrame(() => fit.fit());
}).observe(element("screen"));

function textSize(change) {
  terminal.options.fontSize = Math.min(LARGEST, Math.max(SMALLEST, terminal.options.fontSize + change));
  element("smaller").disabled = terminal.options.fontSize === SMALLEST;
  element("larger").disabled = terminal.options.fontSize === LARGEST;
  fit.fit();
}

element("smaller").addEventListener("click", () => textSize(-1));
element("larger").addEventListener("click", () => textSize(1));

// Copy and paste: only when a person does it; a program's OSC 52 is not listened to.

async function copy() {
  const text = terminal.getSelection();
  if (!text) return;
  try {
    await navigator.clipboard.writeText(text);
  } catch { // not on https, or not permitted
    terminal.focus();
    document.execCommand("copy"); // xterm.js answers with its selection
  }
  say(element("spoken"), "Copied.");
}

function paste(text) {
  typed = true;
  terminal.paste(pasteable(text));
  terminal.focus();
}

element("copy").addEventListener("pointerdown", (event) => event.preventDefault()); // the terminal keeps the focus
element("copy").addEventListener("click", copy);
element("paste").addEventListener("click", async () => {
  if (!element("paste-panel").hidden) {
    open("paste", false);
    return;
  }
  try {
    paste(await navigator.clipboard.readText());
  } catch {
    openOnly("paste");
  }
});
element("send").addEventListener("click", () => {
  const text = element("pasted").value;
  element("pasted").value = "";
  open("paste", false);
  paste(text);
});
element("screen").addEventListener("paste", (event) => {
  event.preventDefault();
  event.stopPropagation();
  if (session.word === "connected") paste(event.clipboardData?.getData("text/plain") ?? "");
}, { capture: true });

// Keys

terminal.attachCustomKeyEventHandler((event) => {
  const chord = event.ctrlKey && event.shiftKey && !event.metaKey;
  if (chord && event.altKey && event.code === "KeyM") return false;
  if (chord && !event.altKey && event.code === "KeyC") {
    event.preventDefault(); // else the browser's own tools come
    if (event.type === "keydown") copy();
    return false;
  }
  if (chord && !event.altKey && event.code === "KeyV") return false; // the browser pastes
  return true;
});

addEventListener("keydown", (event) => {
  if (event.code === "KeyM" && event.ctrlKey && event.altKey && event.shiftKey) {
    event.preventDefault();
    element("bar").querySelector("button:enabled:not([hidden])").focus();
  } else if (event.key === "Escape" && !element("screen").contains(event.target)) {
    const which = closePanels();
    if (which) element(which).focus();
    else if (!element("link").open) terminal.focus();
  }
}, { capture: true });

function press(key) {
  typed = true;
  if (key === "break") session.sendBreak();
  else if (key in CURSOR_KEYS) session.type((terminal.modes.applicationCursorKeysMode ? "\x1bO" : "\x1b[") + CURSOR_KEYS[key]);
  else session.type(key);
}

for (const [label, key] of PRESSES) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", () => press(key));
  element("presses").append(button);
}

// The bar

function open(id, yes) {
  element(`${id}-panel`).hidden = !yes;
  element(id).setAttribute("aria-expanded", String(yes));
  if (yes) element(`${id}-panel`).querySelector("textarea, button:enabled")?.focus();
}

function openOnly(id) {
  for (const other of PANELS) open(other, other === id);
}

function closePanels() {
  const which = PANELS.find((id) => !element(`${id}-panel`).hidden);
  if (which) open(which, false);
  return which;
}

for (const id of ["keys", "view"]) {
  element(id).addEventListener("click", () => {
    if (element(`${id}-panel`).hidden) openOnly(id);
    else open(id, false);
  });
}

element("screen").addEventListener("pointerdown", closePanels);
for (const choice of document.querySelectorAll("input[name=echo]")) choice.addEventListener("change", () => (session.echo = choice.value));
for (const choice of document.querySelectorAll("input[name=ending]")) choice.addEventListener("change", () => (session.ending = choice.value));
element("aloud").addEventListener("change", () => (terminal.options.screenReaderMode = element("aloud").checked));

offerFullScreen(element("full"), () => terminal.focus());

terminal.textarea.setAttribute("aria-label", "Terminal. Ctrl+Alt+Shift+M leads to the controls.");
fit.fit();
say(element("size"), ` · ${terminal.cols} × ${terminal.rows}`);
session.resize(terminal.cols, terminal.rows);
document.fonts.ready.then(() => fit.fit());
session.connect();
