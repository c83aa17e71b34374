// A column: one person's app with the chat of one bot.

import { drawMessage } from "./message.js";
import * as sheets from "./sheets.js";
import { avatar, botAvatar, dayOf, fill, get, h, languageOptions, post, sign } from "./util.js";
import { wordsOf } from "./words.js";

const BOT_SIGNS = { client: "💬", support: "🛟", admin: "🛠" };

const signOf = (bot) => Object.entries(BOT_SIGNS).find(([word]) => bot.includes(word))?.[1] ?? "💬";

export class Column {
  /** `page` gives { state, count, back, close, seen, choose } of the whole page. */
  constructor(person, bot, page) {
    Object.assign(this, { person, bot, page, drawn: new Map(), days: new Map(), asked: 0, data: null });
    this.build();
  }

  get path() {
    return `/_demo/chats/${encodeURIComponent(this.bot)}/${this.person}`;
  }

  get who() {
    return this.page.state().people.find((person) => person.id === this.person);
  }

  /** What the app of this person says of itself. */
  get words() {
    return wordsOf(this.who?.language_code);
  }

  build() {
    this.head = h("header", { class: "chat-head" });
    this.status = h("small", { "data-testid": "status" });
    this.list = h("div", { class: "messages", "data-testid": "messages" });
    this.scroller = h("div", { class: "scroller" }, this.list);
    this.foot = h("div", { class: "foot" });
    this.down = h("button", { class: "down", hidden: true, onclick: () => this.toEnd(true) }, sign("down"));
    this.toasts = h("div", { class: "toasts", "aria-live": "polite" });
    this.element = h("section", { class: "column", "data-testid": "column", "data-person": this.person, "data-bot": this.bot },
      this.head, h("div", { class: "stage" }, this.scroller, this.down, this.toasts), this.foot);
    this.scroller.addEventListener("scroll", () => { this.ending = this.atEnd(); this.down.hidden = this.ending; });
    // Whoever reads the newest message goes on reading it when the column becomes narrower or lower.
    new ResizeObserver(() => { if (this.ending) this.toEnd(); }).observe(this.scroller);
    this.buildComposer();
  }

