// What the person wrote while an answer was being written: shown above the composer, kept over a reload, sent one after
// the other when the answer is done. After a stop or a failure nothing goes out until the person says so.

import { announce } from "./transcript.js";
import * as composer from "./composer.js";

const talk = document.querySelector(".talk");
const place = document.querySelector("[data-queue]");
const list = place.querySelector("ol");
const head = place.querySelector("[data-queue-head]");
const sendNow = place.querySelector("[data-queue-send]");
// More than this is a text of its own.
const MOST = 10;

let waiting = [];
let held = false;
let name = "";

const nameNow = () => `stoa.queue.${talk.dataset.app}.${talk.dataset.conversation}`;

// Storage may be full or forbidden; then the queue lives as long as the page.
function keep() {
  try {
    if (name && name !== nameNow()) sessionStorage.removeItem(name);
    name = nameNow();
    if (waiting.length) sessionStorage.setItem(name, JSON.stringify(waiting));
    else sessionStorage.removeItem(name);
  } catch { /* see above */ }
}

function stored() {
  try {
    const texts = JSON.parse(sessionStorage.getItem(nameNow()) ?? "[]");
    return Array.isArray(texts) ? texts.filter((text) => typeof text === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

function show() {
  keep();
  place.hidden = waiting.length === 0;
  sendNow.hidden = !held;
  head.textContent = held ? "Not sent yet" : "Sent when the answer is done";
  list.replaceChildren(...waiting.map((text, at) => {
    const item = document.getElementById("queue-template").content.firstElementChild.cloneNode(true);
    item.dataset.at = String(at);
    item.querySelector("[data-queue-text]").textContent = text;
    return item;
  }));
}

/** Puts words at the end of the queue; says whether there was room. */
export function add(text) {
  if (waiting.length >= MOST) return false;
  waiting.push(text);
  show();
  announce(held ? "Queued. Nothing is sent until you say so." : "Queued. It is sent when the answer is done.");
  return true;
}

/** Puts words that could not be sent back to the front. */
export function giveBack(text) {
  waiting.unshift(text);
  hold();
}

/** The words that go out now, off the queue; nothing while it is held. */
export function next() {
  if (held || waiting.length === 0) return null;
  const text = waiting.shift();
  show();
  return text;
}

/** Nothing goes out until the person says so. */
export function hold() {
  if (waiting.length === 0) return;
  held = true;
  show();
  announce("What you queued was not sent. Send it or remove it above the message box.");
}

function remove(at) {
  const [text] = waiting.splice(at, 1);
  if (waiting.length === 0) held = false;
  show();
  // The button that was pressed is gone: the next one has its place, or the box.
  const buttons = list.querySelectorAll("[data-queue-remove]");
  if (buttons.length) buttons[Math.min(at, buttons.length - 1)].focus();
  else composer.focus();
  return text;
}

/** Listens, and shows what was kept. `send()` is called when the person lets it go; `running` says whether an answer is. */
export function begin({ send, running }) {
  waiting = stored();
  held = waiting.length > 0 && !running;
  show();
  sendNow.addEventListener("click", () => {
    held = false;
    show();
    composer.focus();
    send();
  });
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-queue-edit], [data-queue-remove]");
    if (!button) return;
    const at = Number(button.closest("li").dataset.at);
    if (button.matches("[data-queue-remove]")) {
      remove(at);
      announce("Removed.");
      return;
    }
    // What stands in the box takes its place.
    const mine = composer.text();
    const theirs = mine.trim() ? waiting.splice(at, 1, mine)[0] : remove(at);
    show();
    composer.write(theirs);
    composer.focus();
  });
}
