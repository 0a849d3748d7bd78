// noVNC's client with bounds on what a server may make this page keep, and with reasons for what went wrong.
//
// noVNC's core takes cut text, sizes and names as they come. What is overridden here are its private methods; that is
// safe because the build takes exactly one version of it (packaging/viewers.py), and tests hold it to these bounds.

import Inflator from "../vendor/novnc/core/inflator.js";
import RFB from "../vendor/novnc/core/rfb.js";

export const MOST_CUT_TEXT_BYTES = 1024 * 1024;
export const MOST_PIXELS = 64 * 1024 * 1024;
const MOST_SIDE = 32_767; // what browsers' canvases take
const MOST_CURSOR_SIDE = 1024;
const MOST_NAME_CHARACTERS = 1024;

const GREETING = "RFB "; // RFC 6143, 7.1.1
const RA2NE = 6; // a security type that needs crypto.subtle, which plain http pages do not have
// The Extended Clipboard pseudo-encoding's flags.
const TEXT = 1, PROVIDE = 1 << 28;

/** Fires, beside noVNC's events: "resize" (detail: width, height), "cuttextdropped" (it was too large). */
export class Desktop extends RFB {
  /** What a server said that is none of VNC's: its first characters; "" otherwise. */
  otherGreeting = "";
  /** The first thing that went wrong, in noVNC's words; "" when nothing did. */
  problem = "";
  /** Whether a login was left out that only an encrypted page can do. */
  leftOutSecureLogin = false;

  #dropping = 0; // bytes of a message that are still to come and not wanted

  get canResize() {
    return this._supportsSetDesktopSize;
  }

  get size() {
    return [this._fbWidth, this._fbHeight];
  }

  /** Whether text goes over as Unicode; an older server takes ISO 8859-1 only. */
  get takesUnicode() {
    return Boolean(this._clipboardServerCapabilitiesFormats[TEXT]);
  }

  get watching() {
    return this.viewOnly;
  }

  /** Sends nothing of the person any more, or again; what was held down is let go first. */
  set watching(on) {
    if (on && !this.viewOnly) {
      this.releaseKeys();
      if (this._mouseButtonMask) this._handleMouseButton(0, 0, 0);
    }
    this.viewOnly = on;
  }

  /** Lets go of all keys: whoever loses the focus does not see them go up. */
  releaseKeys() {
    this._keyboard._allKeysUp();
  }

  // From here on: noVNC's own methods, bounded.

  _fail(details) {
    this.problem ||= String(details);
    return super._fail(details);
  }

  _handleMessage() {
    try {
      super._handleMessage();
    } catch (error) {
      this.broken(error);
    }
  }

  /** Ends the session because of what a server sent; noVNC would go on with a picture that stands still. */
  broken(error) {
    if (this._rfbConnectionState !== "disconnected") this._fail(error.message);
  }

  _negotiateProtocolVersion() {
    const start = String.fromCharCode(...this._sock.rQpeekBytes(Math.min(this._sock.rQlen(), 64)));
    if (!start.startsWith(GREETING.slice(0, start.length))) {
      this.otherGreeting = start;
      return this._fail("The greeting is not VNC’s");
    }
    const result = super._negotiateProtocolVersion();
    // noVNC would look at what follows only when more comes; who turns a viewer away says all at once and leaves.
    return result ?? this._rfbInitState === "Security";
  }

  _isSupportedSecurityType(type) {
    if (type === RA2NE && !crypto.subtle) {
      this.leftOutSecureLogin = true;
      return false;
    }
    return super._isSupportedSecurityType(type);
  }

  _setDesktopName(name) {
    super._setDesktopName(name.slice(0, MOST_NAME_CHARACTERS));
  }

  _resize(width, height) {
    if (width * height > MOST_PIXELS || width > MOST_SIDE || height > MOST_SIDE) {
      throw new Error(`A desktop of ${width} × ${height} pixels is too large`);
    }
    super._resize(width, height);
    this.dispatchEvent(new CustomEvent("resize", { detail: { width, height } }));
  }

  _handleCursor() {
    this.#checkCursor();
    return super._handleCursor();
  }

  _handleVMwareCursor() {
    this.#checkCursor();
    return super._handleVMwareCursor();
  }

  #checkCursor() {
    const { width, height } = this._FBU;
    if (width > MOST_CURSOR_SIDE || height > MOST_CURSOR_SIDE) {
      throw new Error(`A pointer of ${width} × ${height} pixels is too large`);
    }
  }

  // What a rectangle inflates to is allocated by its size before a byte of it is known.
  _handleDataRect() {
    const { width, height } = this._FBU;
    if (width > this._fbWidth || height > this._fbHeight) {
      throw new Error(`A rectangle of ${width} × ${height} pixels is larger than the desktop`);
    }
    return super._handleDataRect();
  }

  _normalMsg() {
    return this.#dropping ? this.#drop() : super._normalMsg();
  }

  #drop(bytes = 0) {
    this.#dropping += bytes;
    const here = Math.min(this.#dropping, this._sock.rQlen());
    this._sock.rQskipBytes(here);
    this.#dropping -= here;
    return this.#dropping === 0;
  }

  #dropCutText(bytes) {
    this.dispatchEvent(new CustomEvent("cuttextdropped"));
    return this.#drop(bytes);
  }

  _handleServerCutText() {
    const HEAD = 7; // padding and a length, after the message's type
    if (this._sock.rQwait("cut text head", HEAD, 1)) return false;
    const length = new DataView(this._sock.rQpeekBytes(HEAD).buffer).getInt32(3), size = Math.abs(length);
    if (size > MOST_CUT_TEXT_BYTES) return this.#dropCutText(HEAD + size);
    if (length >= 0) return super._handleServerCutText();
    if (this._sock.rQwait("extended cut text", HEAD + size, 1)) return false;
    if (size < 4) throw new Error("A clipboard message is too short");
    const content = this._sock.rQpeekBytes(HEAD + size).subarray(HEAD);
    const flags = new DataView(content.buffer, content.byteOffset).getUint32(0);
    if ((flags & 0xff000000) !== PROVIDE) return super._handleServerCutText();
    const text = flags & TEXT && !this.viewOnly ? inflatedText(content.subarray(4)) : "";
    if (text === null) return this.#dropCutText(HEAD + size);
    this._clipboardText = null; // as noVNC does: what this page had sent is no longer what is on the clipboard
    if (text) this.dispatchEvent(new CustomEvent("clipboard", { detail: { text } }));
    return this.#drop(HEAD + size);
  }
}

/** Returns the text that a Provide message holds first, or null when it is too large or none. */
function inflatedText(bytes) {
  try {
    const inflator = new Inflator();
    inflator.setInput(bytes);
    const head = inflator.inflate(4), size = new DataView(head.buffer, head.byteOffset).getUint32(0);
    if (size > MOST_CUT_TEXT_BYTES) return null;
    return new TextDecoder().decode(inflator.inflate(size)).replace(/\0$/, "").replaceAll("\r\n", "\n");
  } catch {
    return null;
  }
}
