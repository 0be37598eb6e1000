// The page of an app: puts the composer, the transcript, the list and the API together.

import { Problem, createConversation, freshKey, getConversation, goOver, messageHtml, stopConversation } from "./api.js";
import { clearNotice, notice } from "./notices.js";
import { listen, prepare } from "./reading.js";
import * as transcript from "./transcript.js";
import * as composer from "./composer.js";
import * as sidebar from "./sidebar.js";
import * as anew from "./anew.js";
import * as attach from "./attach.js";
import * as earlier from "./earlier.js";
import * as share from "./share.js";
import * as opinion from "./opinion.js";
import * as appeal from "./appeal.js";
import * as person from "./person.js";
import { firstSentence } from "./speech.js";
import * as queue from "./queue.js";
import { again, edit, goOn, resume, send } from "./turn.js";
import { say } from "./say.js";

const talk = document.querySelector(".talk");
const newPage = `/apps/${encodeURIComponent(talk.dataset.app)}`;

let answering = false;
let stopping = false;
// Words that the server may or may not have received, with the key that makes sending them again harmless.
let doubtful = null;

const unlimited = () => talk.dataset.messagesLeft === "";
const conversation = () => talk.dataset.conversation;

function full() {
  composer.setBlocked(true);
  notice({
    text: say("This conversation is full. Begin a new one to go on."),
    action: { label: say("New conversation"), run: () => location.assign(newPage) },
    calm: true,
  });
}

async function openConversation(text) {
  if (conversation()) return;
  const temporary = document.querySelector("[data-make-temporary]")?.checked ?? false;
  const created = await createConversation(talk.dataset.app, freshKey(), temporary);
  if (temporary) talk.dataset.temporary = "";
  talk.dataset.conversation = created.id;
  history.replaceState(null, "", `${newPage}/${encodeURIComponent(created.id)}`);
  const title = created.title || shorten(text);
  sidebar.promote(created.id, title);
  sidebar.retitle(created.id, title);
}

// Until the server has named it, a conversation carries its first words.
function shorten(text) {
  const line = text.trim().split("\n", 1)[0];
  return line.length > 60 ? `${line.slice(0, 57).trimEnd()}…` : line;
}

function listener(answer, asked) {
  return {
    start({ message, user_message: question }) {
      if (message?.id) {
        answer.id = message.id;
        answer.element.dataset.message = message.id;
      }
      if (asked && question?.id) asked.dataset.message = question.id;
    },
    text: (text) => answer.append(text),
    citation: (citation) => answer.cite(citation),
    again: () => answer.reset(),
    waiting: (lost) => {
      if (lost) notice({ text: "The connection was lost. Trying again…", calm: true });
      else clearNotice();
    },
  };
}

/** Follows a turn to its end, whatever the end is. `run` gives what `done` says. */
async function follow(answer, question, run, asked, files = []) {
  answering = true;
  stopping = false;
  composer.setBusy(true);
  transcript.announce(say("{name} is answering.", { name: talk.dataset.appName }));
  let end = null;
  let problem = null;
  try {
    end = await run(listener(answer, asked));
  } catch (error) {
    problem = error;
  }
  // The person may go on at once; what follows is only dress.
  answering = false;
  composer.setBusy(false);
  const whole = end && !stopping && ["stop", "length"].includes(end.finish_reason);
  if (end) await finish(answer, end.message_id ?? answer.id, asked);
  else await failed(problem, answer, question, files);
  if (!unlimited() && Number(talk.dataset.messagesLeft) <= 0) {
    full();
    queue.hold();
  } else if (!whole) queue.hold();
  else sendNext();
}

/** Puts what the server has kept of an answer in the place of the plain text; says whether that worked. */
async function dress(answer, id) {
  try {
    answer.replaceWith(await messageHtml(conversation(), id));
    return true;
  } catch {
    // The words are all there; only their dress is missing until the page is loaded again.
    return false;
  }
}

async function finish(answer, id, asked) {
  answer.end();
  if (asked?.dataset.message) {
    const html = await messageHtml(conversation(), asked.dataset.message).catch(() => null);
    if (html) transcript.redress(asked, html);
  }
  const text = answer.text;
  if (!(await dress(answer, id)) && stopping) answer.note(say("You stopped this answer."));
  transcript.announce(say("Answer: {text}", { text: firstSentence(answer.element.querySelector(".prose")?.innerText || text) }));
  const { title } = await getConversation(conversation()).catch(() => ({}));
  if (title) sidebar.retitle(conversation(), title);
  person.settled();
  document.dispatchEvent(new Event("stoa:answered"));
}

async function failed(error, answer, question, files) {
  if (!(error instanceof Problem)) {
    console.error(error);
    error = new Problem({ code: "page", detail: say("Something went wrong on this page. Reload it and try again.") });
    error.begun = true;
  }
  if (error.begun) {
    answer.end();
    if (!answer.text.trim()) answer.remove();
    else if (error.lost || !(await dress(answer, answer.id))) answer.note(say("Something went wrong while this was being written."));
    const again = error.lost
      ? { label: say("Reload"), run: () => location.reload() }
      : question !== null && { label: say("Try again"), run: () => ask(question, files) };
    notice({ text: error.message, action: again || undefined });
    return;
  }
  answer.remove();
  refused(error, question, files);
}

