// Shows how the tunnel that this page came from does; everything from outside is put in as text.

import { Chart } from "./chart.js";
import { duration, median, si } from "./format.js";
import { Tunnel } from "./tunnel.js";

const SAMPLE_MS = 100, TRIPS = 31;
const WORDS = { connecting: "Connecting", running: "Connected", waiting: "Waiting to try again", failed: "Not connected" };

const element = (id) => document.getElementById(id);
const tunnel = new Tunnel();
const chart = new Chart(element("chart"));
const clockFormat = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const trips = [];
let last = { at: performance.now(), received: 0, sent: 0 };
let retryAt = 0;
let described = 0;

element("address").textContent = tunnel.address;

tunnel.addEventListener("state", ({ detail }) => {
  element("state").dataset.state = detail.word;
  element("state-word").textContent = WORDS[detail.word];
  element("notice").hidden = !detail.what;
  element("notice").classList.toggle("bad", detail.word === "failed");
  element("notice-what").textContent = detail.what;
  element("notice-do").textContent = detail.hint;
  retryAt = detail.retryAt;
  const connected = detail.word === "running";
  for (const id of ["download", "upload", "words", "send"]) element(id).disabled = !connected;
  if (!connected) {
    trips.length = 0;
    element("trip").textContent = element("clock").textContent = "–";
  }
  showButtons();
});

tunnel.addEventListener("clock", ({ detail }) => {
  element("clock").textContent = clockFormat.format(detail);
  element("clock").dateTime = detail.toISOString();
});

tunnel.addEventListener("trip", ({ detail }) => {
  trips.push(detail);
  if (trips.length > TRIPS) trips.shift();
  const middle = median(trips);
  element("trip").textContent = middle.toFixed(middle < 9.95 ? 1 : 0);
});

tunnel.addEventListener("words", ({ detail }) => {
  element("answer").textContent = `“${detail.words}” came back in ${detail.ms.toFixed(1)} ms.`;
});

element("download").addEventListener("click", () => {
  tunnel.download(!tunnel.downloading);
  showButtons();
});

element("upload").addEventListener("click", () => {
  tunnel.upload(!tunnel.uploading);
  showButtons();
});

element("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = element("words").value;
  if (words) tunnel.say(words);
});

element("retry").addEventListener("click", () => tunnel.connect());
addEventListener("online", () => retryAt && tunnel.connect());

function showButtons() {
  for (const [id, on] of [["download", tunnel.downloading], ["upload", tunnel.uploading]]) {
    element(id).setAttribute("aria-pressed", String(on));
    element(id).lastElementChild.textContent = `${on ? "Stop" : "Start"} ${id}`;
  }
}

function show(id, value, unit) {
  const [text, shown] = si(value, unit);
  element(id).textContent = text;
  element(`${id}-unit`).textContent = shown;
}

const recent = [];

function sample() {
  const now = performance.now(), { received, sent } = tunnel, seconds = (now - last.at) / 1000;
  if (seconds <= 0) return;
  chart.add(now, (received - last.received) / seconds, (sent - last.sent) / seconds);
  last = { at: now, received, sent };
  recent.push(last);
  while (recent.length > 1 && recent[0].at < now - 1000) recent.shift();
  if (document.hidden) return;
  const span = (now - recent[0].at) / 1000 || 1;
  show("down", (received - recent[0].received) / span, "B/s");
  show("up", (sent - recent[0].sent) / span, "B/s");
  show("total", received + sent, "B");
  if (retryAt) element("notice-do").textContent = `Trying again in ${duration(Math.max(0, retryAt - now) / 1000 + 0.5)}.`;
  element("since").textContent = tunnel.connected ? `Connected for ${duration((now - tunnel.openedAt) / 1000)}.` : "";
  const words = chart.draw(now);
  if (now - described > 5000) {
    described = now;
    element("chart").setAttribute("aria-label", `Throughput of the last 90 seconds. ${words}`);
  }
}

setInterval(sample, SAMPLE_MS);
tunnel.connect();
