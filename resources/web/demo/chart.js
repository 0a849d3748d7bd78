// Throughput of the last 90 seconds in two lanes, each with its own scale.

import { si } from "./format.js";

const SPAN_MS = 90_000;
const SMOOTH_MS = 500;
const LANES = [
  { key: "down", label: "To this page", colour: "--accent", share: 0.68 },
  { key: "up", label: "To target", colour: "--up", share: 0.32 },
];
const LEFT = 76, RIGHT = 8, TOP = 10, BETWEEN = 30, BOTTOM = 22;

export class Chart {
  #canvas;
  #samples = []; // { at, down, up }: bytes per second, the newest last

  constructor(canvas) {
    this.#canvas = canvas;
  }

  add(at, down, up) {
    this.#samples.push({ at, down, up });
    while (this.#samples.length && this.#samples[0].at < at - SPAN_MS - 1000) this.#samples.shift();
  }

  /** Draws; `rates` are the figures to say, as the cards beside the chart do. Returns them as words. */
  draw(now, rates) {
    const canvas = this.#canvas, ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext("2d"), style = getComputedStyle(canvas);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = `12px ${style.fontFamily}`;
    const room = height - TOP - BETWEEN - BOTTOM, spoken = [];
    let top = TOP;
    for (const lane of LANES) {
      const bottom = top + room * lane.share;
      spoken.push(this.#lane(pen, style, lane, { top, bottom, left: LEFT, right: width - RIGHT }, now, rates[lane.key]));
      top = bottom + BETWEEN;
    }
    pen.fillStyle = style.getPropertyValue("--dim");
    for (const [share, text] of [[0, "−90 s"], [1 / 3, "−60 s"], [2 / 3, "−30 s"], [1, "now"]]) {
      pen.textAlign = share === 0 ? "left" : share === 1 ? "right" : "center";
      pen.fillText(text, LEFT + (width - RIGHT - LEFT) * share, height - 4);
    }
    return spoken.join(", ");
  }

  #lane(pen, style, lane, box, now, rate) {
    const samples = smooth(this.#samples, lane.key);
    const most = samples.reduce((found, sample) => Math.max(found, sample.value), 0);
    const scale = roundUp(Math.max(most * 1.05, 1000));
    const x = (at) => box.right - ((now - at) / SPAN_MS) * (box.right - box.left);
    const y = (value) => box.bottom - (value / scale) * (box.bottom - box.top);
    const colour = style.getPropertyValue(lane.colour);

    pen.strokeStyle = style.getPropertyValue("--line");
    pen.fillStyle = style.getPropertyValue("--dim");
    pen.textAlign = "right";
    for (const value of [0, scale]) {
      pen.beginPath();
      pen.moveTo(box.left, Math.round(y(value)) + 0.5);
      pen.lineTo(box.right, Math.round(y(value)) + 0.5);
      pen.stroke();
      const [amount, unit] = si(value, "B/s");
      pen.fillText(value ? `${Number(amount)} ${unit}` : "0", box.left - 8, y(value) + 4);
    }
    pen.save();
    pen.beginPath();
    pen.rect(box.left, box.top - 2, box.right - box.left, box.bottom - box.top + 4);
    pen.clip();
    if (samples.length > 1) {
      pen.beginPath();
      for (const sample of samples) pen.lineTo(x(sample.at), y(sample.value));
      pen.strokeStyle = colour;
      pen.lineWidth = 1.6;
      pen.lineJoin = "round";
      pen.stroke();
      pen.lineTo(x(samples[samples.length - 1].at), box.bottom);
      pen.lineTo(x(samples[0].at), box.bottom);
      pen.globalAlpha = 0.14;
      pen.fillStyle = colour;
      pen.fill();
    }
    pen.restore();
    const [amount, unit] = si(rate, "B/s"), text = `${lane.label}  ${amount} ${unit}`;
    pen.font = `600 12px ${style.fontFamily}`;
    pen.textAlign = "left";
    pen.lineWidth = 4;
    pen.lineJoin = "round";
    pen.strokeStyle = style.getPropertyValue("--card"); // keeps the words legible where the curve passes
    pen.strokeText(text, box.left + 8, box.top + 16);
    pen.fillStyle = colour;
    pen.fillText(text, box.left + 8, box.top + 16);
    pen.font = `12px ${style.fontFamily}`;
    pen.lineWidth = 1;
    return `${lane.label}: ${amount} ${unit}`;
  }
}

// A mean over half a second: bytes come in bursts, and a person wants the rate.
function smooth(samples, key) {
  const smoothed = [];
  let first = 0, sum = 0;
  for (let index = 0; index < samples.length; index += 1) {
    sum += samples[index][key];
    while (samples[first].at < samples[index].at - SMOOTH_MS) sum -= samples[first++][key];
    smoothed.push({ at: samples[index].at, value: Math.max(0, sum / (index - first + 1)) });
  }
  return smoothed;
}

function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) * power;
}
