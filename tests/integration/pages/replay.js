// Shows the recording that the address names (?recordings/session.1); how far it is stands in the body's data-state.

import RFB from "./novnc/core/rfb.js";

// What noVNC takes for a WebSocket that is open; what it says goes nowhere.
class Channel {
  binaryType = "arraybuffer";
  protocol = "";
  readyState = "open";
  onopen = null;
  onmessage = null;
  onerror = null;
  onclose = null;
  send() {}
  close() {}
}

// As noVNC's own playback page takes a recording in: a script that has a variable.
function load(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.onload = () => resolve(window.VNC_frame_data);
    script.onerror = () => reject(new Error(`${address} is no script`));
    script.src = address;
    document.body.append(script);
  });
}

const step = () => new Promise(resolve => setTimeout(resolve));

try {
  const lines = await load(location.search.slice(1));
  const channel = new Channel();
  const rfb = new RFB(document.getElementById("screen"), channel);
  rfb.viewOnly = true;
  rfb.addEventListener("disconnect", () => { document.body.dataset.state = "broken"; });
  for (const line of lines) {
    if (!line.startsWith("{")) continue;
    const data = Uint8Array.from(line.slice(line.indexOf("{", 1) + 1), character => character.charCodeAt(0));
    await step();
    channel.onmessage({ data: data.buffer });
  }
  if (document.body.dataset.state === "loading") document.body.dataset.state = "shown";
} catch (error) {
  console.error(error);
  document.body.dataset.state = "broken";
}
