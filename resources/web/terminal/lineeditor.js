// A line that is typed where the other side shows nothing: shown here, corrected here, and sent when it is whole.

const MOST_CHARACTERS = 4096;
const WIDE = /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
const RUB_OUT = "\b \b";

export class LineEditor {
  #line = [];

  /** Takes what was typed; returns { shown, sent }: text for this screen, and for the other side, a line ending "\r". */
  type(text) {
    if (text.startsWith("\x1b") && text.length > 1) return { shown: "", sent: "" }; // a key that a line has no use for
    let shown = "", sent = "";
    for (const character of text) {
      if (character === "\r") {
        sent += `${this.take()}\r`;
        shown += "\r\n";
      } else if (character === "\x7f" || character === "\b") {
        shown += this.#rubOut();
      } else if (character === "\x15") {
        while (this.#line.length) shown += this.#rubOut();
      } else if (character < " " && character !== "\t") {
        sent += this.take() + character;
        shown += `^${String.fromCharCode(character.charCodeAt(0) + 64)}`;
      } else if (this.#line.length < MOST_CHARACTERS) {
        this.#line.push(character);
        shown += character;
      }
    }
    return { shown, sent };
  }

  /** Returns what is there of the line, and forgets it. */
  take() {
    return this.#line.splice(0).join("");
  }

  #rubOut() {
    const character = this.#line.pop();
    if (character === undefined) return "";
    return WIDE.test(character) ? RUB_OUT + RUB_OUT : RUB_OUT;
  }
}
