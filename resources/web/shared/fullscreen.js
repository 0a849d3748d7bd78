// A button that shows the page on the whole screen.

/** Makes `button` do so, where this browser can; `changed` is told each time whether it is on. */
export function offerFullScreen(button, changed) {
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", async () => {
    if (document.fullscreenElement) {
      await document.exitFullscreen();
      return;
    }
    await document.documentElement.requestFullscreen();
    await navigator.keyboard?.lock?.(); // so that Esc, Alt+Tab and Ctrl+W go to the other side; holding Esc leaves
  });
  document.addEventListener("fullscreenchange", () => {
    const full = Boolean(document.fullscreenElement);
    button.setAttribute("aria-pressed", String(full));
    changed(full);
  });
}