  buildComposer() {
    this.input = h("textarea", {
      rows: 1, maxlength: 4096, "data-testid": "composer-input",
      oninput: () => this.fit(),
      onkeydown: (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.send(); }
      },
    });
    this.menuButton = h("button", { type: "button", class: "menu-button", "data-testid": "commands-button", onclick: () => this.toggleMenu() },
      sign("menu"), h("span", { class: "word" }));
    this.menu = h("div", { class: "commands", "data-testid": "commands", hidden: true });
    this.sendButton = h("button", { class: "send", "data-testid": "send" }, sign("send"));
    this.composer = h("form", { class: "composer", onsubmit: (event) => { event.preventDefault(); this.send(); } },
      this.menuButton, this.input, this.sendButton);
  }

  fit() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 160)}px`;
    const words = this.input.value;
    if (words === "/") this.toggleMenu(true);
    else if (!words.startsWith("/")) this.toggleMenu(false);
  }

  toggleMenu(open = this.menu.hidden) {
    this.menu.hidden = !open || !this.menu.childElementCount;
    this.menuButton.classList.toggle("open", !this.menu.hidden);
  }

  send() {
    const text = this.input.value;
    if (!text.trim()) return;
    this.input.value = "";
    this.fit();
    this.say(text);
  }

  async say(text) {
    this.toggleMenu(false);
    await this.attempt(() => post(`${this.path}/text`, { text }));
    this.toEnd();
  }

  toast(text) {
    sheets.toast(text, this.toasts);
  }

  async attempt(work) {
    try {
      return await work();
    } catch (error) {
      this.toast(error.message);
    }
  }

  /** Asks for the chat and draws what is new; an older answer never overwrites a newer one. */
  async refresh() {
    const turn = ++this.asked;
    const data = await this.attempt(() => get(this.path));
    if (!data || turn !== this.asked) return;
    const first = this.data === null;
    this.data = data;
    this.draw(first);
  }

  draw(first) {
    const { chat } = this.data;
    const stay = first || this.atEnd();
    this.drawWords();
    this.drawHead();
    this.drawMessages(chat);
    this.drawFoot(chat);
    this.page.seen(this.person, this.bot, chat.messages.filter((message) => message.from_bot).length);
    if (stay) this.toEnd();
    else this.down.hidden = false;
  }

  /** Everything that is drawn once changes its language with the app. */
  drawWords() {
    const { words } = this;
    if (words === this.spoken) return;
    this.spoken = words;
    this.drawn = new Map();
    this.days = new Map();
    this.mode = null;
    this.input.placeholder = words.message;
    this.input.setAttribute("aria-label", words.message);
    this.menuButton.querySelector(".word").textContent = words.menu;
    this.sendButton.setAttribute("aria-label", words.send);
    this.down.setAttribute("aria-label", words.newest);
  }

  drawHead() {
    const who = this.who;
    if (!who) return;
    const { chat, name } = this.data;
    const key = JSON.stringify([who.first_name, who.language_code, who.stars, name, chat.blocked, this.page.state().bots, this.page.count()]);
    if (key !== this.headKey) this.head.replaceChildren(this.drawPhone(who, chat), this.drawTitle(name));
    this.headKey = key;
    this.status.className = chat.typing ? "typing" : "";
    this.status.textContent = chat.typing ? this.words.typing : `@${this.bot}`;
  }

  drawPhone(who, chat) {
    const { words } = this;
    const language = h("select", {
      class: "language", "data-testid": "language", title: words.language, "aria-label": words.language,
      onchange: (event) => this.changeLanguage(event.target.value),
    }, languageOptions(who.language_code));
    const blocking = chat.blocked ? words.unblock : words.block;
    const block = h("button", {
      class: "icon small", "data-testid": "block", "aria-pressed": String(chat.blocked), title: blocking, "aria-label": blocking,
      onclick: () => this.attempt(() => post(`${this.path}/blocked`, { blocked: !this.data.chat.blocked })),
    }, sign("block"));
    const several = this.page.count() > 1;
    return h("div", { class: "phone" },
      avatar(who.first_name, who.id, "tiny"),
      h("b", { class: "owner" }, who.first_name),
      h("span", { class: "stars", title: words.starsLeft, "data-testid": "stars" }, `⭐ ${who.stars}`),
      language, block,
      several && h("button", { class: "icon small close", "data-testid": "close-column", title: words.close, "aria-label": words.close, onclick: () => this.page.close(this) }, sign("close")));
  }

  async changeLanguage(code) {
    await this.attempt(() => post(`/_demo/people/${this.person}/language`, { language_code: code }));
    if (this.data.chat.opened) this.toast(wordsOf(code).languageOfBot);
  }

  drawTitle(name) {
    const tabs = this.page.state().bots.map(({ username }) => h("button", {
      class: "tab", "data-testid": `bot-${username}`, "aria-pressed": String(username === this.bot), title: `@${username}`, "aria-label": `@${username}`,
      onclick: () => this.page.choose(this, username),
    }, signOf(username)));
    return h("div", { class: "title-bar" },
      h("button", { class: "icon back", "data-testid": "back", "aria-label": this.words.back, onclick: () => this.page.back() }, sign("back")),
      botAvatar(),
      h("div", { class: "title" }, h("h2", {}, name), this.status),
      tabs.length > 1 && h("div", { class: "tabs", role: "group", "aria-label": "Bots" }, tabs));
  }

  /** Keeps the elements of messages that did not change. */
  drawMessages(chat) {
    const does = this.actions();
    const days = new Map();
    const kept = new Map();
    for (const message of chat.messages) {
      const date = dayOf(message.date, this.words.locale);
      if (!days.has(date)) days.set(date, []);
      const key = JSON.stringify(message);
      const old = this.drawn.get(message.id);
      const element = old?.key === key ? old.element : drawMessage(message, chat, does);
      if (!old && this.drawn.size) element.classList.add("fresh");
      kept.set(message.id, { key, element });
      days.get(date).push(element);
    }
    this.drawn = kept;
    const groups = [...days].map(([date, elements]) => this.drawDay(date, elements));
    fill(this.list, groups.length ? groups : [this.drawWelcome()]);
  }

  /** The messages of a day, under its date, which stays in sight until the next day begins. */
  drawDay(date, elements) {
    if (!this.days.has(date)) {
      const head = h("div", { class: "day" }, h("span", { class: "pill" }, date));
      this.days.set(date, { head, group: h("div", { class: "group" }) });
    }
    const { head, group } = this.days.get(date);
    fill(group, [head, ...elements]);
    return group;
  }

  drawWelcome() {
    const { name, description } = this.data;
    return h("div", { class: "welcome", "data-testid": "welcome" }, botAvatar("large"), h("h3", {}, name),
      h("p", { dir: "auto" }, description ?? this.words.nothing));
  }

  drawFoot(chat) {
    const commands = this.data.commands;
    const key = JSON.stringify(commands);
    if (key !== this.menuKey) {
      this.menuKey = key;
      this.menu.replaceChildren(...commands.map(({ command, description }) =>
        h("button", { "data-testid": `command-${command}`, onclick: () => this.say(`/${command}`) },
          h("b", {}, `/${command}`), h("span", {}, description))));
      this.menuButton.hidden = !commands.length;
    }
    const mode = chat.blocked ? "restart" : chat.opened ? "write" : "start";
    if (mode === this.mode) return;
    this.mode = mode;
    if (mode === "write") {
      this.foot.replaceChildren(this.menu, this.composer);
    } else {
      this.foot.replaceChildren(h("button", { class: "start", "data-testid": "start", onclick: () => this.start() },
        mode === "start" ? this.words.start : this.words.restart));
    }
  }

  start() {
    this.say("/start");
  }

  actions() {
    return {
      words: this.words,
      say: (text) => this.say(text),
      copy: async (text) => {
        // Without a secure origin there is no clipboard; what would be copied is shown instead.
        const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
        this.toast(copied ? this.words.copied : text);
      },
      enlarge: sheets.enlarge,
      open: (url, event) => this.open(url, event),
      press: (message, row, column, button) => this.press(message, row, column, button),
      pay: (message) => this.pay(message),
      receipt: (message) => this.receipt(message, this.titleOf(message)),
    };
  }

  /** Addresses open in a new tab, but those that Telegram itself opens: a bot, also with a deep link, and an invoice. */
  open(url, event) {
    event?.preventDefault();
    const [, name, payload] = /^https:\/\/t\.me\/(\w+)(?:\?start=([\w-]+))?$/.exec(url) ?? [];
    if (this.page.state().bots.some(({ username }) => username === name)) {
      this.page.choose(this, name)?.visited(payload);
    } else if (/^https:\/\/t\.me\/\$/.test(url)) {
      this.confirm({ title: this.words.invoice, amount: "" }, { link: url });
    } else {
      window.open(url, "_blank", "noopener");
    }
  }

  /** Somebody came here by a link. */
  visited(payload) {
    if (payload) this.say(`/start ${payload}`);
  }

  async press(message, row, column, button) {
    if (button.classList.contains("busy")) return;
    button.classList.add("busy");
    const pressed = await this.attempt(() => post(`${this.path}/press`, { message_id: message.id, row, column }));
    button.classList.remove("busy");
    const answer = pressed?.answer;
    if (answer?.text) answer.show_alert ? sheets.alert(answer.text, this.element) : this.toast(answer.text);
    if (answer?.url) this.open(answer.url);
  }

  pay(message) {
    if (message.invoice.paid) {
      const paid = this.data.chat.messages.find((other) => other.paid?.payload === message.invoice.payload);
      if (paid) this.receipt(paid, message.invoice.title);
      return;
    }
    this.confirm(message.invoice, { message_id: message.id });
  }

  confirm(invoice, bill) {
    const pay = () => post(`${this.path}/pay`, bill);
    const toast = (text) => this.toast(text);
    sheets.confirmPayment({ invoice, bot: this.data.name, stars: this.who.stars, words: this.words, place: this.element, pay, toast });
  }

  receipt(message, title) {
    sheets.receipt(message, title, this.words, this.element);
  }

  titleOf(message) {
    const payload = (message.paid ?? message.refunded).payload;
    return this.data.chat.messages.find((other) => other.invoice?.payload === payload)?.invoice.title;
  }

  atEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < 80;
  }

  toEnd(smooth = false) {
    requestAnimationFrame(() => this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: smooth ? "smooth" : "instant" }));
  }
}
