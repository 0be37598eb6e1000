// A person of the desk in the conversation: asking for one, and what they write while they have it. It looks for news
// only while somebody has been asked for and the page is looked at.

import { call, freshKey } from "./api.js";
import { notice } from "./notices.js";
import { announce, arrive } from "./transcript.js";
import { say } from "./say.js";

const PERIOD = 4000;
const talk = document.querySelector(".talk");
const line = () => document.querySelector("[data-desk]");
const id = () => encodeURIComponent(talk.dataset.conversation);

let timer = 0;
let busy = () => false;
let looking = false;

/** Begins to follow the conversation; `answering` says whether an answer is being written here. */
export function begin(answering) {
  if (!line()) return;
  busy = answering;
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-ask-person]")) return;
    event.preventDefault();
    ask(event.target.querySelector("button"));
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  pace();
}

/** A conversation has been made, or a turn has ended: a person may have been asked for in it. */
export function settled() {
  if (!line() || !talk.dataset.conversation) return;
  look(true);
}

async function ask(button) {
  button.disabled = true;
  try {
    await call("POST", `/api/v1/conversations/${id()}/hand-off`, { body: {}, key: freshKey() });
    await look(true);
    line().querySelector("strong")?.scrollIntoView({ block: "nearest" });
  } catch (error) {
    button.disabled = false;
    notice({ text: error.message });
  }
}

const open = () => ["waiting", "claimed"].includes(line().dataset.desk);

function pace() {
  clearInterval(timer);
  timer = open() ? setInterval(() => { if (!document.hidden) look(); }, PERIOD) : 0;
}

async function look(anyway = false) {
  if (looking || busy() || !talk.dataset.conversation || (!anyway && !open())) return;
  looking = true;
  try {
    const after = talk.dataset.seen ? `?after=${encodeURIComponent(talk.dataset.seen)}` : "";
    const answer = await call("GET", `/fragments/conversations/${id()}/news${after}`, { accept: "text/html" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    // The answer that began meanwhile stands in the news half written: next time.
    if (busy()) return;
    const before = line();
    const fresh = page.querySelector("[data-desk]");
    const changed = before.innerHTML !== fresh.innerHTML;
    if (changed) before.replaceWith(document.adoptNode(fresh));
    const messages = [...page.querySelectorAll(".message")];
    const arrived = arrive(messages);
    talk.dataset.seen = messages.at(-1)?.dataset.message ?? talk.dataset.seen;
    const words = arrived.filter((one) => one.matches(".from-staff")).map((one) => `${one.querySelector(".staff-name").textContent}: ${one.querySelector(".prose").innerText}`);
    if (changed && line().dataset.desk) words.unshift(line().querySelector("strong").textContent);
    else if (changed && ["waiting", "claimed"].includes(before.dataset.desk)) words.push(say("The conversation with a person has ended."));
    if (words.length) announce(words.join(" "));
    if (changed) pace();
  } catch (error) {
    // Nobody is told of one look in vain; what ended for good is.
    if ([401, 403, 404].includes(error.status)) clearInterval(timer);
  } finally {
    looking = false;
  }
}
