// Drop zones: files are sent one by one, a few at a time, each with its progress, a way to stop it and its own error.
// Without this script the zone is a plain form.

import { Problem, freshKey } from "./api.js";
import { prepare } from "./reading.js";
import { count, decimal, say, told } from "./say.js";

/** So many at the same time: more would only share the line. */
const LANES = 3;
/** A limit that asks to wait longer than this is told instead of waited for. */
const PATIENCE = 60;

const round = (count) => (count < 10 ? Math.round(count * 10) / 10 : Math.round(count));
const size = (bytes) => {
  let count = bytes;
  for (const unit of ["B", "kB", "MB", "GB", "TB"]) {
    if (round(count) < 1000 || unit === "TB") return `${decimal(unit === "B" ? count : round(count))}\u00a0${unit}`;
    count /= 1000;
  }
  return "";
};

/** In which folder a dropped file lay. */
const folders = new WeakMap();

/** What is said of a file whose content was there already. */
function known(twins) {
  const [first] = twins ?? [];
  if (!first) return "";
  const { name, folder } = first;
  if (first.trashed) return say("You already have this in the trash, as “{name}”. It takes no more room.", { name });
  if (folder) return say("You already have this as “{name}” in {folder}. It takes no more room.", { name, folder });
  return say("You already have this as “{name}”. It takes no more room.", { name });
}

/** The files of what was dropped, those inside of folders too. */
async function dropped(transfer, most) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const files = [];
  const walk = async (entry) => {
    if (files.length > most) return;
    if (entry.isFile) {
      const file = await new Promise((good, bad) => { entry.file(good, bad); });
      folders.set(file, entry.fullPath.split("/").slice(1, -1).join("/"));
      files.push(file);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((good, bad) => { reader.readEntries(good, bad); });
      if (!some.length) return;
      for (const one of some) await walk(one);
    }
  };
  for (const entry of entries) await walk(entry);
  return files;
}

class Zone {
  constructor(box) {
    this.box = box;
    this.form = box.querySelector("form");
    this.field = box.querySelector("input[type=file]");
    this.list = box.querySelector("[data-uploads] ul");
    this.words = box.querySelector("[data-upload-words]");
    this.clear = box.querySelector("[data-upload-clear]");
    this.uploads = [];
    this.most = Number(box.dataset.mostFiles);
    box.classList.add("ready");
    this.field.addEventListener("change", () => {
      this.take([...this.field.files]);
      this.field.value = "";
    });
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.clear.addEventListener("click", () => {
      for (const one of this.uploads.filter((upload) => upload.over)) one.row.remove();
      this.uploads = this.uploads.filter((upload) => !upload.over);
      this.tell();
      this.field.focus();
    });
    let depth = 0;
    const over = (by) => {
      depth = by === 0 ? 0 : Math.max(0, depth + by);
      box.classList.toggle("over", depth > 0);
    };
    const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    box.addEventListener("dragenter", (event) => { if (files(event)) over(1); });
    box.addEventListener("dragleave", (event) => { if (files(event)) over(-1); });
    box.addEventListener("dragover", (event) => { if (files(event)) { event.preventDefault(); event.dataTransfer.dropEffect = "copy"; } });
    box.addEventListener("drop", async (event) => {
      if (!files(event)) return;
      event.preventDefault();
      over(0);
      try {
        this.take(await dropped(event.dataTransfer, this.most));
      } catch {
        this.words.textContent = say("What was dropped cannot be read.");
        this.box.querySelector("[data-uploads]").hidden = false;
      }
    });
  }

  take(files) {
    const room = this.most - this.uploads.filter((upload) => !upload.over).length;
    for (const file of files.slice(0, room)) this.add(file);
    this.left = Math.max(0, files.length - room);
    this.tell();
    this.go();
  }

