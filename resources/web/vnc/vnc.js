// Starts the page, and says so when that cannot be: an older browser, or a file that did not come.

try {
  await import("./page.js");
} catch (error) {
  document.body.dataset.state = "failed";
  document.getElementById("word").textContent = "Not connected";
  document.getElementById("what").textContent = "This page could not be started.";
  document.getElementById("hint").textContent =
    "Reload it; it needs a browser from 2023 or later, and all of wsgui’s viewer: look at wsgui’s output if it stays so.";
  console.error(error);
}
