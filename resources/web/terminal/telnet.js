// The client's side of telnet; sans-I/O. Raw bytes pass until the other side is first heard to speak telnet.
//
// RFC 854 (commands), 855 (options), 856 (BINARY), 857 (ECHO), 858 (SUPPRESS-GO-AHEAD), 1073 (NAWS), 1091 (TERMINAL-TYPE).

export const SE = 240, BREAK = 243, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254, IAC = 255;
export const BINARY = 0, ECHO = 1, SUPPRESS_GO_AHEAD = 3, TERMINAL_TYPE = 24, NAWS = 31;
const IS = 0, SEND = 1;
const RETURN = 13;

const SERVER_MAY = new Set([BINARY, ECHO, SUPPRESS_GO_AHEAD]);
const WE_CAN = new Set([BINARY, SUPPRESS_GO_AHEAD, TERMINAL_TYPE, NAWS]);
const TYPES = ["xterm-256color", "xterm", "vt100"]; // RFC 1091: one after the other, the last one twice
const MOST_PARAMETERS = 64;
const MOST_REPLIES = 4096; // an honest server asks a few dozen times; nothing piles up for one that never stops

export class Telnet {
  spoken = false;

  #state = "data";
  #verb = 0;
  #parameters = [];
  #theirs = new Set(); // options that the server has on
  #ours = new Set(); // options that we have on
  #columns;
  #rows;
  #typesTold = 0;
  #replies = [];
  #repliesLeft = MOST_REPLIES;

  constructor(columns, rows) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** Whether the server shows what is typed; where it speaks no telnet that is not known. */
  get serverEchoes() {
    return this.#theirs.has(ECHO);
  }

  /** Takes bytes from the server; returns { data, reply }: what is to be shown, and what the server is answered. */
  receive(bytes) {
    this.#replies = [];
    if (this.#state === "data" && !bytes.includes(IAC)) return { data: bytes, reply: new Uint8Array() };
    const data = new Uint8Array(bytes.length + 2); // a command's first bytes may turn out to be none
    let length = 0;
    for (const byte of bytes) {
      switch (this.#state) {
        case "data":
          if (byte === IAC) this.#state = "command";
          else data[length++] = byte;
          break;
        case "command":
          this.#state = "data";
          // The very first one may as well be a byte of another protocol, or another alphabet's letter.
          if (!this.spoken && (byte < SB || byte === IAC)) {
            data[length++] = IAC;
            if (byte === IAC) this.#state = "command";
            else data[length++] = byte;
            break;
          }
          this.spoken = true;
          if (byte === IAC) data[length++] = IAC;
          else if (byte >= WILL && byte <= DONT) {
            this.#verb = byte;
            this.#state = "option";
          } else if (byte === SB) {
            this.#parameters = [];
            this.#state = "parameters";
          }
          break;
        case "option":
          this.#state = "data";
          this.#negotiate(this.#verb, byte);
          break;
        case "parameters":
          if (byte === IAC) this.#state = "parameters' command";
          else this.#keep(byte);
          break;
        default:
          if (byte === IAC) {
            this.#keep(IAC);
            this.#state = "parameters";
          } else {
            this.#state = "data";
            if (byte === SE) this.#subnegotiation();
          }
      }
    }
    return { data: data.subarray(0, length), reply: Uint8Array.from(this.#replies) };
  }

  /** Returns bytes that were typed as the server is sent them. */
  encode(bytes) {
    if (!this.spoken) return bytes;
    const out = [];
    for (const byte of bytes) {
      out.push(byte);
      if (byte === IAC) out.push(IAC);
      else if (byte === RETURN && !this.#ours.has(BINARY)) out.push(0); // RFC 854: a bare return
    }
    return Uint8Array.from(out);
  }

  /** Notes the window's size; returns what the server is told of it, which may be nothing. */
  resize(columns, rows) {
    this.#columns = columns;
    this.#rows = rows;
    return Uint8Array.from(this.#ours.has(NAWS) ? this.#size() : []);
  }

  #size() {
    const numbers = [this.#columns >> 8, this.#columns & 255, this.#rows >> 8, this.#rows & 255];
    return [IAC, SB, NAWS, ...numbers.flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte])), IAC, SE];
  }

  // RFC 1143: only a change is answered, but for what is refused.
  #negotiate(verb, option) {
    const [on, set, possible, yes, no] = verb === WILL || verb === WONT
      ? [verb === WILL, this.#theirs, SERVER_MAY, DO, DONT] : [verb === DO, this.#ours, WE_CAN, WILL, WONT];
    if (on === set.has(option)) return;
    if (!on) {
      set.delete(option);
      this.#reply(IAC, no, option);
    } else if (!possible.has(option)) {
      this.#reply(IAC, no, option);
    } else {
      set.add(option);
      this.#reply(IAC, yes, option);
      if (set === this.#ours && option === NAWS) this.#reply(...this.#size());
    }
  }

  #subnegotiation() {
    const [option, action] = this.#parameters;
    if (option !== TERMINAL_TYPE || action !== SEND || !this.#ours.has(TERMINAL_TYPE)) return;
    const type = TYPES[Math.min(this.#typesTold, TYPES.length - 1)];
    this.#typesTold = this.#typesTold > TYPES.length - 1 ? 0 : this.#typesTold + 1;
    this.#reply(IAC, SB, TERMINAL_TYPE, IS, ...new TextEncoder().encode(type), IAC, SE);
  }

  #keep(byte) {
    if (this.#parameters.length < MOST_PARAMETERS) this.#parameters.push(byte);
  }

  #reply(...bytes) {
    if (this.#repliesLeft <= 0) return;
    this.#repliesLeft -= 1;
    this.#replies.push(...bytes);
  }
}
