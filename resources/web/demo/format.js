// Numbers and outside text as a person may see them.

const PREFIXES = ["", "k", "M", "G", "T"];

/** Returns a value in SI with three digits as [text, unit]: si(12_400_000, "B/s") is ["12.4", "MB/s"]. */
export function si(value, unit) {
  let step = 0;
  while (value >= 999.5 && step < PREFIXES.length - 1) {
    value /= 1000;
    step += 1;
  }
  const digits = step === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return [value.toFixed(digits), PREFIXES[step] + unit];
}

/** Returns seconds as "2 h 14 min", "3 min 5 s" or "12 s". */
export function duration(seconds) {
  const whole = Math.floor(seconds), hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** Returns the middle one of some numbers. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Returns text from outside with controls, bidi marks and other invisible characters escaped, cut to 256 characters. */
export function plain(text) {
  const escaped = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
  return escaped.length > 256 ? escaped.slice(0, 255) + "…" : escaped;
}
