// Shows how the tunnel that this page came from does; everything from outside is put in as text.

import { Chart } from "./chart.js";
import { duration, median, si } from "./format.js";

const SAMPLE_MS = 100, TRIPS = 31; // as many round trips make the median
const WORDS = { connecting: "Connecting", running: "Connected", waiting: "Waiting to try again", failed: "Not connected" };

const element = (id) => document.getElementById(id);
const worker = new Worker("worker.js", { type: "module", name: "tunnel" });
const chart = new Chart(element("chart"));
const clockFormat = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const trips = [];
let figures = { received: 0, sent: 0, downloading: false, uploading: false, connectedMs: 0 };
let last = { at: performance.now(), received: 0, sent: 0 };
let retryAt = 0;
let described = 0;

element("address").textContent = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/`;

// Only what changed, as a screen reader may read a change aloud.
function say(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

const on = {
  state({ word, what, hint, retryMs }) {
    element("state").dataset.state = word;
    element("state-word").textContent = WORDS[word];
    element("notice").hidden = !what;
    element("notice").classList.toggle("bad", word === "failed");
    say("notice-what", what);
    say("notice-do", hint);
    retryAt = retryMs && performance.now() + retryMs;
    const connected = word === "running";
    for (const id of ["download", "upload", "words", "send"]) element(id).disabled = !connected;
    if (!connected) {
      trips.length = 0;
      element("trip").textContent = element("clock").textContent = "–";
    }
  },

  clock(date) {
    element("clock").textContent = clockFormat.format(date);
    element("clock").dateTime = date.toISOString();
  },

  trip(ms) {
    trips.push(ms);
    if (trips.length > TRIPS) trips.shift();
    const middle = median(trips);
    element("trip").textContent = middle.toFixed(middle < 9.95 ? 1 : 0);
  },

  words({ words, ms }) {
    element("answer").textContent = `“${words}” came back in ${ms.toFixed(1)} ms.`;
  },

  figures(detail) {
    figures = detail;
    for (const [id, active] of [["download", figures.downloading], ["upload", figures.uploading]]) {
      element(id).setAttribute("aria-pressed", String(active));
      say(`${id}-word`, `${active ? "Stop" : "Start"} ${id}`);
    }
    sample();
  },
};

worker.onmessage = ({ data }) => on[data.name](data.detail);
worker.onerror = () => on.state({
  word: "failed", what: "This page could not be started.", hint: "Reload it; it needs a browser from 2023 or later.", retryMs: 0,
});

const tell = (name, value) => worker.postMessage({ name, value });
element("download").addEventListener("click", () => tell("download", !figures.downloading));
element("upload").addEventListener("click", () => tell("upload", !figures.uploading));
element("retry").addEventListener("click", () => tell("connect"));
addEventListener("online", () => retryAt && tell("connect"));
element("say").addEventListener("submit", (event) => {
  event.preventDefault();
  if (element("words").value) tell("say", element("words").value);
});

function show(id, value, unit) {
  const [text, shown] = si(value, unit);
  element(id).textContent = text;
  element(`${id}-unit`).textContent = shown;
}

const recent = [];

function sample() {
  const now = performance.now(), { received, sent } = figures, seconds = (now - last.at) / 1000;
  if (seconds * 1000 < SAMPLE_MS / 2) return;
  chart.add(now, (received - last.received) / seconds, (sent - last.sent) / seconds);
  last = { at: now, received, sent };
  recent.push(last);
  while (recent.length > 1 && recent[0].at < now - 1000) recent.shift();
  if (document.hidden) return;
  const span = (now - recent[0].at) / 1000 || 1;
  const rates = { down: (received - recent[0].received) / span, up: (sent - recent[0].sent) / span };
  show("down", rates.down, "B/s");
  show("up", rates.up, "B/s");
  show("total", received + sent, "B");
  if (retryAt) say("notice-do", `Trying again in ${duration(Math.max(0, retryAt - now) / 1000 + 0.5)}.`);
  say("since", figures.connectedMs ? `Connected for ${duration(figures.connectedMs / 1000)}.` : "");
  const words = chart.draw(now, rates);
  if (now - described > 5000) {
    described = now;
    element("chart").setAttribute("aria-label", `Throughput of the last 90 seconds. ${words}`);
  }
}
