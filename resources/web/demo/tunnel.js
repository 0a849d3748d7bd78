// One connection to the tunnel that the page came from: kept up once it was let in, with figures of what passes.

import { FrameReader, GREETING, Kind, frame, number, toNumber } from "./wire.js";
import { plain } from "./format.js";

const FIRST_DELAY_MS = 500, LONGEST_DELAY_MS = 30_000, STEADY_MS = 5_000;
const ECHO_EVERY_MS = 250;
const ASK_BYTES = 8 * 1024 * 1024; // twice as much is on its way at most
const UNACKNOWLEDGED_BYTES = 4 * 1024 * 1024;
const PING = 0, WORDS = 1; // the first byte of an ECHO's payload

// After these the other side does not want us back at once: done, wrong, or not permitted.
const FINAL_CODES = new Set([1000, 1002, 1003, 1007, 1008, 1009, 1010]);
const MEANINGS = {
  1000: "The target has ended the connection.",
  1001: "The tunnel was stopped.",
  1006: "The connection was lost.",
  1008: "The tunnel does not permit this connection any more.",
  1009: "A message was too large for the tunnel.",
  1011: "The tunnel could not go on.",
  1012: "The tunnel is being restarted.",
  1013: "The tunnel is too busy just now.",
  1014: "The target could not be reached.",
};

/** Runs in a worker of its own (worker.js), as messages at full speed would leave a page no time for its buttons.
 *  Fires "state" (detail: word, what, hint, retryMs), "clock" (a Date), "trip" (milliseconds), "words" ({ words, ms })
 *  and "progress" (bytes went through). */
export class Tunnel extends EventTarget {
  address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/`;
  received = 0;
  sent = 0;
  downloading = false;
  uploading = false;

  #socket = null;
  #reader = null;
  #wasLetIn = false;
  #openedAt = 0;
  #delay = FIRST_DELAY_MS;
  #timer = 0;
  #echoTimer = 0;
  #complaint = "";
  #why = ""; // why it ended, kept in sight until it is up again
  #asked = 0;
  #sunk = 0;
  #taken = 0;
  #block = null;

  connect() {
    clearTimeout(this.#timer);
    if (this.#socket) return;
    this.#state("connecting", this.#why);
    const socket = new WebSocket(this.address, ["binary"]);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => this.#message(event.data);
    socket.onclose = (event) => this.#closed(event);
    this.#socket = socket;
    this.#reader = new FrameReader();
    this.#complaint = "";
  }

  get connected() {
    return this.#openedAt > 0;
  }

  get connectedMs() {
    return this.connected ? performance.now() - this.#openedAt : 0;
  }

  download(on) {
    this.downloading = on && this.connected;
    if (!this.connected) return;
    if (on) this.#ask();
    else {
      this.#asked = 0;
      this.#send(Kind.STOP);
    }
  }

  upload(on) {
    this.uploading = on && this.connected;
    if (this.uploading) this.#fill();
  }

  say(words) {
    const text = new TextEncoder().encode(words), payload = stamped(WORDS, text.length);
    payload.set(text, 9);
    this.#send(Kind.ECHO, payload);
  }

  #send(kind, payload) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(frame(kind, payload));
  }

  #message(data) {
    try {
      if (!(data instanceof ArrayBuffer)) throw new Error("What answers sends text, so it is not wsgui’s demo target.");
      this.#reader.feed(new Uint8Array(data), (kind, payload) => this.#frame(kind, payload), (size) => this.#data(size));
    } catch (error) {
      this.#complaint ||= error.message;
      this.#socket?.close(4000, "not the demo's protocol");
    }
  }

  #frame(kind, payload) {
    if (!this.connected) {
      if (kind !== Kind.HELLO || new TextDecoder().decode(payload) !== GREETING) {
        throw new Error("What answers is not wsgui’s demo target.");
      }
      this.#letIn();
    } else if (kind === Kind.CLOCK) {
      this.#fire("clock", new Date(toNumber(payload)));
    } else if (kind === Kind.ECHO && payload.length >= 9) {
      this.#echoed(payload);
    } else if (kind === Kind.TAKEN) {
      const taken = toNumber(payload);
      this.sent += taken - this.#taken;
      this.#taken = taken;
      this.#fire("progress");
      if (this.uploading) this.#fill();
    } else if (kind === Kind.ERROR) {
      throw new Error(plain(new TextDecoder().decode(payload)));
    }
  }

  #letIn() {
    this.#wasLetIn = true;
    this.#why = "";
    this.#openedAt = performance.now();
    this.#asked = this.#sunk = this.#taken = 0;
    this.#state("running");
    this.#ping();
  }

  #data(size) {
    this.received += size;
    this.#asked = Math.max(0, this.#asked - size);
    this.#fire("progress");
    if (this.downloading) this.#ask();
  }

  #ask() {
    while (this.#asked <= ASK_BYTES) {
      this.#asked += ASK_BYTES;
      this.#send(Kind.ASK, number(ASK_BYTES));
    }
  }

  // The target says what it has taken, and that alone calls for more: nothing piles up in this page.
  #fill() {
    this.#block ??= crypto.getRandomValues(new Uint8Array(65_536));
    while (this.#sunk - this.#taken < UNACKNOWLEDGED_BYTES) {
      this.#sunk += this.#block.length;
      this.#send(Kind.SINK, this.#block);
    }
  }

  #ping() {
    this.#send(Kind.ECHO, stamped(PING, 0));
  }

  #echoed(payload) {
    const ms = performance.now() - new DataView(payload.buffer).getFloat64(1);
    if (payload[0] === WORDS) {
      this.#fire("words", { words: plain(new TextDecoder().decode(payload.subarray(9))), ms });
    } else {
      this.#fire("trip", ms);
      this.#echoTimer = setTimeout(() => this.#ping(), ECHO_EVERY_MS);
    }
  }

  #closed(event) {
    clearTimeout(this.#echoTimer);
    const lasted = this.connectedMs, wasIn = this.connected;
    this.#socket = this.#reader = null;
    this.#openedAt = 0;
    this.downloading = this.uploading = false;
    if (lasted > STEADY_MS) this.#delay = FIRST_DELAY_MS;
    const said = event.reason ? `: ${plain(event.reason)}` : "";
    const what = this.#complaint || `${MEANINGS[event.code] ?? "The connection has ended."} (${event.code}${said})`;
    if (!this.#wasLetIn && !this.#complaint && event.code === 1006) {
      this.#state("failed", "The tunnel did not let this page in, or nothing answers there.",
        "Look at wsgui’s window or its output: the reason stands there.");
    } else if (!this.#wasLetIn || this.#complaint || (wasIn && FINAL_CODES.has(event.code))) {
      this.#state("failed", what, "Look at the tunnel in wsgui, then try again.");
    } else {
      // Not all pages at the same moment, when a tunnel comes back.
      const wait = this.#delay * (0.75 + Math.random() / 2);
      this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY_MS);
      this.#timer = setTimeout(() => this.connect(), wait);
      if (wasIn || event.code !== 1006 || !this.#why) this.#why = what; // 1006 now: it does not answer yet
      this.#state("waiting", this.#why, "", wait);
    }
  }

  #state(word, what = "", hint = "", retryMs = 0) {
    this.#fire("state", { word, what, hint, retryMs });
  }

  #fire(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

// An ECHO's payload: what it is for, when it left, and room for words.
function stamped(purpose, room) {
  const payload = new Uint8Array(9 + room);
  payload[0] = purpose;
  new DataView(payload.buffer).setFloat64(1, performance.now());
  return payload;
}
