// Conversations that are brought in: the file on its way, how much of it has come, and what came of it.

import { Problem, freshKey } from "./api.js";

const form = document.querySelector("[data-import]");
const bar = form?.querySelector("progress");
const report = form?.querySelector("[data-report]");

function say(tag, text, parent) {
  const element = document.createElement(tag);
  element.textContent = text;
  parent.append(element);
  return element;
}

const many = (count, word) => `${count.toLocaleString()} ${word}${count === 1 ? "" : "s"}`;

function tell(found) {
  report.replaceChildren();
  const parts = [`${many(found.imported, "conversation")} with ${many(found.messages, "message")} brought in.`];
  if (found.present > 0) parts.push(`${many(found.present, "conversation")} had been here already.`);
  if (found.left_out > 0) parts.push(`${many(found.left_out, "message")} of tools and systems left out.`);
  if (found.files_left_out > 0) parts.push(`${many(found.files_left_out, "file")} left out.`);
  say("p", parts.join(" "), report);
  if (found.refused > 0) {
    say("p", `${many(found.refused, "conversation")} could not be brought in:`, report);
    const list = document.createElement("ul");
    for (const problem of found.problems) say("li", `${problem.title || `Number ${problem.number}`}: ${problem.detail}`, list);
    report.append(list);
  }
}

function complain(text) {
  report.replaceChildren();
  say("p", text, report).className = "form-wrong";
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
    if (sent.lengthComputable) bar.value = sent.loaded / sent.total;
  });
  const over = () => {
    button.disabled = false;
    bar.hidden = true;
  };
  request.addEventListener("load", () => {
    over();
    if (request.status === 200) tell(request.response);
    else complain(Problem.from({ ...request.response, status: request.status }).message);
  });
  request.addEventListener("error", () => {
    over();
    complain("The connection was lost. Send the file again: what has come in already is not made twice.");
  });
  request.send(data);
});
