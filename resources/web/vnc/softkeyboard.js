// The keyboard of a phone or tablet: what it puts into a hidden field goes to the desktop as keys.

import Keyboard from "../vendor/novnc/core/input/keyboard.js";
import keysyms from "../vendor/novnc/core/input/keysymdef.js";

const BACKSPACE = 0xff08, ENTER = 0xff0d;
const FILLER = "_".repeat(64); // something to delete: an empty field tells nobody of a Backspace

export class SoftKeyboard {
  #field;
  #desktop;
  #last = FILLER;

  /** `field` is the hidden textarea; `desktop` returns the desktop that keys go to, or null. */
  constructor(field, desktop) {
    this.#field = field;
    this.#desktop = desktop;
    const keyboard = new Keyboard(field); // keys that it tells by name, such as Enter and arrows
    keyboard.onkeyevent = (keysym, code, down) => this.#desktop()?.sendKey(keysym, code, down);
    keyboard.grab();
    field.addEventListener("input", (event) => this.#typed(event.isComposing));
    field.addEventListener("compositionend", () => this.#typed(false));
  }

  show() {
    this.#reset();
    this.#field.focus({ preventScroll: true });
  }

  hide() {
    this.#field.blur();
  }

  // A keyboard that corrects words replaces what it typed before: what is no longer there is taken back.
  #typed(composing) {
    const last = [...this.#last], now = [...this.#field.value];
    let same = 0;
    while (same < last.length && same < now.length && last[same] === now[same]) same += 1;
    for (let index = same; index < last.length; index += 1) this.#press(BACKSPACE);
    for (const character of now.slice(same)) this.#press(character === "\n" ? ENTER : keysyms.lookup(character.codePointAt(0)));
    this.#last = this.#field.value;
    if (!composing && Math.abs(this.#last.length - FILLER.length) > FILLER.length / 2) this.#reset();
  }

  #press(keysym) {
    this.#desktop()?.sendKey(keysym, null);
  }

  #reset() {
    this.#field.value = this.#last = FILLER;
    this.#field.setSelectionRange(FILLER.length, FILLER.length);
  }
}
