// The panel of keys that a browser or its system keeps for itself, and modifiers that stay down until let go.

// X11's keysyms (keysymdef.h) and the physical key's name (UI Events KeyboardEvent code Values).
const KEYS = {
  Ctrl: [0xffe3, "ControlLeft"], Alt: [0xffe9, "AltLeft"], Shift: [0xffe1, "ShiftLeft"], Super: [0xffeb, "MetaLeft"],
  Esc: [0xff1b, "Escape"], Tab: [0xff09, "Tab"], "⌫": [0xff08, "Backspace"], "⏎": [0xff0d, "Enter"],
  Ins: [0xff63, "Insert"], Del: [0xffff, "Delete"], Home: [0xff50, "Home"], End: [0xff57, "End"],
  PgUp: [0xff55, "PageUp"], PgDn: [0xff56, "PageDown"], Print: [0xff61, "PrintScreen"], Menu: [0xff67, "ContextMenu"],
  "←": [0xff51, "ArrowLeft"], "↑": [0xff52, "ArrowUp"], "↓": [0xff54, "ArrowDown"], "→": [0xff53, "ArrowRight"],
};
for (let number = 1; number <= 12; number += 1) KEYS[`F${number}`] = [0xffbe + number - 1, `F${number}`];
const SPOKEN = { "←": "Left", "↑": "Up", "↓": "Down", "→": "Right", "⌫": "Backspace", "⏎": "Enter" };

const HELD = ["Ctrl", "Alt", "Shift", "Super"];
const CHORDS = ["Ctrl+Alt+Del", "Alt+Tab", "Alt+F4", "Ctrl+Esc"];
const PRESSED = Object.keys(KEYS).filter((name) => !HELD.includes(name));

export class Keys {
  #desktop;
  #changed;
  #held = new Map(); // name → its button

  /** `desktop` returns the desktop that keys go to, or null; `changed` is told the names of what is held down. */
  constructor(desktop, changed) {
    this.#desktop = desktop;
    this.#changed = changed;
    for (const name of HELD) {
      const button = this.#button("held", name, () => this.#hold(name, button));
      button.setAttribute("aria-pressed", "false");
    }
    for (const chord of CHORDS) this.#button("chords", chord, () => this.#chord(chord.split("+")));
    for (const name of PRESSED) this.#button("pressed", name, () => this.#chord([name]));
  }

  /** Lets go of what is held down; `known` is false when nobody is there to be told. */
  release(known = true) {
    for (const [name, button] of this.#held) {
      if (known) this.#desktop()?.sendKey(...KEYS[name], false);
      button.setAttribute("aria-pressed", "false");
    }
    this.#held.clear();
    this.#changed([]);
  }

  #button(place, name, press) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    if (SPOKEN[name]) button.setAttribute("aria-label", SPOKEN[name]);
    button.addEventListener("click", press);
    document.getElementById(place).append(button);
    return button;
  }

  #hold(name, button) {
    const down = !this.#held.delete(name);
    if (down) this.#held.set(name, button);
    button.setAttribute("aria-pressed", String(down));
    this.#desktop()?.sendKey(...KEYS[name], down);
    this.#changed([...this.#held.keys()]);
  }

  #chord(names) {
    const desktop = this.#desktop();
    if (!desktop) return;
    for (const name of names) desktop.sendKey(...KEYS[name], true);
    for (const name of names.toReversed()) desktop.sendKey(...KEYS[name], false);
  }
}
