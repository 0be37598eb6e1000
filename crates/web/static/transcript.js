// The messages on the page: adds them, lets an answer grow, and scrolls only while the reader follows.

import { prepare } from "./reading.js";

const list = document.querySelector("[data-transcript]");
const pane = document.querySelector("[data-scroll]");
const toEnd = document.querySelector("[data-to-end]");
const spoken = document.querySelector("[data-announce]");
// This close to the end counts as being there.
const NEAR = 48;

let following = true;
let lastTop = 0;

const copyOf = (name) => document.getElementById(name).content.firstElementChild.cloneNode(true);
const distance = () => pane.scrollHeight - pane.scrollTop - pane.clientHeight;

function follow() {
  if (following) pane.scrollTop = pane.scrollHeight;
  toEnd.hidden = following || distance() < NEAR;
}

/** Goes to the newest message and stays with it. */
export function goToEnd() {
  following = true;
  follow();
}

/** Says something once to those who listen rather than look. */
export function announce(text) {
  spoken.textContent = text;
}

export function watch() {
  pane.addEventListener("scroll", () => {
    // Growth never moves the top upwards, so going up is always the reader's own doing.
    if (pane.scrollTop < lastTop - 1) following = distance() < NEAR;
    else if (distance() < NEAR) following = true;
    lastTop = pane.scrollTop;
    toEnd.hidden = following || distance() < NEAR;
  }, { passive: true });
  toEnd.addEventListener("click", goToEnd);
  // The window, the composer and late layout change heights as well as new text does.
  const sizes = new ResizeObserver(follow);
  sizes.observe(list);
  sizes.observe(pane);
  goToEnd();
}

/** Shows or hides the words of an empty page. */
export function welcome(shown) {
  const words = document.querySelector("[data-welcome]");
  if (words) words.hidden = !shown;
}

export const isEmpty = () => !list.querySelector(".message");

export function addPerson(text) {
  welcome(false);
  const message = copyOf("person-template");
  message.querySelector(".bubble").textContent = text;
  list.append(message);
  goToEnd();
  return message;
}

/** An answer that is being written. Text comes in as text, never as HTML. */
export class Answer {
  #prose;
  #node = null;
  #pending = "";
  #frame = 0;
  #sources = null;

  /** `element` is the message of an answer that was being written when the page was loaded. */
  constructor(element = null) {
    this.element = element ?? copyOf("answer-template");
    this.#prose = this.element.querySelector(".prose");
    if (!element) list.append(this.element);
    this.reset();
  }

  reset() {
    this.#pending = "";
    this.#sources?.remove();
    this.#sources = null;
    this.#prose.replaceChildren();
    this.#paragraph("");
    follow();
  }

  /** The words so far. */
  get text() {
    this.#flush();
    return [...this.#prose.children].map((p) => p.textContent).join("\n\n");
  }

  append(text) {
    this.#pending += text;
    // Many pieces may arrive between two frames; hidden pages have no frames at all.
    if (document.hidden) this.#flush();
    else this.#frame ||= requestAnimationFrame(() => this.#flush());
  }

  cite({ number, title, source, quote, text }) {
    if (!this.#sources) {
      this.#sources = copyOf("sources-template");
      this.#prose.after(this.#sources);
    }
    const entry = copyOf("source-template");
    const count = this.#sources.childElementCount + 1;
    entry.querySelector(".number").textContent = String(number ?? count);
    entry.querySelector(".source-title").textContent = title || "Source";
    entry.querySelector("blockquote").textContent = quote ?? text ?? "";
    entry.querySelector(".passage-source").textContent = source ?? "";
    this.#sources.append(entry);
  }

  /** Says under the answer why it ended. */
  note(text) {
    const note = copyOf("note-template");
    note.querySelector("span").textContent = text;
    this.element.querySelector(".note")?.remove();
    this.element.append(note);
    follow();
  }

  /** Takes the focus of what it replaces, without scrolling. */
  focus() {
    this.element.tabIndex = -1;
    this.element.focus({ preventScroll: true });
  }

  /** No more text will come. */
  end() {
    this.#flush();
    this.element.classList.remove("writing");
  }

  remove() {
    cancelAnimationFrame(this.#frame);
    this.element.remove();
  }

  /** Puts the finished message in the place of the streamed one. The HTML is the server's own and sanitised there. */
  replaceWith(html) {
    this.end();
    this.element = redress(this.element, html);
    follow();
  }

  #paragraph(text) {
    const paragraph = document.createElement("p");
    paragraph.className = "stream";
    this.#node = document.createTextNode(text);
    paragraph.append(this.#node);
    this.#prose.append(paragraph);
  }

  // Each paragraph is a node of its own, so that a long answer is not laid out again for each word.
  #flush() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (!this.#pending) return;
    this.#node.appendData(this.#pending);
    this.#pending = "";
    const parts = this.#node.data.split(/\n\n+(?=\S)/);
    if (parts.length > 1) {
      this.#node.data = parts[0];
      for (const part of parts.slice(1)) this.#paragraph(part);
    }
    follow();
  }
}

/** Puts messages that the server has sent in their places, and gives those that were not here yet. */
export function arrive(messages) {
  const arrived = [];
  let behind = null;
  for (const message of messages) {
    const here = list.querySelector(`[data-message="${CSS.escape(message.dataset.message)}"]`);
    if (!here) {
      const fresh = document.adoptNode(message);
      if (behind) behind.after(fresh);
      else list.append(fresh);
      prepare(fresh);
      arrived.push(fresh);
    }
    behind = here ?? arrived.at(-1);
  }
  if (arrived.length) {
    welcome(false);
    follow();
  }
  return arrived;
}

/** Takes a message and all that follows it off the page; gives what puts them back. */
export function cut(element) {
  const gone = [];
  for (let next = element; next; next = next.nextElementSibling) gone.push(next);
  for (const one of gone) one.remove();
  return () => list.append(...gone);
}

/** Puts the server's own HTML of a message, sanitised there, in the place of the one on the page; gives what stands there. */
export function redress(element, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(".message");
  if (!fresh) return element;
  document.adoptNode(fresh);
  const hadFocus = element.contains(document.activeElement);
  element.replaceWith(fresh);
  prepare(fresh);
  if (hadFocus) {
    fresh.tabIndex = -1;
    fresh.focus({ preventScroll: true });
  }
  return fresh;
}

/** The answer that was being written when the page was loaded, or nothing. */
export function unfinished() {
  const element = list.querySelector(".message.writing:last-child");
  return element ? new Answer(element) : null;
}

/** The last words of the person on the page. */
export const lastQuestion = () => [...list.querySelectorAll(".from-person .bubble")].at(-1)?.textContent ?? "";
