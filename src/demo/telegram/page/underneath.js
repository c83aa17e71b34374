// The panel that shows what happens underneath: updates delivered to the server, methods it called.

import { get, h, sign, timeOf } from "./util.js";

export class Underneath {
  constructor(element) {
    this.element = element;
    this.list = h("ol", { class: "entries" });
    element.append(
      h("header", {}, h("h2", {}, "What happens underneath"),
        h("button", { class: "icon small", "aria-label": "Close", "data-testid": "underneath-close", onclick: () => this.show(false) }, sign("close"))),
      h("p", { class: "quiet" }, h("span", { class: "arrow to" }, "→"), " updates delivered to the webhook  ",
        h("span", { class: "arrow from" }, "←"), " Bot API methods called"),
      this.list);
  }

  show(shown) {
    this.element.hidden = !shown;
    document.getElementById("app").classList.toggle("with-underneath", shown);
    if (shown) this.refresh();
  }

  toggle() {
    this.show(this.element.hidden);
  }

  async refresh() {
    if (this.element.hidden) return;
    const { calls, deliveries } = await get("/_demo/underneath");
    const entries = [
      ...deliveries.map((delivery) => ({ at: delivery.at, draw: () => drawDelivery(delivery) })),
      ...calls.map((call) => ({ at: call.at, draw: () => drawCall(call) })),
    ].sort((one, other) => (one.at < other.at ? 1 : one.at > other.at ? -1 : 0));
    const open = new Set([...this.list.querySelectorAll("details[open]")].map((entry) => entry.dataset.key));
    this.list.replaceChildren(...entries.map((entry) => entry.draw()));
    for (const entry of this.list.querySelectorAll("details")) entry.open = open.has(entry.dataset.key);
  }
}

function entry(kind, at, bot, name, state, good, detail) {
  return h("li", { class: `entry ${kind}`, "data-testid": "underneath-entry" },
    h("details", { "data-key": `${at} ${name}` },
      h("summary", {},
        h("span", { class: `arrow ${kind}`, "aria-hidden": "true" }, kind === "to" ? "→" : "←"),
        h("b", {}, name),
        h("span", { class: `state ${good ? "good" : "bad"}` }, state),
        h("small", {}, `@${bot} · ${timeOf(Date.parse(at) / 1000)}`)),
      h("pre", {}, detail)));
}

function drawDelivery(delivery) {
  const { at, bot, kind, update_id, attempt, queue, answer } = delivery;
  const state = String(answer.Ok ?? answer.Err);
  const good = answer.Ok >= 200 && answer.Ok < 300;
  const again = attempt > 1 ? ` (attempt ${attempt})` : "";
  return entry("to", at, bot, kind + again, state, good, `update ${update_id}\nqueue ${queue}\nattempt ${attempt}`);
}

function drawCall(call) {
  const { at, bot, method, fields, outcome } = call;
  const status = outcome ? outcome.status || "cut" : "…";
  const detail = JSON.stringify(fields, null, 2) + (outcome?.description ? `\n\n${outcome.description}` : "");
  return entry("from", at, bot, method, String(status), status === 200, detail);
}
