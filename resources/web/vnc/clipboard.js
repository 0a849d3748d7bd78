// Text from the desktop and to it: only by a click of the person, and at most one mebibyte.

import { MOST_CUT_TEXT_BYTES } from "./desktop.js";
import { say } from "../shared/text.js";

const TOO_LARGE = "That is more than 1 MiB: too much for the clipboard here.";
const element = (id) => document.getElementById(id);

export class Clipboard {
  #desktop;

  /** `desktop` returns the desktop that text goes to, or null. */
  constructor(desktop) {
    this.#desktop = desktop;
    element("copy").addEventListener("click", () => this.#copy());
    element("send").addEventListener("click", () => this.#send(element("to").value));
    element("paste").addEventListener("click", () => this.#paste());
    element("paste").hidden = !navigator.clipboard?.readText; // pages without TLS and some browsers may not read
    element("clipboard").addEventListener("click", () => (element("news").hidden = true));
  }

  /** Shows what was copied on the desktop. */
  received(text) {
    element("from").value = text;
    element("copy").disabled = !text;
    element("news").hidden = !text;
    this.#say("");
  }

  /** Says that the desktop's text was left out. */
  dropped() {
    this.#say("The desktop copied more than 1 MiB, which this page does not take.");
    element("news").hidden = false;
  }

  /** Forgets everything; another desktop comes. */
  clear() {
    element("from").value = "";
    element("copy").disabled = element("news").hidden = true;
    this.#say("");
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(element("from").value);
      this.#say("Copied.");
    } catch {
      element("from").select(); // where a page may not write, a person may
      this.#say(document.execCommand("copy") ? "Copied." : "This browser does not let pages copy: press Ctrl+C.");
    }
  }

  async #paste() {
    try {
      const text = await navigator.clipboard.readText();
      element("to").value = text;
      this.#send(text);
    } catch {
      element("to").focus();
      this.#say("This browser did not let this page read its clipboard: press Ctrl+V in the box, then Send.");
    }
  }

  #send(text) {
    const desktop = this.#desktop();
    if (!desktop) return;
    if (new TextEncoder().encode(text).length > MOST_CUT_TEXT_BYTES) {
      this.#say(TOO_LARGE);
      return;
    }
    desktop.clipboardPasteFrom(text);
    const lost = !desktop.takesUnicode && /[^\u0000-\u00ff]/.test(text);
    this.#say(lost ? "Sent. This server takes Western European letters only: others became “?”." : "Sent.");
  }

  #say(words) {
    say(element("clipboard-said"), words);
  }
}
