// What comes up over the chats: short notes, alerts, the payment sheet, pictures.

import { dayOf, h, timeOf } from "./util.js";

/** A note that passes by, over the page or inside `place`. */
export function toast(text, place = document.getElementById("toasts")) {
  const note = h("div", { class: "toast", role: "status", "data-testid": "toast" }, text);
  place.append(note);
  setTimeout(() => note.classList.add("gone"), 3200);
  setTimeout(() => note.remove(), 3600);
}

/** Opens a window over the middle of `place`; it closes with Escape, a click beside it, or its buttons. */
function sheet(testid, place, ...children) {
  const window = h("dialog", { class: "sheet", "data-testid": testid }, ...children);
  const { left, width } = place.getBoundingClientRect();
  window.style.setProperty("--middle", `${left + width / 2}px`);
  window.addEventListener("click", (event) => { if (event.target === window) window.close(); });
  window.addEventListener("close", () => window.remove());
  document.body.append(window);
  window.showModal();
  return window;
}

/** A text that has to be closed. */
export function alert(text, place) {
  const window = sheet("alert", place,
    h("p", { class: "alert-text" }, text),
    h("div", { class: "actions" },
      h("button", { class: "flat", "data-testid": "alert-ok", autofocus: true, onclick: () => window.close() }, "OK")));
}

/** Asks whether to pay; `pay` does it and its failure is shown in the sheet. */
export function confirmPayment({ invoice, bot, stars, words, place, pay, toast }) {
  const missing = invoice.amount - stars;
  const trouble = h("p", { class: "trouble", "data-testid": "pay-error", hidden: !(missing > 0) }, words.missing(missing));
  const button = h("button", { class: "primary", "data-testid": "pay-confirm", autofocus: true, disabled: missing > 0 },
    words.confirm(invoice.amount));
  const window = sheet("pay-sheet", place,
    h("div", { class: "star", "aria-hidden": "true" }, "⭐"),
    h("h2", {}, words.purchase),
    h("p", {}, words.question(h("b", {}, invoice.title), h("b", {}, bot), invoice.amount)),
    h("p", { class: "quiet", "data-testid": "pay-balance" }, words.balance(stars)),
    trouble,
    h("div", { class: "actions" },
      button,
      h("button", { class: "flat", "data-testid": "pay-cancel", onclick: () => window.close() }, words.cancel)));
  button.addEventListener("click", async () => {
    button.disabled = true;
    button.classList.add("busy");
    try {
      await pay();
      window.close();
      toast(words.done(invoice.title));
    } catch (error) {
      trouble.textContent = error.message;
      trouble.hidden = false;
      button.disabled = false;
      button.classList.remove("busy");
    }
  });
}

/** What was paid, when, and the number that support asks for. */
export function receipt(message, title, words, place) {
  const payment = message.paid ?? message.refunded;
  const row = (name, value) => [h("dt", {}, name), h("dd", {}, value)];
  const window = sheet("receipt", place,
    h("div", { class: "star", "aria-hidden": "true" }, "⭐"),
    h("h2", {}, message.paid ? words.receipt : words.refund),
    h("dl", {},
      title && row(words.product, title),
      row(words.amount, `⭐ ${payment.amount}`),
      row(words.date, `${dayOf(message.date, words.locale)}, ${timeOf(message.date)}`),
      row(words.transaction, h("code", {}, payment.charge_id))),
    h("div", { class: "actions" },
      h("button", { class: "flat", "data-testid": "receipt-close", onclick: () => window.close() }, words.close)));
}

/** A picture as large as the window. */
export function enlarge(photo) {
  const window = sheet("picture", document.body, h("img", { src: photo.path, alt: photo.name }));
  window.classList.add("picture");
  window.querySelector("img").addEventListener("click", () => window.close());
}
