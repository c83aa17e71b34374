// The page: who is there, which chats are open side by side, the clock.

import { Column } from "./chat.js";
import { toast } from "./sheets.js";
import { Underneath } from "./underneath.js";
import { avatar, fill, get, h, languageOptions, post, sign, timeOf } from "./util.js";

const JUMPS = [["+1 hour", 3600, "1h"], ["+1 day", 86400, "1d"], ["+3 days", 3 * 86400, "3d"], ["+30 days", 30 * 86400, "30d"]];
const MOST_COLUMNS = 3;

const app = document.getElementById("app");
const underneath = new Underneath(document.getElementById("underneath"));
let state = { now: 0, bots: [], people: [] };
let stateTaken = 0;
let columns = [];
const entriesDrawn = new Map();
/** Messages of bots that were on screen, by person and bot; kept when the page is loaded anew. */
const seen = new Map(JSON.parse(sessionStorage.getItem("seen") ?? "[]"));

const page = {
  state: () => state,
  count: () => columns.length,
  back: () => app.classList.remove("in-chat"),
  close: (column) => { columns = columns.filter((other) => other !== column); arrange(); },
  choose: (column, bot) => open(column.person, bot, column),
  seen: (person, bot, count) => {
    seen.set(`${person}:${bot}`, count);
    sessionStorage.setItem("seen", JSON.stringify([...seen]));
    drawPeople();
  },
};

/** Messages of a chat that were not on screen yet. Fewer than were seen: the demo was started anew. */
function unreadIn(person, { bot, received }) {
  const before = seen.get(`${person.id}:${bot}`) ?? 0;
  return before > received ? received : received - before;
}

/** Opens a chat in the place of `instead`, or beside the others when that is null; gives its column. */
function open(person, bot = state.bots[0]?.username, instead = columns.at(-1) ?? null) {
  if (!bot) return;
  app.classList.add("in-chat");
  const there = columns.find((column) => column.person === person && column.bot === bot);
  if (there) return there;
  const column = new Column(person, bot, page);
  if (instead) columns = columns.map((other) => (other === instead ? column : other));
  else columns = [...columns, column].slice(-MOST_COLUMNS);
  arrange();
  column.refresh();
  return column;
}

function arrange() {
  document.getElementById("columns").replaceChildren(...columns.map((column) => column.element));
  app.style.setProperty("--columns", Math.max(columns.length, 1));
  location.replace(`#${columns.map((column) => `${column.person}:${column.bot}`).join(",")}`);
  for (const column of columns) if (column.data) column.draw(false);
  drawPeople();
}

/** Keeps the entries that did not change: one that is being pressed must not vanish under the finger. */
function drawPeople() {
  const entries = state.people.map((person) => {
    const unread = person.chats.map((chat) => unreadIn(person, chat));
    const key = JSON.stringify([person, unread, columns.map((column) => column.person)]);
    const old = entriesDrawn.get(person.id);
    const entry = old?.key === key ? old : { key, element: drawPerson(person) };
    entriesDrawn.set(person.id, entry);
    return entry.element;
  });
  fill(document.getElementById("people"), entries);
}

function drawPerson(person) {
  const spoken = person.chats.filter((chat) => chat.last).sort((one, other) => other.last.date - one.last.date);
  const last = spoken[0]?.last;
  const unread = person.chats.reduce((sum, chat) => sum + unreadIn(person, chat), 0);
  const shown = columns.some((column) => column.person === person.id);
  const preferred = (spoken.find((chat) => unreadIn(person, chat) > 0) ?? spoken[0])?.bot;
  return h("div", { class: `person ${shown ? "shown" : ""}`, "data-testid": "person", "data-person": person.id },
    h("button", { class: "entry", "data-testid": `person-${person.id}`, onclick: () => open(person.id, preferred) },
      avatar(person.first_name, person.id),
      h("span", { class: "about" },
        h("span", { class: "line" }, h("b", {}, person.first_name), h("span", { class: "tag" }, person.language_code || "–"),
          last && h("time", {}, timeOf(last.date))),
        h("span", { class: "line last" },
          h("span", { class: "words" }, last ? (last.from_bot ? "" : "You: ") + (last.text ?? "") : "has not started yet"),
          unread > 0 && h("span", { class: "unread", "data-testid": "unread" }, unread)))),
    h("button", { class: "icon small beside", title: "Open beside", "aria-label": "Open beside", "data-testid": `beside-${person.id}`,
      onclick: () => open(person.id, preferred, columns.length < MOST_COLUMNS ? null : columns.at(-1)) }, sign("beside")));
}

function drawClock() {
  const now = new Date((state.now + (performance.now() - stateTaken) / 1000) * 1000);
  document.getElementById("now").textContent =
    now.toLocaleString("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

function buildSide() {
  document.getElementById("theme").append(sign("theme"));
  document.getElementById("underneath-toggle").append(sign("underneath"));
  document.getElementById("jumps").append(...JUMPS.map(([label, seconds, name]) => h("button", {
    "data-testid": `forward-${name}`, title: "Moves the clock of the server",
    onclick: async (event) => {
      const button = event.currentTarget;
      button.disabled = true;
      await post("/_demo/clock", { seconds }).then(() => toast(`🕑 ${label}`), (error) => toast(error.message));
      button.disabled = false;
    },
  }, label)));
  const newcomer = document.getElementById("newcomer");
  newcomer.elements.language_code.append(...languageOptions("es"));
  newcomer.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { first_name, language_code } = newcomer.elements;
    try {
      const { id } = await post("/_demo/people", { first_name: first_name.value, language_code: language_code.value });
      first_name.value = "";
      await refresh();
      open(id);
    } catch (error) {
      toast(error.message);
    }
  });
  document.getElementById("underneath-toggle").addEventListener("click", () => underneath.toggle());
  const tour = document.getElementById("tour");
  tour.hidden = localStorage.getItem("tour") === "done";
  document.getElementById("tour-close").append(sign("close"));
  document.getElementById("tour-close").addEventListener("click", () => {
    tour.hidden = true;
    localStorage.setItem("tour", "done");
  });
  document.getElementById("theme").addEventListener("click", () => {
    const chosen = document.documentElement.dataset.theme;
    const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    paint(dark ? "light" : "dark");
  });
}

function paint(theme) {
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
}

async function refresh() {
  state = await get("/_demo/state");
  stateTaken = performance.now();
  drawClock();
  drawPeople();
  await Promise.all([...columns.map((column) => column.refresh()), underneath.refresh()]);
}

/** Refreshes after every change, but never twice at a time. */
function follow() {
  let running = false;
  let again = false;
  const run = async () => {
    if (running) { again = true; return; }
    running = true;
    do {
      again = false;
      await refresh().catch(() => {});
    } while (again);
    running = false;
  };
  const events = new EventSource("/_demo/events");
  events.onmessage = run;
  events.onopen = () => { app.classList.remove("offline"); run(); };
  events.onerror = () => app.classList.add("offline");
}

async function begin() {
  const wishes = new URLSearchParams(location.search);
  const theme = wishes.get("theme") ?? localStorage.getItem("theme");
  if (theme) paint(theme);
  buildSide();
  await refresh();
  const asked = decodeURIComponent(location.hash.slice(1)).split(",").filter(Boolean).map((part) => part.split(":"));
  for (const [person, bot] of asked) open(Number(person), bot, null);
  if (!columns.length && state.people.length) {
    open(state.people[0].id);
    // On a phone the list of people comes first.
    page.back();
  }
  if (wishes.has("underneath")) underneath.show(true);
  setInterval(drawClock, 1000);
  follow();
}

begin();
