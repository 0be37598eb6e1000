// Files that go with a message: chosen, pasted or dropped, sent to the file store while the person writes on.

import { Problem } from "./api.js";

// As many as the server takes with one message.
const MOST = 6;

const chips = document.querySelector("[data-chips]");
const button = document.querySelector("[data-attach]");
const input = document.querySelector("[data-attach-input]");
let files = [];
let changed = () => {};

const copyOf = (name) => document.getElementById(name).content.firstElementChild.cloneNode(true);
const bytes = (size) => (size < 1000 ? `${size} B` : size < 1e6 ? `${(size / 1000).toFixed(1)} kB` : `${(size / 1e6).toFixed(1)} MB`);

/** Whether every file has arrived: the message can go. */
export const settled = () => files.every((file) => file.id);

/** The files that have arrived; from now on they are the caller's. */
export function take() {
  const taken = files.filter((file) => file.id).map(({ id, name, size }) => ({ id, name, size }));
  files = [];
  render();
  return taken;
}

export function giveBack(back) {
  if (back.length === 0) return;
  files = [...back, ...files].slice(0, MOST);
  render();
}

/** Shows files under a message that is being sent. */
export function show(message, sent) {
  if (sent.length === 0) return;
  const list = document.createElement("ul");
  list.className = "attached";
  list.setAttribute("aria-label", "Files");
  for (const file of sent) {
    const item = copyOf("file-template");
    item.querySelector(".attached-name").textContent = file.name;
    item.querySelector("small").textContent = bytes(file.size);
    list.append(item);
  }
  message.append(list);
}

function line(file) {
  if (file.problem) return file.problem;
  if (file.id) return bytes(file.size);
  return `${Math.round(file.part * 100)} %`;
}

function render() {
  chips.replaceChildren(...files.map((file) => {
    const item = copyOf("file-template");
    item.classList.toggle("wrong", Boolean(file.problem));
    item.querySelector(".attached-name").textContent = file.name;
    const small = item.querySelector("small");
    small.textContent = line(file);
    file.small = small;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "button quiet square small";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `Remove ${file.name}`);
    remove.addEventListener("click", () => {
      file.request?.abort();
      files = files.filter((one) => one !== file);
      render();
      button?.focus();
    });
    item.append(remove);
    return item;
  }));
  chips.hidden = files.length === 0;
  changed();
}

function send(file, content) {
  const form = new FormData();
  form.append("file", content, file.name);
  const request = new XMLHttpRequest();
  file.request = request;
  request.open("POST", "/api/v1/files");
  request.responseType = "json";
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) file.part = event.loaded / event.total;
    if (file.small?.isConnected) file.small.textContent = line(file);
  });
  request.addEventListener("load", () => {
    if (request.status === 201) file.id = request.response.id;
    else file.problem = Problem.from({ ...request.response, status: request.status }).message;
    render();
  });
  request.addEventListener("error", () => {
    file.problem = "The server cannot be reached. Check your connection.";
    render();
  });
  request.send(form);
}

function add(list) {
  for (const content of list) {
    if (files.length >= MOST) break;
    // What is pasted has no name of its own, or always the same.
    const name = content.name || `pasted.${content.type.split("/")[1] ?? "bin"}`;
    const file = { name, size: content.size, part: 0, id: null, problem: null };
    files.push(file);
    send(file, content);
  }
  render();
}

const holdsFiles = (transfer) => [...(transfer?.types ?? [])].includes("Files");

export function begin({ form, box, changed: tell }) {
  changed = tell;
  if (!button) return;
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    add(input.files);
    input.value = "";
    box.focus();
  });
  box.addEventListener("paste", (event) => {
    const pasted = [...event.clipboardData.files];
    // A table copied from a spreadsheet comes as text and as a picture of it: then the words are meant.
    if (pasted.length === 0 || event.clipboardData.getData("text/plain")) return;
    event.preventDefault();
    add(pasted);
  });
  const talk = document.querySelector(".talk");
  let depth = 0;
  const mark = (on) => form.classList.toggle("drop", on);
  talk.addEventListener("dragenter", (event) => {
    if (!holdsFiles(event.dataTransfer)) return;
    depth += 1;
    mark(true);
  });
  talk.addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (depth === 0) mark(false);
  });
  talk.addEventListener("dragover", (event) => {
    if (holdsFiles(event.dataTransfer)) event.preventDefault();
  });
  talk.addEventListener("drop", (event) => {
    depth = 0;
    mark(false);
    if (!holdsFiles(event.dataTransfer)) return;
    event.preventDefault();
    add(event.dataTransfer.files);
  });
}
