// The command palette: actions, pages and conversations in one list that is narrowed by typing. The input is a combobox
// that owns a listbox; the focus never leaves it. Loaded when it is first opened.

import { call } from "./api.js";
import { count as many } from "./say.js";

const box = document.getElementById("palette");
const input = box.querySelector("input");
const list = document.getElementById("palette-list");
const none = box.querySelector("[data-palette-none]");
const said = box.querySelector("[data-palette-said]");
const words = box.dataset;
const MOST = 60;
const RECENT = 8;
// How long somebody pauses who waits for what the server finds.
const PAUSE = 150;

let entries = [];
let found = [];
let places = null;
let timer = 0;
let asking = null;
let before = null;

/** Opens it with these actions; `how` says how one is done and how its keys are called. */
export async function open(actions, how) {
  before = document.activeElement;
  const commands = actions
    .filter(({ id }) => id !== "palette")
    .map((action) => ({ group: words.commands, name: action.name, hint: how.label(action), run: () => how.run(action) }));
  entries = [...commands, ...menuItems(), ...pageButtons(), ...(places ?? [])];
  found = [];
  input.value = "";
  box.showModal();
  show();
  search();
  if (places) return;
  places = await pages();
  entries = [...entries, ...places];
  if (box.open) show();
}

// What the menu of the open conversation offers.
function menuItems() {
  const opener = document.querySelector("[data-open-conversation]");
  if (!opener || opener.hidden) return [];
  return [...document.querySelectorAll("#conversation-menu [role^=menuitem]")].filter((item) => !item.hidden).map((item) => ({
    group: words.commands,
    name: item.textContent.trim(),
    icon: item.querySelector(".icon"),
    run: () => { opener.click(); item.click(); },
  }));
}

// Buttons of the page itself that carry words; those of lists and messages belong to their rows.
function pageButtons() {
  return [...document.querySelectorAll("main a.button, main button")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled)
    .filter((one) => !one.closest("li, tr, .message, .composer, .copyable, .notice, .asks, dialog, [data-row]"))
    .map((one) => ({ group: words.here, name: one.textContent.trim(), icon: one.querySelector(".icon"), run: () => { one.focus(); one.click(); } }))
    .filter(({ name }) => name.length > 1);
}

async function pages() {
  try {
    const html = await (await call("GET", "/fragments/places", { accept: "text/html" })).text();
    const page = new DOMParser().parseFromString(html, "text/html");
    return [...page.querySelectorAll("[data-places] a")].map((link) => ({
      group: link.closest("[data-places]").dataset.places,
      name: link.querySelector("span").textContent,
      of: link.querySelector("small")?.textContent ?? "",
      icon: link.querySelector(".icon"),
      href: link.getAttribute("href"),
    }));
  } catch {
    return [];
  }
}

/** Conversations by their titles, as the server knows them. */
async function search() {
  const asked = input.value.trim();
  asking?.abort();
  asking = new AbortController();
  try {
    const query = new URLSearchParams({ limit: String(RECENT), ...(asked && { q: asked }) });
    const { items } = await (await call("GET", `/api/v1/conversations?${query}`, { signal: asking.signal })).json();
    found = items.map(({ id, app, title }) => ({
      group: words.conversations,
      name: title || words.untitled,
      app,
      href: `/apps/${encodeURIComponent(app)}/${encodeURIComponent(id)}`,
      always: true,
    }));
    show();
  } catch {
    // Without conversations there are still pages and commands.
  }
}

/**
 * How well `name` fits what was typed, and where: `{ score, at }`, or nothing. Every word has to be in it: as its
 * beginning, at the beginning of a word, somewhere, or letter by letter.
 */
function fit(name, typed) {
  const text = name.toLowerCase();
  const at = new Set();
  let score = 0;
  for (const word of typed) {
    const place = text.indexOf(word);
    if (place >= 0) {
      const begins = place === 0 || /[^\p{L}\p{N}]/u.test(text[place - 1]);
      score += (place === 0 ? 100 : begins ? 80 : 50) + word.length - text.length / 100;
      for (let i = 0; i < word.length; i += 1) at.add(place + i);
      continue;
    }
    let from = 0;
    let gaps = 0;
    const letters = [];
    for (const letter of word) {
      const next = text.indexOf(letter, from);
      if (next < 0) return null;
      gaps += letters.length ? next - from : 0;
      letters.push(next);
      from = next + 1;
    }
    // Letters that lie all over the text were not meant.
    if (word.length < 2 || gaps > word.length * 4) return null;
    score += 20 - gaps;
    for (const one of letters) at.add(one);
  }
  return { score, at };
}

