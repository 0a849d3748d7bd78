// Shows the desktop behind the tunnel that this page came from; its state stands in the body's data-state.

import RFB from "./novnc/core/rfb.js";

const scheme = location.protocol === "https:" ? "wss" : "ws";
const rfb = new RFB(document.getElementById("screen"), `${scheme}://${location.host}/`, { wsProtocols: ["binary"] });

rfb.addEventListener("connect", () => { document.body.dataset.state = "connected"; });
rfb.addEventListener("desktopname", ({ detail }) => { document.title = detail.name; });
rfb.addEventListener("disconnect", ({ detail }) => { document.body.dataset.state = detail.clean ? "ended" : "broken"; });
