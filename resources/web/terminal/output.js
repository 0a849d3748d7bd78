// What is on its way to the screen: bounded, as a WebSocket cannot be told to wait, and a program may write without end.

const MOST_PENDING = 16 * 1024 * 1024;

export class Output {
  #terminal;
  #pending = 0;
  #leftOut = 0;

  constructor(terminal) {
    this.#terminal = terminal;
  }

  /** Shows text, or bytes of UTF-8 however they are split; leaves out what the screen cannot take in time. */
  write(data) {
    if (this.#leftOut || this.#pending > MOST_PENDING) {
      this.#leftOut += data.length;
      return;
    }
    this.#pending += data.length;
    this.#terminal.write(data, () => {
      this.#pending -= data.length;
      if (this.#leftOut && !this.#pending) this.#resume();
    });
  }

  /** Puts the screen into order after a connection's end: what a program had switched on is switched off. */
  settle() {
    const usualScreen = this.#terminal.buffer.active.type === "alternate" ? "\x1b[?1049l" : "";
    // No mouse reports, no focus reports, no bracketed paste, usual keys, the cursor shown, soft reset (DECSTR).
    this.write(`\x18${usualScreen}\x1b[?9;1000;1002;1003;1004;1005;1006;1015;1016;2004l\x1b[?1l\x1b>\x1b[?25h\x1b[!p\r\n`);
  }

  #resume() {
    const megabytes = (this.#leftOut / 1e6).toFixed(1);
    this.#leftOut = 0;
    this.write(`\x18\x1b[!p\r\n[${megabytes} MB were left out here: more than this page can show in time]\r\n`);
  }
}
