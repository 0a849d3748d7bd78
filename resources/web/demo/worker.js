// Keeps the connection away from the page's thread: commands in, events and ten times a second figures out.

import { Tunnel } from "./tunnel.js";

const FIGURES_MS = 100;
const tunnel = new Tunnel();
let reported = 0;

for (const name of ["state", "clock", "trip", "words"]) {
  tunnel.addEventListener(name, ({ detail }) => {
    postMessage({ name, detail });
    report();
  });
}

// Also called as bytes come: a timer alone could wait behind them.
tunnel.addEventListener("progress", () => performance.now() - reported > FIGURES_MS && report());
setInterval(() => performance.now() - reported > FIGURES_MS / 2 && report(), FIGURES_MS);

function report() {
  reported = performance.now();
  const { received, sent, downloading, uploading, connectedMs } = tunnel;
  postMessage({ name: "figures", detail: { received, sent, downloading, uploading, connectedMs } });
}

onmessage = ({ data }) => {
  if (data.name === "connect") tunnel.connect();
  if (data.name === "download") tunnel.download(data.value);
  if (data.name === "upload") tunnel.upload(data.value);
  if (data.name === "say") tunnel.say(data.value);
  report();
};

tunnel.connect();