function show() {
  const typed = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = [...entries, ...found]
    .map((entry, order) => {
      const here = fit(entry.name, typed);
      const wide = here ?? fit(`${entry.name} ${entry.of ?? ""}`, typed);
      if (wide) return { entry, order, at: here?.at, score: wide.score };
      return entry.always && { entry, order, score: 0 };
    })
    .filter(Boolean);
  const groups = Map.groupBy?.(fits, ({ entry }) => entry.group) ?? grouped(fits);
  const best = (all) => Math.max(...all.map(({ score }) => score));
  const first = (all) => Math.min(...all.map(({ order }) => order));
  const shown = [...groups.entries()].sort(([, a], [, b]) => typed.length ? best(b) - best(a) : first(a) - first(b));
  // With nothing typed one most likely wants what one had open last.
  if (!typed.length) shown.sort(([a], [b]) => Number(b === words.conversations) - Number(a === words.conversations));
  list.replaceChildren();
  let count = 0;
  for (const [name, all] of shown) {
    if (typed.length) all.sort((a, b) => b.score - a.score || a.order - b.order);
    const group = document.createElement("div");
    group.setAttribute("role", "group");
    const heading = document.createElement("div");
    heading.className = "palette-group";
    heading.id = `palette-group-${list.childElementCount}`;
    heading.setAttribute("role", "presentation");
    heading.textContent = name;
    group.setAttribute("aria-labelledby", heading.id);
    group.append(heading);
    for (const one of all.slice(0, Math.max(0, MOST - count))) {
      count += 1;
      group.append(option(one, count));
    }
    if (group.childElementCount > 1) list.append(group);
  }
  list.hidden = count === 0;
  none.hidden = count > 0;
  input.setAttribute("aria-expanded", String(count > 0));
  said.textContent = many("{count} found|{count} found", count);
  choose(options()[0]);
}

function grouped(fits) {
  const groups = new Map();
  for (const one of fits) groups.set(one.entry.group, [...(groups.get(one.entry.group) ?? []), one]);
  return groups;
}

function option({ entry, at }, number) {
  const row = document.createElement("div");
  row.className = "palette-option";
  row.id = `palette-option-${number}`;
  row.setAttribute("role", "option");
  row.setAttribute("aria-selected", "false");
  if (entry.icon) row.append(entry.icon.cloneNode(true));
  const name = document.createElement("span");
  name.className = "palette-name";
  name.dir = "auto";
  marked(name, entry.name, at);
  row.append(name);
  // Which app it belongs to is known once the pages are.
  const of = entry.of ?? places?.find(({ href }) => href === `/apps/${entry.app}`)?.name;
  for (const [kind, text] of [["small", of], ["kbd", entry.hint]]) {
    if (!text) continue;
    const more = document.createElement(kind);
    more.textContent = text;
    row.append(more);
  }
  row.addEventListener("click", () => take(entry));
  row.addEventListener("pointermove", () => choose(row));
  row.entry = entry;
  return row;
}

// The letters that were typed, marked in what was found.
function marked(place, text, at) {
  let run = "";
  let on = false;
  const end = () => {
    if (!run) return;
    if (on) {
      const mark = document.createElement("mark");
      mark.textContent = run;
      place.append(mark);
    } else {
      place.append(run);
    }
    run = "";
  };
  for (let i = 0; i < text.length; i += 1) {
    const now = Boolean(at?.has(i));
    if (now !== on) end();
    on = now;
    run += text[i];
  }
  end();
}

const options = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => list.querySelector("[aria-selected=true]");

function choose(row) {
  chosen()?.setAttribute("aria-selected", "false");
  row?.setAttribute("aria-selected", "true");
  if (row) input.setAttribute("aria-activedescendant", row.id);
  else input.removeAttribute("aria-activedescendant");
}

function move(event) {
  const all = options();
  const here = all.indexOf(chosen());
  const to = { ArrowDown: here + 1, ArrowUp: here - 1, PageDown: Math.min(here + 8, all.length - 1), PageUp: Math.max(here - 8, 0) }[event.key];
  if (to === undefined || !all.length) return;
  event.preventDefault();
  const row = all.at(to % all.length);
  choose(row);
  row.scrollIntoView({ block: "nearest" });
}

function take(entry) {
  // Closing gives the focus back; what is done then moves it where it belongs.
  box.close();
  if (entry.href) location.assign(entry.href);
  else entry.run();
}

input.addEventListener("input", () => {
  show();
  clearTimeout(timer);
  timer = setTimeout(search, PAUSE);
});
input.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  move(event);
  if (event.key !== "Enter") return;
  event.preventDefault();
  const row = chosen();
  if (row) take(row.entry);
});
box.addEventListener("close", () => {
  clearTimeout(timer);
  asking?.abort();
  if (before?.isConnected) before.focus({ preventScroll: true });
});
