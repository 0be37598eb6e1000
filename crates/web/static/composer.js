// The box in which the person writes: grows with the text, counts near the limit, keeps the draft.

import * as attach from "./attach.js";

const form = document.querySelector("[data-composer]");
const box = form.querySelector("textarea");
const counter = form.querySelector("[data-counter]");
const sendButton = form.querySelector("[data-send]");
const stopButton = form.querySelector("[data-stop]");
const talk = document.querySelector(".talk");
const most = Number(talk.dataset.maxChars) || Infinity;
const grows = CSS.supports("field-sizing", "content");

let busy = false;
let blocked = false;

const draftName = () => `stoa.draft.${talk.dataset.app}.${talk.dataset.conversation}`;
function keepDraft(text) {
  // Storage may be full or forbidden; a draft is a convenience.
  try {
    if (text) sessionStorage.setItem(draftName(), text);
    else sessionStorage.removeItem(draftName());
  } catch { /* see above */ }
}

// The server counts Unicode scalar values; a string's length counts UTF-16 units. Only near the limit it matters.
function characters(text) {
  if (text.length <= most * 0.8) return text.length;
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function refresh() {
  const count = characters(box.value);
  const near = count > most * 0.8;
  counter.value = near ? `${count.toLocaleString()} / ${most.toLocaleString()}` : "";
  counter.classList.toggle("over", count > most);
  box.setAttribute("aria-invalid", String(count > most));
  const nothing = box.value.trim() === "";
  sendButton.disabled = blocked || count > most || nothing || !attach.settled();
  // While an answer is written, what is sent waits its turn: the way to send shows when there is something.
  sendButton.hidden = busy && nothing;
  sendButton.setAttribute("aria-label", busy ? "Send when the answer is done" : "Send");
  if (!grows) {
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight}px`;
  }
}

/** Listens. `send(text, files)` and `stop()` are called when the person asks for it. */
export function begin({ send, stop }) {
  const submit = () => {
    if (sendButton.disabled) return;
    const text = box.value;
    write("");
    send(text, attach.take());
  };
  attach.begin({ form, box, changed: refresh });
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  box.addEventListener("input", () => { keepDraft(box.value); refresh(); });
  box.addEventListener("keydown", (event) => {
    // While an input method composes a word, Enter belongs to it (229 is what older Safari says).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });
  stopButton.addEventListener("click", () => { stop(); box.focus(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && busy && !event.defaultPrevented && !document.querySelector("dialog[open], :popover-open")) stop();
  });
  form.addEventListener("click", (event) => { if (!event.target.closest("button, textarea")) box.focus(); });
  try {
    box.value ||= sessionStorage.getItem(draftName()) ?? "";
  } catch { /* no drafts then */ }
  refresh();
}

export function write(text) {
  box.value = text;
  keepDraft(text);
  refresh();
}

/** Gives words and files back that could not be sent, unless the person has begun to write others; says of the words
 * whether it did. */
export function giveBack(text, files = []) {
  attach.giveBack(files);
  if (box.value.trim()) return false;
  write(text);
  return true;
}

export const text = () => box.value;

export const focus = () => box.focus({ preventScroll: true });

export function setBusy(now) {
  // A button that vanishes under the finger takes the focus with it.
  const hadFocus = document.activeElement === sendButton || document.activeElement === stopButton;
  busy = now;
  stopButton.hidden = !now;
  stopButton.disabled = false;
  refresh();
  if (hadFocus) focus();
}

export function setStopping() {
  stopButton.disabled = true;
}

/** Nothing can be sent while this holds: a limit is reached. */
export function setBlocked(now) {
  blocked = now;
  refresh();
}