/** The message was not taken: the words go back to the person, with the reason. */
function refused(error, question, files) {
  if (transcript.isEmpty()) transcript.welcome(true);
  if (question === null) {
    notice({ text: error.message, calm: error.status > 0 && error.status < 500 });
    return;
  }
  if (!composer.giveBack(question, files)) queue.giveBack(question);
  const again = { label: say("Try again"), run: () => { composer.write(""); ask(question, attach.take()); } };
  if (error.code === "conversation_full") {
    full();
  } else if (error.status === 429) {
    composer.setBlocked(true);
    notice({
      text: say("You have reached the limit for now. You can send again in {s} s.", { s: "{s}" }),
      seconds: error.retryAfter ?? 60,
      after: () => { composer.setBlocked(false); composer.focus(); },
      calm: true,
    });
  } else if (error.status === 401) {
    notice({ text: say("Your session has ended."), action: { label: say("Reload"), run: () => location.reload() } });
  } else if (error.status === 404) {
    notice({
      text: say("This conversation does not exist any more."),
      action: { label: say("New conversation"), run: () => location.assign(newPage) },
    });
  } else if (error.status === 0 || error.status >= 500) {
    notice({ text: error.message, action: again });
  } else {
    notice({ text: error.message, action: appeal.against(error, question), calm: true });
  }
}

/** What waits longest goes out, unless the person was quicker. */
function sendNext() {
  if (answering) return;
  const text = queue.next();
  if (text !== null) ask(text);
}

async function ask(text, files = []) {
  if (answering) {
    // What waits is words alone: files stay in the composer until they can go with theirs.
    if (files.length > 0 || !queue.add(text)) composer.giveBack(text, files);
    return;
  }
  clearNotice();
  const key = doubtful?.text === text && doubtful.conversation === conversation() ? doubtful.key : freshKey();
  doubtful = null;
  const asked = transcript.addPerson(text);
  attach.show(asked, files);
  const answer = new transcript.Answer();
  transcript.goToEnd();
  await follow(answer, text, async (turn) => {
    try {
      await openConversation(text);
      sidebar.promote(conversation());
      const end = await send(conversation(), text, key, turn, files.map((file) => file.id));
      count();
      return end;
    } catch (error) {
      if (error.begun) count();
      else asked.remove();
      if (error instanceof Problem && error.status === 0) doubtful = { text, key, conversation: conversation() };
      throw error;
    }
  }, asked, files);
}

/** Lets the answer of `run` take the place of a message and all that follows it, which come back if nothing came of it. */
async function inPlace(element, asked, run) {
  if (answering) return;
  clearNotice();
  const hadFocus = element.contains(document.activeElement);
  const putBack = transcript.cut(element);
  const question = asked === null ? null : transcript.addPerson(asked);
  const answer = new transcript.Answer();
  if (hadFocus) answer.focus();
  await follow(answer, null, async (turn) => {
    try {
      return await run(turn);
    } catch (error) {
      if (!error.begun) {
        question?.remove();
        putBack();
      }
      throw error;
    }
  }, question);
}

function count() {
  if (!unlimited()) talk.dataset.messagesLeft = String(Number(talk.dataset.messagesLeft) - 1);
}

async function stop() {
  if (!answering || stopping || !conversation()) return;
  stopping = true;
  composer.setStopping();
  try {
    await stopConversation(conversation());
  } catch (error) {
    stopping = false;
    composer.setBusy(answering);
    if (answering) notice({ text: error.message });
  }
}

transcript.watch();
prepare(document);
listen();
sidebar.begin();
share.begin(sidebar.chosenNow);
composer.begin({ send: ask, stop });
opinion.begin();
appeal.begin();
anew.begin({
  goOn: (element) => inPlace(element, null, (turn) => goOn(conversation(), element.dataset.message, freshKey(), turn)),
  again: (element) => inPlace(element, null, (turn) => again(conversation(), element.dataset.message, freshKey(), turn)),
  edit: (element, words) => inPlace(element, words, async (turn) => {
    const end = await edit(conversation(), element.dataset.message, words, turn);
    count();
    return end;
  }),
  over: async (message) => {
    if (answering) return;
    try {
      await goOver(conversation(), message);
      location.reload();
    } catch (error) {
      notice({ text: error.message });
    }
  },
});
person.begin(() => answering);
earlier.begin();
document.addEventListener("click", (event) => {
  const suggestion = event.target.closest?.("[data-suggestion]");
  if (suggestion) ask(suggestion.textContent);
});

const unfinished = transcript.unfinished();
queue.begin({ send: sendNext, running: Boolean(unfinished) });
if (unfinished && conversation()) {
  follow(unfinished, transcript.lastQuestion(), (turn) => resume(conversation(), turn));
} else if (!unlimited() && Number(talk.dataset.messagesLeft) <= 0) {
  full();
}
