// What comes up over the chats: short notes, alerts, the payment sheet, pictures.

import { dayOf, h, timeOf } from "./util.js";

/** A note that passes by, over the page or inside `place`. */
export function toast(text, place = document.getElementById("toasts")) {
  const note = h("div", { class: "toast", role: "status", "data-testid": "toast" }, text);
  place.append(note);
  setTimeout(() => note.classList.add("gone"), 3200);
  setTimeout(() => note.remove(), 3600);
}

/** Opens a window over the page; it closes with Escape, a click beside it, or its buttons. */
function sheet(testid, ...children) {
  const window = h("dialog", { class: "sheet", "data-testid": testid }, ...children);
  window.addEventListener("click", (event) => { if (event.target === window) window.close(); });
  window.addEventListener("close", () => window.remove());
  document.body.append(window);
  window.showModal();
  return window;
}

/** A text that has to be closed. */
export function alert(text) {
  const window = sheet("alert",
    h("p", { class: "alert-text" }, text),
    h("div", { class: "actions" },
      h("button", { class: "flat", "data-testid": "alert-ok", autofocus: true, onclick: () => window.close() }, "OK")));
}

/** Asks whether to pay; `pay` does it and its failure is shown in the sheet. */
export function confirmPayment({ invoice, bot, stars, pay, toast }) {
  const trouble = h("p", { class: "trouble", "data-testid": "pay-error", hidden: true });
  const button = h("button", { class: "primary", "data-testid": "pay-confirm", autofocus: true },
    `Confirm and pay ⭐ ${invoice.amount}`);
  const window = sheet("pay-sheet",
    h("div", { class: "star", "aria-hidden": "true" }, "⭐"),
    h("h2", {}, "Confirm your purchase"),
    h("p", {}, "Do you want to buy ", h("b", {}, invoice.title), " from ", h("b", {}, bot), ` for ${invoice.amount} Stars?`),
    h("p", { class: "quiet", "data-testid": "pay-balance" }, `Your balance: ⭐ ${stars}`),
    trouble,
    h("div", { class: "actions" },
      button,
      h("button", { class: "flat", "data-testid": "pay-cancel", onclick: () => window.close() }, "Cancel")));
  button.addEventListener("click", async () => {
    button.disabled = true;
    button.classList.add("busy");
    try {
      await pay();
      window.close();
      toast(`⭐ Paid: ${invoice.title}`);
    } catch (error) {
      trouble.textContent = error.message;
      trouble.hidden = false;
      button.disabled = false;
      button.classList.remove("busy");
    }
  });
}

/** What was paid, when, and the number that support asks for. */
export function receipt(message, title) {
  const payment = message.paid ?? message.refunded;
  const row = (name, value) => [h("dt", {}, name), h("dd", {}, value)];
  const window = sheet("receipt",
    h("div", { class: "star", "aria-hidden": "true" }, "⭐"),
    h("h2", {}, message.paid ? "Receipt" : "Refund"),
    h("dl", {},
      title && row("Product", title),
      row("Amount", `${payment.amount} Stars`),
      row("Date", `${dayOf(message.date)}, ${timeOf(message.date)}`),
      row("Transaction", h("code", {}, payment.charge_id))),
    h("div", { class: "actions" },
      h("button", { class: "flat", "data-testid": "receipt-close", onclick: () => window.close() }, "Close")));
}

/** A picture as large as the window. */
export function enlarge(photo) {
  const window = sheet("picture", h("img", { src: photo.path, alt: photo.name }));
  window.classList.add("picture");
  window.querySelector("img").addEventListener("click", () => window.close());
}