  add(file) {
    const row = this.box.querySelector("[data-upload-row]").content.firstElementChild.cloneNode(true);
    const [name, note, bar, cancel, again] = ["strong", "small", "progress", "[data-cancel]", "[data-again]"].map((part) => row.querySelector(part));
    const upload = { file, row, note, bar, again, cancel, name, key: freshKey(), state: "waiting", tries: 0 };
    name.textContent = file.name;
    name.title = file.name;
    cancel.setAttribute("aria-label", say("Stop {name}", { name: file.name }));
    again.append(Object.assign(document.createElement("span"), { className: "hidden", textContent: `: ${file.name}` }));
    cancel.addEventListener("click", () => this.stop(upload));
    again.addEventListener("click", () => { this.say(upload, "waiting"); this.go(); this.field.focus(); });
    this.uploads.push(upload);
    this.list.append(row);
    this.say(upload, "waiting");
    const wrong = this.wrong(file);
    if (wrong) this.say(upload, "failed", wrong, false);
  }

  /** What is known to be refused before it is sent. */
  wrong(file) {
    const most = Number(this.box.dataset.mostBytes);
    const endings = this.field.accept.split(",").filter(Boolean);
    if (file.size === 0) return say("This file is empty.");
    if (file.size > most) return say("It has {size}; at most {most} are taken.", { size: size(file.size), most: size(most) });
    if (endings.length && !endings.some((ending) => file.name.toLowerCase().endsWith(ending))) return say("Only {endings} are taken.", { endings: endings.join(", ") });
    return "";
  }

  say(upload, state, words = "", retry = true) {
    Object.assign(upload, { state, over: ["done", "failed", "stopped"].includes(state) });
    const texts = { waiting: `${size(upload.file.size)} · ${say("waiting")}`, checking: say("Being checked …"), done: size(upload.file.size), stopped: say("Stopped.") };
    upload.row.className = `upload ${state}`;
    upload.note.textContent = words || texts[state] || "";
    upload.bar.hidden = upload.over;
    if (state === "waiting") upload.bar.value = 0;
    if (state === "checking") upload.bar.removeAttribute("value");
    upload.again.hidden = !(retry && (state === "failed" || state === "stopped"));
    upload.cancel.hidden = upload.over;
    this.tell();
  }

  stop(upload) {
    upload.request?.abort();
    clearTimeout(upload.timer);
    this.say(upload, "stopped");
    upload.again.focus();
    this.go();
  }

  tell() {
    const of = (state) => this.uploads.filter((upload) => upload.state === state).length;
    const [all, done, failed] = [this.uploads.length, of("done"), of("failed")];
    this.box.querySelector("[data-uploads]").hidden = all === 0;
    const parts = [failed ? say("{done} of {all} uploaded, {failed} failed.", { done, all, failed }) : say("{done} of {all} uploaded.", { done, all })];
    if (this.left) parts.push(count("{count} more was left out: at most {most} at once.|{count} more were left out: at most {most} at once.", this.left, { most: this.most }));
    const words = parts.join(" ");
    // The same words again would be read out again.
    if (this.words.textContent !== words) this.words.textContent = words;
    this.clear.hidden = !this.uploads.some((upload) => upload.over);
  }

  go() {
    const busy = this.uploads.filter((upload) => ["sending", "checking"].includes(upload.state)).length;
    for (const upload of this.uploads.filter((one) => one.state === "waiting" && !one.timer).slice(0, Math.max(0, LANES - busy))) this.send(upload);
    const under = this.uploads.some((upload) => !upload.over);
    if (!under && this.arrived) {
      this.arrived = false;
      this.renew();
    }
  }

