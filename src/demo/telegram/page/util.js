// Small helpers that every part of the page uses.

/** Makes an element: `h("b", { class: "x", onclick }, "text", child)`. Text is never read as HTML. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Makes these the children of an element, and touches nothing when they are already. */
export function fill(element, children) {
  const same = children.length === element.childNodes.length && children.every((child, at) => child === element.childNodes[at]);
  if (!same) element.replaceChildren(...children);
}

async function answerOf(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error ?? `${response.status} ${response.statusText}`);
  return body;
}

export const get = async (path) => answerOf(await fetch(path));

export const post = async (path, body) =>
  answerOf(await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  }));

/** "09:05" of seconds since 1970. */
export const timeOf = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });

/** "Monday, 3 May 2027" of seconds since 1970, in the language of a locale. */
export const dayOf = (seconds, locale) =>
  new Date(seconds * 1000).toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

export function sizeOf(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

const SIGNS = {
  link: "M7 17 17 7M9 7h8v8",
  copy: "M9 9h10v10H9zM5 15V5h10",
  star: "M12 4l2.4 5.2 5.6.6-4.2 3.8 1.2 5.6L12 16.4 7 19.2l1.2-5.6L4 9.8l5.6-.6z",
  beside: "M4 5h16v14H4zM12 5v14",
  close: "M6 6l12 12M18 6L6 18",
  block: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM5.6 5.6l12.8 12.8",
  send: "M4 12l16-8-6 17-3-7z",
  menu: "M4 7h16M4 12h16M4 17h16",
  back: "M15 5l-7 7 7 7",
  down: "M6 9l6 7 6-7",
  theme: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z",
  underneath: "M4 8h13l-3-3M20 16H7l3 3",
};

/** A small drawing, the same on every machine, whatever its fonts. */
export function sign(name) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("class", `sign sign-${name}`);
  drawing.setAttribute("aria-hidden", "true");
  path.setAttribute("d", SIGNS[name]);
  drawing.append(path);
  return drawing;
}

/** A round picture with initials; its colour comes from the id. */
export function avatar(name, id, extra = "") {
  const initials = [...name.trim()].slice(0, 1).join("").toUpperCase() || "?";
  return h("span", { class: `avatar tint-${Math.abs(Number(id)) % 7} ${extra}`, "aria-hidden": "true" }, initials);
}

export function botAvatar(extra = "") {
  const picture = h("span", { class: `avatar bot ${extra}`, "aria-hidden": "true" });
  picture.innerHTML = '<svg viewBox="0 0 32 32"><path d="M16 5l9 4v7c0 6-4 9.5-9 11-5-1.5-9-5-9-11V9z"/></svg>';
  return picture;
}

export const LANGUAGES = [["es", "Español"], ["en", "English"], ["ru", "Русский"], ["pt", "Português"], ["", "none"]];

/** The options of a language menu; a language that is not in the list is added to it. */
export function languageOptions(chosen) {
  const known = LANGUAGES.some(([code]) => code === chosen);
  return (known ? LANGUAGES : [...LANGUAGES, [chosen, chosen]])
    .map(([code, name]) => h("option", { value: code, selected: code === chosen }, name));
}
