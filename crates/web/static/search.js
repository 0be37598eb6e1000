// The search through everything that was said: as somebody types, with what was found marked, page by page.

import { Problem } from "./api.js";
import { search } from "./arrange.js";
import { count as many, say } from "./say.js";

const box = document.querySelector("[data-seek] input");
const state = document.querySelector("[data-seek-state]");
const found = document.querySelector("[data-found]");
const shelves = document.querySelector("[data-shelves]");
const help = document.getElementById("seek-help");
const template = document.getElementById("found-template");
const PAUSE = 180;

let timer = 0;
let running = null;

/** While somebody types, the last word may go on. */
const asked = (text) => (/(^|\s)[\p{L}\p{M}]{3,}$/u.test(text) ? `${text}*` : text);

/** A snippet with its places marked; the server counts in code points. */
function marked(snippet, highlights) {
  const letters = [...snippet];
  const pieces = [];
  let at = 0;
  for (const { start, end } of highlights) {
    pieces.push(letters.slice(at, start).join(""));
    const mark = document.createElement("mark");
    mark.textContent = letters.slice(start, end).join("");
    pieces.push(mark);
    at = end;
  }
  pieces.push(letters.slice(at).join(""));
  return pieces;
}

function hit({ conversation, message_id: message, role, created_at: at, snippet, highlights }) {
  const link = template.content.firstElementChild.cloneNode(true);
  const page = `/apps/${encodeURIComponent(conversation.app)}/${encodeURIComponent(conversation.id)}`;
  link.href = `${page}/messages/${encodeURIComponent(message)}`;
  link.querySelector(".hit-title").textContent = conversation.title || "Conversation";
  link.querySelector(".hit-text").append(...marked(snippet, highlights));
  const day = new Date(at).toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric" });
  const who = role === "user" ? say("You") : say("Answer");
  link.querySelector(".hit-foot").textContent = [who, day, conversation.archived && "archived"].filter(Boolean).join(" · ");
  return link;
}

function line(words, kind = "") {
  const text = document.createElement("p");
  text.className = `found-line ${kind}`;
  text.textContent = words;
  return text;
}

function show(on) {
  found.hidden = !on;
  shelves.hidden = on;
}

/** An answer reads a limited number of messages; where it found none, the next goes on by itself some times. */
const FURTHER = 8;

async function look(text, after, fresh = !after, further = FURTHER) {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  found.setAttribute("aria-busy", "true");
  try {
    const { items, next } = await search({ q: asked(text), ...(after ? { after } : {}) }, signal);
    if (signal.aborted) return;
    if (items.length === 0 && next && further > 0) {
      await look(text, next, fresh, further - 1);
      return;
    }
    if (fresh) found.replaceChildren();
    found.querySelector("[data-more-found]")?.remove();
    found.append(...items.map(hit));
    const count = found.querySelectorAll(".hit").length;
    if (next) {
      const more = Object.assign(document.createElement("button"), { type: "button", className: "button quiet" });
      more.dataset.moreFound = "";
      more.textContent = items.length === 0 ? say("Search further back") : say("Show older ones");
      more.addEventListener("click", () => look(text, next));
      found.append(more);
    } else if (count === 0) {
      found.append(line(say("Nothing was found. Try fewer words, or the beginning of one.")));
    }
    state.textContent = next ? many("{count} message or more was found|{count} messages or more were found", count) : many("{count} message was found|{count} messages were found", count);
  } catch (error) {
    if (error.name === "AbortError") return;
    const words = error instanceof Problem ? error.message : say("The search failed. Try again.");
    found.replaceChildren(line(words, "wrong"));
    state.textContent = words;
  } finally {
    if (!signal.aborted) found.removeAttribute("aria-busy");
  }
}

function type() {
  clearTimeout(timer);
  const text = box.value.trimStart();
  if (!text.trim()) {
    running?.abort();
    found.replaceChildren();
    state.textContent = "";
    show(false);
    return;
  }
  show(true);
  timer = setTimeout(() => look(text), PAUSE);
}

function walk(event) {
  const hits = [...found.querySelectorAll(".hit, [data-more-found]")];
  const here = hits.indexOf(document.activeElement);
  if (event.key === "Escape" && box.value) {
    event.stopPropagation();
    box.value = "";
    type();
    box.focus();
  } else if (event.key === "ArrowDown" && hits.length > 0) {
    event.preventDefault();
    hits.at(Math.min(here + 1, hits.length - 1)).focus();
  } else if (event.key === "ArrowUp" && here >= 0) {
    event.preventDefault();
    (here === 0 ? box : hits.at(here - 1)).focus();
  } else if (event.key === "Enter" && document.activeElement === box) {
    clearTimeout(timer);
    type();
  }
}

export function begin() {
  box.addEventListener("input", type);
  for (const place of [box, found]) place.addEventListener("keydown", walk);
  help.addEventListener("click", (event) => {
    const text = event.target.closest("[data-filter]")?.dataset.filter;
    if (text === undefined) return;
    help.hidePopover();
    box.value = `${box.value.trimEnd()} ${text}`.trimStart();
    box.focus();
    if (text === '""') box.setSelectionRange(box.value.length - 1, box.value.length - 1);
    type();
  });
  // Coming back, the browser may have kept the words.
  if (box.value) type();
}
