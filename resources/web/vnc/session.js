// One desktop through the tunnel that this page came from: connects, asks, and comes back once it was let in.

import { ofRefusal } from "../shared/closing.js";
import { address } from "../shared/tunnel.js";
import { Desktop } from "./desktop.js";
import * as reasons from "./reasons.js";

const FIRST_DELAY_MS = 500, LONGEST_DELAY_MS = 30_000, STEADY_MS = 5_000;
const SILENCE_MS = 8_000;

/** Fires "state" (detail: word, what, hint, said, retryMs, types, fingerprint, page) and "desktop" (detail: the new one).
 *
 *  Words: connecting, login (asks for `types`), verify (asks about `fingerprint`), connected, waiting (for `retryMs`),
 *  failed. Nothing is tried again by itself until a server has let this page in: servers ban who only knocks.
 */
export class Session extends EventTarget {
  desktop = null;
  word = "";

  #screen;
  #credentials = null; // as long as this page is open, for coming back
  #types = ["password"]; // of what the server asks for
  #approved = "";
  #wasLetIn = false;
  #attempt = 0;
  #delay = FIRST_DELAY_MS;
  #timer = 0;
  #silence = 0;
  #startedAt = 0;
  #login = () => {};
  #approve = () => {};

  constructor(screen) {
    super();
    this.#screen = screen;
  }

  connect() {
    this.#clear();
    this.#state("connecting");
    const attempt = (this.#attempt += 1);
    const socket = new WebSocket(address(), ["binary"]);
    let opened = false, closed = null, turnedAway = null, late = false;
    let triedPassword = Boolean(this.#credentials);
    socket.addEventListener("open", () => {
      opened = true;
      this.#silence = setTimeout(() => this.#silent(attempt), SILENCE_MS);
    });
    socket.addEventListener("close", (event) => (closed = event));

    const desktop = new Desktop(this.#screen, socket, { shared: true, credentials: { ...this.#credentials } });
    const take = socket.onmessage;
    socket.onmessage = (event) => {
      clearTimeout(this.#silence);
      try {
        take(event);
      } catch (error) {
        desktop.broken(error);
      }
    };
    desktop.addEventListener("credentialsrequired", ({ detail }) => {
      this.#types = detail.types;
      this.#state("login");
    });
    desktop.addEventListener("serververification", async ({ detail }) => {
      const fingerprint = await fingerprintOf(detail.publickey);
      if (attempt !== this.#attempt) return;
      if (fingerprint === this.#approved) desktop.approveServer();
      else this.#state("verify", { fingerprint, changed: this.#approved !== "" });
    });
    desktop.addEventListener("securityfailure", ({ detail }) => {
      turnedAway = reasons.ofSecurity(String(detail.reason ?? ""), triedPassword);
    });
    desktop.addEventListener("connect", () => {
      this.#wasLetIn = true;
      this.#startedAt = performance.now();
      this.#state("connected");
    });
    desktop.addEventListener("disconnect", async () => {
      if (attempt !== this.#attempt) return; // this page wanted it so
      clearTimeout(this.#silence);
      this.desktop = null;
      if (turnedAway && triedPassword && !turnedAway.banned) this.#askAgain(turnedAway);
      else if (turnedAway) this.#ended({ ...turnedAway, final: true });
      // While somebody types, a server may lose patience: the next attempt has what was typed from its beginning.
      else if (this.word === "login" && closed) late = true;
      else if (opened) this.#ended(closed ? reasons.ofClose(closed) : reasons.ofDesktop(desktop));
      else {
        const { answers, ...reason } = await ofRefusal();
        if (attempt === this.#attempt) this.#ended({ ...reason, said: "", final: answers });
      }
    });
    this.desktop = desktop;
    this.dispatchEvent(new CustomEvent("desktop", { detail: desktop }));
    this.#login = (credentials) => {
      triedPassword = true;
      this.#credentials = credentials;
      if (late || turnedAway) this.connect();
      else {
        this.#state("connecting");
        desktop.sendCredentials({ ...credentials });
      }
    };
    this.#approve = (fingerprint) => {
      this.#approved = fingerprint;
      this.#state("connecting");
      desktop.approveServer();
    };
  }

  /** Answers "login"; `credentials` has a value for each of the types asked for. */
  login(credentials) {
    this.#login(credentials);
  }

  /** Answers "verify" with yes; stop() is the no. */
  approve(fingerprint) {
    this.#approve(fingerprint);
  }

  /** Ends the connection, or the waiting for the next one; what was typed is forgotten. */
  stop() {
    this.#clear();
    this.#credentials = null;
    this.#wasLetIn = false;
    this.#state("failed", { what: "Disconnected.", hint: "" });
  }

  #clear() {
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#attempt += 1;
    const { desktop } = this;
    this.desktop = null;
    desktop?.disconnect();
  }

  #silent(attempt) {
    if (attempt !== this.#attempt || this.word !== "connecting") return;
    this.#state("connecting", {
      what: "The tunnel is open, but its target says nothing.",
      hint: "A VNC server speaks first: perhaps another service is on that port. This page goes on waiting.",
    });
  }

  #askAgain(reason) {
    this.#credentials = null;
    this.#state("login", reason);
  }

  #ended({ what, hint, said, final, page }) {
    if (this.word === "connected" && performance.now() - this.#startedAt > STEADY_MS) this.#delay = FIRST_DELAY_MS;
    if (!this.#wasLetIn || final) {
      this.#state("failed", { what, hint, said, page });
      return;
    }
    // Not all pages at the same moment, when a tunnel comes back.
    const retryMs = this.#delay * (0.75 + Math.random() / 2);
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY_MS);
    this.#timer = setTimeout(() => this.connect(), retryMs);
    this.#state("waiting", { what, hint, said, retryMs });
  }

  #state(word, { what = "", hint = "", said = "", retryMs = 0, fingerprint = "", changed = false, page = "" } = {}) {
    this.word = word;
    const detail = { word, what, hint, said, retryMs, types: this.#types, fingerprint, changed, page };
    this.dispatchEvent(new CustomEvent("state", { detail }));
  }
}

/** Returns what TigerVNC shows of a key: the first eight bytes of its SHA-1. */
async function fingerprintOf(key) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", key));
  return [...digest.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("-");
}
