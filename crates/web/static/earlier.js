// Long conversations: the page holds the newest messages, and earlier ones come when somebody scrolls up to them, looks
// for one by its address (`#m-…`), or wants all of them to search in. What one reads stays where it is.

import { call } from "./api.js";
import { notice } from "./notices.js";
import { prepare } from "./reading.js";
import { say } from "./say.js";

const talk = document.querySelector(".talk");
const pane = document.querySelector("[data-scroll]");
const list = document.querySelector("[data-transcript]");
// Messages of one request: few while somebody scrolls, many while somebody looks for something far away.
const FEW = 40;
const MANY = 200;

const line = () => list.querySelector("[data-earlier]");
let loading = null;

/** Fetches the messages before those on the page; gives whether there were any. */
function load(most) {
  loading ??= fetchBefore(most).finally(() => { loading = null; });
  return loading;
}

async function fetchBefore(most) {
  const first = list.querySelector(".message");
  const place = line();
  if (!first || !place) return false;
  const query = new URLSearchParams({ before: first.dataset.message, most: String(most) });
  const path = `/fragments/conversations/${encodeURIComponent(talk.dataset.conversation)}/earlier?${query}`;
  const answer = await call("GET", path, { accept: "text/html" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const messages = [...page.querySelectorAll(".message")];
  const top = first.getBoundingClientRect().top;
  const box = document.createDocumentFragment();
  box.append(...messages.map((message) => document.adoptNode(message)));
  prepare(box);
  const fresh = page.querySelector("[data-earlier]");
  first.before(box);
  if (fresh) place.replaceWith(document.adoptNode(fresh));
  else place.remove();
  // The browser may have kept the place by itself; then this is nothing.
  pane.scrollTop += first.getBoundingClientRect().top - top;
  look();
  return messages.length > 0;
}

async function quietly(work) {
  try {
    return await work();
  } catch (error) {
    notice({ text: error.message, action: { label: say("Try again"), run: () => quietly(work) } });
    return false;
  }
}

const near = new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting)) quietly(() => load(FEW));
}, { root: pane, rootMargin: "1200px 0px 0px 0px" });

function look() {
  near.disconnect();
  const place = line();
  if (place) near.observe(place);
}

/** Goes to the message in the address, wherever it is. */
async function jump() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!/^m-[0-9a-f-]{36}$/.test(id)) return;
  while (!document.getElementById(id) && line()) if (!(await load(MANY))) break;
  const message = document.getElementById(id);
  if (!message) return;
  message.tabIndex = -1;
  message.focus({ preventScroll: true });
  message.scrollIntoView({ block: "start" });
  message.classList.add("sought");
}

/** Listens. */
export function begin() {
  // A page of earlier messages alone is for browsers without scripts.
  if (talk.dataset.past) {
    location.replace(location.pathname + location.hash);
    return;
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-earlier] a, [data-every-message]");
    if (!link) return;
    event.preventDefault();
    const all = link.matches("[data-every-message]");
    quietly(async () => { do if (!(await load(all ? MANY : FEW))) break; while (all && line()); });
  });
  addEventListener("hashchange", () => quietly(jump));
  look();
  if (location.hash) quietly(jump);
}
