// One connection to the tunnel that this page came from: bytes for the screen, keys for the other side, telnet in between.

import { ofRefusal } from "../shared/closing.js";
import { address } from "../shared/tunnel.js";
import { LineEditor } from "./lineeditor.js";
import * as reasons from "./reasons.js";
import { BREAK, IAC, Telnet } from "./telnet.js";

const SILENCE_MS = 3_000;
const GREETING_BYTES = 64;
const ENDINGS = { return: "\r", both: "\r\n", feed: "\n" };
const encoder = new TextEncoder();

/** Fires "state" (detail: word, what, hint, said, well), "output" (a Uint8Array), "shown" (text, of what is typed) and,
 *  while connected, "remark" (detail: what, hint, page, lines; null when it holds no more).
 *
 *  Words: connecting, connected, ended (it was open), failed (it was not). Nothing is tried again by itself: what was
 *  on the other side is over, and coming back begins anew.
 */
export class Session extends EventTarget {
  word = "";
  /** "auto", "always" or "never": whether what is typed is shown, and corrected, here. */
  echo = "auto";
  /** What Enter sends where no telnet is spoken: "return", "both" or "feed". */
  ending = "return";

  #socket = null;
  #telnet = null;
  #editor = null;
  #columns = 80;
  #rows = 24;
  #attempt = 0;
  #heard = false;
  #silence = 0;

  connect() {
    this.#leave();
    this.#state("connecting");
    const attempt = (this.#attempt += 1);
    const socket = new WebSocket(address(), ["binary"]);
    socket.binaryType = "arraybuffer";
    this.#telnet = new Telnet(this.#columns, this.#rows);
    this.#editor = new LineEditor();
    this.#heard = false;
    socket.onopen = () => this.#state("connected");
    socket.onmessage = ({ data }) => this.#received(typeof data === "string" ? encoder.encode(data) : new Uint8Array(data));
    socket.onclose = async (event) => {
      this.#socket = null;
      clearTimeout(this.#silence);
      const opened = this.word === "connected";
      const reason = opened ? reasons.ofClose(event) : await ofRefusal();
      if (attempt === this.#attempt) this.#state(opened && !reason.never ? "ended" : "failed", reason);
    };
    this.#socket = socket;
  }

  /** Ends the connection because this page's person wants it. */
  stop() {
    this.#leave();
    this.#state("ended", { what: "Disconnected.", well: true });
  }

  get echoesHere() {
    if (this.echo !== "auto") return this.echo === "always";
    return Boolean(this.#telnet?.spoken && !this.#telnet.serverEchoes);
  }

  /** Sends keys or pasted text. */
  type(text) {
    if (this.word !== "connected") return;
    if (!this.#heard && !this.#silence && text.includes("\r")) this.#silence = setTimeout(() => this.#fire("remark", reasons.SILENCE), SILENCE_MS);
    if (!this.echoesHere) {
      this.#send(this.#editor.take() + text, this.#telnet.spoken ? "\r" : ENDINGS[this.ending]);
      return;
    }
    const { shown, sent } = this.#editor.type(text);
    if (shown) this.#fire("shown", shown);
    // Who lets the client show what is typed takes lines (RFC 854's "new line").
    if (sent) this.#send(sent, this.#telnet.spoken ? "\r\n" : ENDINGS[this.ending]);
  }

  /** Sends bytes as they are, such as a mouse's reports. */
  typeBytes(bytes) {
    if (this.word === "connected") this.#socket.send(this.#telnet.encode(bytes));
  }

  /** Sends telnet's BREAK; where no telnet is spoken there is none. */
  sendBreak() {
    if (this.word === "connected" && this.#telnet.spoken) this.#socket.send(Uint8Array.of(IAC, BREAK));
  }

  resize(columns, rows) {
    this.#columns = columns;
    this.#rows = rows;
    const told = this.#telnet?.resize(columns, rows);
    if (this.word === "connected" && told?.length) this.#socket.send(told);
  }

  #send(text, ending) {
    const newline = ending === "\r" ? this.#telnet.encode(Uint8Array.of(13)) : encoder.encode(ending);
    const parts = text.split("\r").flatMap((line, at) => (at ? [newline] : []).concat(this.#telnet.encode(encoder.encode(line))));
    this.#socket.send(new Blob(parts));
  }

  #received(bytes) {
    if (!this.#heard) this.#greeted(bytes);
    const { data, reply } = this.#telnet.receive(bytes);
    if (reply.length) this.#socket.send(reply);
    if (data.length) this.#fire("output", data);
  }

  #greeted(bytes) {
    this.#heard = true;
    clearTimeout(this.#silence);
    this.#fire("remark", reasons.ofGreeting(String.fromCharCode(...bytes.subarray(0, GREETING_BYTES))));
  }

  #leave() {
    this.#attempt += 1;
    clearTimeout(this.#silence);
    this.#silence = 0;
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(1000);
    }
  }

  #state(word, { what = "", hint = "", said = "", well = true } = {}) {
    this.word = word;
    this.#fire("state", { word, what, hint, said, well });
  }

  #fire(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