  send(upload) {
    const request = new XMLHttpRequest();
    // Fields that belong to the form may stand anywhere on the page; the file comes last, as they count for it.
    const body = new FormData(this.form);
    body.delete(this.box.dataset.field);
    // A page that has a place for these is told of them.
    const own = { folder: folders.get(upload.file), modified_at: upload.file.lastModified ? new Date(upload.file.lastModified).toISOString() : "" };
    for (const [name, value] of Object.entries(own)) {
      if (!body.has(name)) continue;
      if (value) body.set(name, value);
      else body.delete(name);
    }
    body.append(this.box.dataset.field, upload.file, upload.file.name);
    upload.request = request;
    this.say(upload, "sending", say("{share} % of {size}", { share: 0, size: size(upload.file.size) }));
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable || upload.state !== "sending") return;
      const share = Math.floor((100 * event.loaded) / event.total);
      upload.bar.value = share;
      upload.note.textContent = say("{share} % of {size}", { share, size: size(upload.file.size) });
    });
    request.upload.addEventListener("load", () => { if (upload.state === "sending") this.say(upload, "checking"); });
    request.addEventListener("load", () => this.answered(upload, request));
    request.addEventListener("error", () => {
      this.say(upload, "failed", say("The server cannot be reached. Check your connection."));
      this.go();
    });
    request.open("POST", this.box.dataset.send);
    request.setRequestHeader("Accept", "application/json");
    // The same for every attempt: what arrived although the answer was lost is not stored twice.
    request.setRequestHeader("Idempotency-Key", upload.key);
    request.send(body);
  }

  answered(upload, request) {
    let data = {};
    try {
      data = JSON.parse(request.responseText);
    } catch {
      // A proxy in between answers with a page of its own.
    }
    if (request.status >= 200 && request.status < 300 && data.status === "failed") {
      // It has arrived, and nothing can be read in it: the same file again would not help.
      this.say(upload, "failed", told(data.reason) ?? say("It cannot be read."), false);
      this.arrived = true;
    } else if (request.status >= 200 && request.status < 300) {
      const twins = known(data.duplicate_of);
      const passages = data.passages === undefined ? [] : [count("{count} passage|{count} passages", data.passages), ...(data.warnings ?? []).map((one) => told(one))];
      const parts = [...passages, ...(twins ? [twins] : [])];
      this.say(upload, "done", parts.length > 0 ? [size(upload.file.size), ...parts].join(" · ") : undefined);
      this.arrived = true;
      const { link } = this.box.dataset;
      if (link && data.id) {
        const anchor = document.createElement("a");
        anchor.href = link.replace("{id}", encodeURIComponent(data.id));
        anchor.textContent = upload.file.name;
        upload.name.replaceChildren(anchor);
      }
    } else {
      const wait = Number.parseInt(request.getResponseHeader("Retry-After") ?? "", 10);
      if (request.status === 429 && wait <= PATIENCE && upload.tries < 5) {
        upload.tries += 1;
        this.say(upload, "waiting", say("Waiting: the server asks for a pause."));
        upload.timer = setTimeout(() => { upload.timer = 0; this.go(); }, Math.max(1, wait) * 1000);
      } else {
        const title = request.status === 413 ? say("The file is too large for this server.") : say("The server answered with status {status}.", { status: request.status });
        const problem = Problem.from({ title, ...data, status: request.status });
        // Another attempt after an answer is another request.
        upload.key = freshKey();
        const known = request.status === 409 && this.box.dataset.link && /document ([0-9a-f-]{36})/.exec(problem.message)?.[1];
        if (known) {
          this.say(upload, "done", say("It is here already."));
          const anchor = document.createElement("a");
          anchor.href = this.box.dataset.link.replace("{id}", encodeURIComponent(known));
          anchor.textContent = upload.file.name;
          upload.name.replaceChildren(anchor);
          this.go();
          return;
        }
        this.say(upload, "failed", request.status === 401 ? say("You are signed out. Sign in again in another tab, then try again.") : problem.message);
      }
    }
    this.go();
  }

  /** Reads the parts of the page again that show what has arrived. */
  async renew() {
    const parts = this.box.dataset.parts.split(" ").filter(Boolean);
    if (!parts.length) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin", redirect: "error" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts) {
        const selector = `[data-fresh="${CSS.escape(part)}"]`;
        const fresh = page.querySelector(selector);
        if (fresh) document.querySelector(selector)?.replaceWith(document.adoptNode(fresh));
      }
      prepare(document);
    } catch {
      // The files have arrived; the page shows them with the next reload.
    }
  }
}

const zones = [...document.querySelectorAll("[data-drop]")].map((box) => new Zone(box));

// A file beside the zone must not make the browser leave the page.
for (const event of ["dragover", "drop"]) addEventListener(event, (one) => { if (zones.length && !one.defaultPrevented && [...(one.dataTransfer?.types ?? [])].includes("Files")) one.preventDefault(); });
addEventListener("beforeunload", (event) => {
  if (zones.some((zone) => zone.uploads.some((upload) => !upload.over))) event.preventDefault();
});
// An empty place may lead here.
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='#']");
  const zone = link && zones.find(({ box }) => box.id === link.hash.slice(1));
  if (!zone) return;
  event.preventDefault();
  zone.box.scrollIntoView({ block: "center", behavior: "smooth" });
  zone.field.click();
});
