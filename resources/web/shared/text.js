// Text from outside as a person may see it, and time as a person says it.

const MOST_CHARACTERS = 256;

/** Returns text from outside with controls, bidi marks and other invisible characters escaped, cut to so many characters. */
export function plain(text, most = MOST_CHARACTERS) {
  const escaped = text
    .slice(0, most + 1)
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
  return escaped.length > most ? escaped.slice(0, most - 1) + "…" : escaped;
}

/** Returns what was pasted without the controls that no clipboard should type: a return, a tab and text are left. */
export function pasteable(text) {
  return text.replace(/\r\n?|\n/g, "\n").replace(/[^\P{Cc}\t\n]/gu, "");
}

/** Returns seconds as "2 min 5 s" or "12 s". */
export function duration(seconds) {
  const whole = Math.max(0, Math.ceil(seconds)), minutes = Math.floor(whole / 60);
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** Changes an element's text only when it is another one: a screen reader may read a change aloud. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
