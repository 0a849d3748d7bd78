// The terminal's colours in both themes of the page.

const LIGHT = {
  background: "#ffffff", foreground: "#1b1f27", cursor: "#2563eb", cursorAccent: "#ffffff",
  selectionBackground: "#c9d8fb", selectionInactiveBackground: "#e3e6eb",
  scrollbarSliderBackground: "#868e9b66", scrollbarSliderHoverBackground: "#868e9b99", scrollbarSliderActiveBackground: "#868e9b",
  black: "#1b1f27", red: "#c2303b", green: "#0b7a3b", yellow: "#8f5e10", blue: "#2563eb", magenta: "#7c3aed", cyan: "#0e7490", white: "#5f6777",
  brightBlack: "#5f6777", brightRed: "#b91c1c", brightGreen: "#15803d", brightYellow: "#a16207", brightBlue: "#1d4ed8",
  brightMagenta: "#6d28d9", brightCyan: "#0369a1", brightWhite: "#1b1f27",
};
const DARK = {
  background: "#16181d", foreground: "#e8eaed", cursor: "#5b9dff", cursorAccent: "#16181d",
  selectionBackground: "#34507e", selectionInactiveBackground: "#2c313a",
  scrollbarSliderBackground: "#6b728066", scrollbarSliderHoverBackground: "#6b728099", scrollbarSliderActiveBackground: "#6b7280",
  black: "#6b7280", red: "#ff6b6b", green: "#3ecf8e", yellow: "#f0b429", blue: "#5b9dff", magenta: "#b48cff", cyan: "#4dd4e8", white: "#d5d8de",
  brightBlack: "#969ca8", brightRed: "#ff8f8f", brightGreen: "#6ee7b0", brightYellow: "#ffcf5c", brightBlue: "#8ab8ff",
  brightMagenta: "#cdb2ff", brightCyan: "#86e7f5", brightWhite: "#ffffff",
};

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Calls `use` with the colours that fit the system's theme, now and whenever it changes. */
export function followTheme(use) {
  const apply = () => use(dark.matches ? DARK : LIGHT);
  dark.addEventListener("change", apply);
  apply();
}
