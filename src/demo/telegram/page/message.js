// Drawing a message as Telegram does.

import { h, sign, sizeOf, timeOf } from "./util.js";

const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre", spoiler: "span",
  text_link: "a", url: "a", email: "a", mention: "a", text_mention: "a", bot_command: "a",
  blockquote: "blockquote", expandable_blockquote: "blockquote", custom_emoji: "span",
};

/** Text with its entities; offsets count UTF-16 units, as JavaScript does. */
export function formatted(text, entities, does) {
  const draw = (from, to, left) => {
    const nodes = [];
    let at = from;
    while (left.length) {
      const entity = left[0];
      const end = Math.min(entity.offset + entity.length, to);
      const inside = left.slice(1).filter((other) => other.offset < end);
      left = left.slice(1).filter((other) => other.offset >= end);
      if (entity.offset > at) nodes.push(text.slice(at, entity.offset));
      nodes.push(wrap(entity, text.slice(entity.offset, end), draw(entity.offset, end, inside), does));
      at = end;
    }
    if (at < to) nodes.push(text.slice(at, to));
    return joined(nodes);
  };
  return draw(0, text.length, entities);
}

/** A quotation or a listing stands on lines of its own: the line break next to it is already there. */
function joined(nodes) {
  const isBlock = (node) => node instanceof HTMLElement && ["PRE", "BLOCKQUOTE"].includes(node.tagName);
  return nodes.map((node, at) => {
    if (typeof node !== "string") return node;
    const start = isBlock(nodes[at - 1]) && node.startsWith("\n") ? 1 : 0;
    const end = isBlock(nodes[at + 1]) && node.endsWith("\n") && node.length > start ? -1 : undefined;
    return node.slice(start, end);
  });
}

function wrap(entity, plain, children, does) {
  const properties = { class: entity.type.replaceAll("_", "-") };
  if (entity.type === "text_link" || entity.type === "url") {
    const address = entity.url ?? (plain.includes("://") ? plain : `https://${plain}`);
    Object.assign(properties, { href: address, target: "_blank", rel: "noopener" });
    properties.onclick = (event) => does.open(address, event);
  } else if (entity.type === "bot_command") {
    Object.assign(properties, { href: "#", "data-testid": "command-link" });
    properties.onclick = (event) => { event.preventDefault(); does.say(plain); };
  } else if (entity.type === "code" || entity.type === "pre") {
    properties.title = does.words.copy;
    properties.onclick = () => does.copy(plain);
    if (entity.language) properties["data-language"] = entity.language;
  } else if (entity.type === "spoiler") {
    properties.onclick = (event) => event.currentTarget.classList.add("shown");
  } else if (entity.type === "expandable_blockquote") {
    properties.onclick = (event) => event.currentTarget.classList.toggle("shown");
  }
  return h(TAGS[entity.type] ?? "span", properties, children);
}

/** A whole message with its buttons. `chat` is the view it belongs to. */
export function drawMessage(message, chat, does) {
  if (message.paid || message.refunded) return drawService(message, does);
  const side = message.from_bot ? "in" : "out";
  const body = h("div", { class: "bubble" });
  const replied = message.reply_to && chat.messages.find((other) => other.id === message.reply_to);
  if (replied) body.append(h("div", { class: "reply" }, replied.text.split("\n")[0] || does.words.message));
  if (message.forwarded) body.append(h("div", { class: "forwarded" }, does.words.forwarded));
  if (message.photo) body.append(drawPhoto(message.photo, does));
  if (message.document) body.append(drawDocument(message.document, does.words));
  if (message.invoice) body.append(drawInvoice(message.invoice, does.words));
  if (message.text) body.append(h("div", { class: "text", dir: "auto" }, formatted(message.text, message.entities, does)));
  body.append(drawMeta(message, does.words));
  const classes = ["message", side, message.photo && "with-photo", message.photo && !message.text && "bare"];
  return h("article", {
    class: classes.filter(Boolean).join(" "),
    "data-testid": "message",
    "data-message-id": message.id,
    "data-from": message.from_bot ? "bot" : "person",
  }, body, drawKeyboard(message, does));
}

function drawMeta(message, words) {
  const edited = message.edited && h("span", { "data-testid": "edited" }, words.edited);
  const ticks = !message.from_bot && h("span", { class: "ticks", "aria-label": words.read }, "✓✓");
  return h("footer", { class: "meta" }, edited, h("time", {}, timeOf(message.date)), ticks);
}

function drawPhoto(photo, does) {
  const [width, height] = photo.pixels ?? [320, 320];
  const picture = h("img", { src: photo.path, alt: photo.name, width, height, "data-testid": "photo" });
  return h("button", { class: "photo", title: does.words.enlarge, onclick: () => does.enlarge(photo) }, picture);
}

function drawDocument(file, words) {
  const kind = file.name.includes(".") ? file.name.split(".").pop().slice(0, 4) : "file";
  return h("a", { class: "document", href: file.path, download: file.name, "data-testid": "document" },
    h("span", { class: "kind", "aria-hidden": "true" }, kind),
    h("span", { class: "about" }, h("b", {}, file.name), h("small", {}, `${sizeOf(file.size)} · ${words.download}`)));
}

function drawInvoice(invoice, words) {
  return h("div", { class: "invoice", "data-testid": "invoice" },
    h("b", {}, invoice.title),
    h("p", {}, invoice.description),
    h("span", { class: "price" }, "⭐ ", invoice.amount, h("small", {}, ` ${invoice.paid ? words.paid : words.stars}`)));
}

function drawService(message, does) {
  const payment = message.paid ?? message.refunded;
  const text = message.paid ? does.words.youPaid(payment.amount) : does.words.youGotBack(payment.amount);
  return h("article", { class: "message service", "data-testid": "message", "data-message-id": message.id },
    h("button", {
      class: "pill",
      "data-testid": message.paid ? "receipt-message" : "refund-message",
      onclick: () => does.receipt(message),
    }, text));
}

function drawKeyboard(message, does) {
  if (!message.keyboard.length) return null;
  return h("div", { class: "keyboard", "data-testid": "keyboard" }, message.keyboard.map((buttons, row) =>
    h("div", { class: "row" }, buttons.map((button, column) => drawButton(message, button, row, column, does)))));
}

function drawButton(message, button, row, column, does) {
  const properties = { "data-testid": "inline-button", "data-row": row, "data-column": column };
  let mark = null;
  if (button.callback_data !== undefined) {
    properties["data-callback"] = button.callback_data;
    properties.onclick = (event) => does.press(message, row, column, event.currentTarget);
  } else if (button.url !== undefined) {
    mark = "link";
    properties["data-url"] = button.url;
    properties.onclick = (event) => does.open(button.url, event);
  } else if (button.copy_text !== undefined) {
    mark = "copy";
    properties["data-copy"] = button.copy_text;
    properties.onclick = () => does.copy(button.copy_text);
  } else {
    mark = "star";
    properties["data-testid"] = "pay-button";
    properties.onclick = () => does.pay(message);
  }
  return h("button", properties, h("span", { class: "label" }, labelOf(button, message.invoice, does.words)), mark && sign(mark));
}

/** A Pay button that the bot gave no words of its own speaks the language of the app. */
function labelOf(button, invoice, words) {
  if (!button.pay || !invoice) return button.text;
  if (invoice.paid) return words.receipt;
  return button.text === `Pay ⭐️${invoice.amount}` ? words.pay(invoice.amount) : button.text;
}
