// The demo's byte protocol: kind (1 byte), length (4 bytes, big-endian), payload. wsgui/bridge/demo.py describes it.

export const Kind = Object.freeze({
  HELLO: 1, CLOCK: 2, ECHO: 3, ASK: 4, STOP: 5, DATA: 6, SINK: 7, TAKEN: 8, ERROR: 9,
});
export const GREETING = "wsgui demo 1";

const HEAD_BYTES = 5;
const MAX_PAYLOAD_BYTES = 64 * 1024;

/** Returns one frame. `payload` is a Uint8Array. */
export function frame(kind, payload = new Uint8Array()) {
  const bytes = new Uint8Array(HEAD_BYTES + payload.length);
  bytes[0] = kind;
  new DataView(bytes.buffer).setUint32(1, payload.length);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** Returns an unsigned number as 8 bytes. */
export function number(value) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** Returns the unsigned number that 8 bytes hold. */
export function toNumber(bytes) {
  if (bytes.length !== 8) throw new Error("A number has not 8 bytes.");
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0));
}

/** Takes the target's bytes apart, however they were split; DATA payloads are counted and never kept. */
export class FrameReader {
  #kept = new Uint8Array(HEAD_BYTES + MAX_PAYLOAD_BYTES);
  #size = 0;
  #need = HEAD_BYTES;
  #data = 0;

  /** Calls onFrame(kind, payload) and onData(size); throws when the bytes are not this protocol's. */
  feed(bytes, onFrame, onData) {
    let at = 0;
    while (at < bytes.length) {
      if (this.#data > 0) {
        const size = Math.min(this.#data, bytes.length - at);
        this.#data -= size;
        at += size;
        onData(size);
        continue;
      }
      const size = Math.min(this.#need - this.#size, bytes.length - at);
      this.#kept.set(bytes.subarray(at, at + size), this.#size);
      this.#size += size;
      at += size;
      if (this.#size === HEAD_BYTES && this.#need === HEAD_BYTES) this.#readHead();
      if (this.#size === this.#need && this.#size > 0 && this.#data === 0) {
        const payload = this.#kept.slice(HEAD_BYTES, this.#size);
        this.#size = 0;
        this.#need = HEAD_BYTES;
        onFrame(this.#kept[0], payload);
      }
    }
  }

  #readHead() {
    const kind = this.#kept[0];
    const length = new DataView(this.#kept.buffer).getUint32(1);
    const known = [Kind.HELLO, Kind.CLOCK, Kind.ECHO, Kind.DATA, Kind.TAKEN, Kind.ERROR].includes(kind);
    if (!known || length > MAX_PAYLOAD_BYTES) throw new Error("What answers is not wsgui’s demo target.");
    if (kind === Kind.DATA && length > 0) {
      this.#data = length;
      this.#size = 0;
    } else {
      this.#need = HEAD_BYTES + length;
    }
  }
}
