// Conversations that are brought in: the file on its way, how much of it has come, and what came of it.

import { Problem, freshKey } from "./api.js";
import { count, say, told } from "./say.js";

const form = document.querySelector("[data-import]");
const bar = form?.querySelector("progress");
const state = form?.querySelector("[data-import-state]");
const report = form?.querySelector("[data-report]");

// What the server says of one that could not be brought in, in the language of the page.
const why = {
  cut_off: say("The file is damaged here, or ends in the middle of this one."),
  not_json: say("It is not JSON."),
  unknown_shape: say("Its shape is not known here."),
  empty: say("It holds no words of a person and no answer."),
  bad_message: say("A message in it is empty or far too long."),
  too_large: say("It is too large."),
  too_deep: say("It is nested too deep."),
  too_many_messages: say("It has more messages than this app takes."),
  too_many_conversations: say("You have as many conversations as this app allows."),
  no_room: say("There is no room for its files. Empty the trash, or delete files for good."),
  no_order: say("You have as many folders or tags as there may be. Remove some first."),
};

function put(tag, text, parent) {
  const element = document.createElement(tag);
  element.textContent = text;
  parent.append(element);
  return element;
}

function tell(found) {
  report.replaceChildren();
  const parts = [count("{count} conversation brought in, with {messages}.|{count} conversations brought in, with {messages}.", found.imported, { messages: count("{count} message|{count} messages", found.messages) })];
  if (found.present > 0) parts.push(count("{count} conversation had been here already.|{count} conversations had been here already.", found.present));
  if (found.files > 0) parts.push(count("{count} file brought in.|{count} files brought in.", found.files));
  if (found.left_out > 0) parts.push(count("{count} message of tools and systems left out.|{count} messages of tools and systems left out.", found.left_out));
  if (found.files_left_out > 0) parts.push(count("{count} file left out.|{count} files left out.", found.files_left_out));
  put("p", parts.join(" "), report);
  if (found.refused > 0) {
    put("p", count("{count} conversation could not be brought in:|{count} conversations could not be brought in:", found.refused), report);
    const list = document.createElement("ul");
    for (const problem of found.problems) put("li", `${problem.title || say("Number {number}", { number: problem.number })}: ${why[problem.code] ?? told(problem.detail)}`, list);
    report.append(list);
  }
  if (found.unfinished) {
    put("p", say("The rest was not read: the import broke off. Send the same file again; what is here already is not made twice."), report).className = "form-wrong";
  }
}

function complain(text) {
  report.replaceChildren();
  put("p", text, report).className = "form-wrong";
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const button = form.querySelector("[type=submit]");
  const data = new FormData();
  // The app stands before the file: the server reads the parts in their order.
  data.append("app", form.elements.app.value);
  data.append("file", form.elements.file.files[0]);
  const request = new XMLHttpRequest();
  request.open("POST", form.getAttribute("action"));
  request.responseType = "json";
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("Idempotency-Key", freshKey());
  button.disabled = true;
  bar.hidden = false;
  bar.value = 0;
  report.replaceChildren();
  // The server takes the file in as it reads it, so what has been sent has been read.
  request.upload.addEventListener("progress", (sent) => {
    if (!sent.lengthComputable) return;
    bar.value = sent.loaded / sent.total;
    const all = sent.loaded === sent.total;
    state.textContent = all ? say("The last ones are being brought in …") : say("{percent} % read", { percent: Math.floor(bar.value * 100) });
  });
  const over = () => {
    button.disabled = false;
    bar.hidden = true;
    state.textContent = "";
  };
  request.addEventListener("load", () => {
    over();
    if (request.status === 200) tell(request.response);
    else complain(Problem.from({ ...request.response, status: request.status }).message);
  });
  request.addEventListener("error", () => {
    over();
    complain(say("The connection was lost. Send the file again: what has come in already is not made twice."));
  });
  request.send(data);
});
