// The order of conversations: pinned, put away, moved, tagged; the way to a message that was found.

import { getConversation, goOver } from "./api.js";
import { arrange, createFolder, listTags, listWhere } from "./arrange.js";
import * as folders from "./folders.js";
import * as search from "./search.js";
import * as select from "./select.js";
import { complain, confirmWith, entry, makeEntry, shelf, tidy } from "./sidebar.js";
import * as temporary from "./temporary.js";
import { say } from "./say.js";

const talk = document.querySelector(".talk");
const shelves = document.querySelector("[data-shelves]");
const pinnedShelf = document.querySelector("[data-pinned-shelf]");
const menu = document.getElementById("conversation-menu");
const moveDialog = document.getElementById("move-dialog");
const tagsDialog = document.getElementById("tags-dialog");
const archive = document.querySelector("[data-show-archive]");

/** Shows on an entry where its conversation stands. */
function dress(item, { pinned, archived, folder_id: folder, tags = [] }) {
  item.toggleAttribute("data-pinned", Boolean(pinned));
  item.toggleAttribute("data-archived", Boolean(archived));
  if (folder) item.dataset.folder = folder;
  else delete item.dataset.folder;
  item.querySelector(".chips")?.remove();
  if (tags.length === 0) return;
  const chips = Object.assign(document.createElement("span"), { className: "chips" });
  for (const tag of tags) chips.append(Object.assign(document.createElement("span"), { className: "chip", textContent: tag }));
  item.querySelector("a").after(chips);
}

/** Puts an entry where its conversation belongs now. */
function settle(conversation) {
  const item = entry(conversation.id) ?? makeEntry(conversation);
  const before = item.closest("section");
  dress(item, conversation);
  const away = shelves.dataset.view === "archive";
  const row = shelves.querySelector(`.folder[data-folder-id="${CSS.escape(conversation.folder_id ?? "")}"]`);
  if (conversation.archived !== away) item.remove();
  else if (away) shelves.querySelector("[data-archive] ul").append(item);
  else if (conversation.pinned) {
    pinnedShelf.hidden = false;
    pinnedShelf.querySelector("ul").prepend(item);
  } else if (row) {
    row.querySelector(".folder-empty")?.remove();
    row.querySelector("ul").prepend(item);
    row.querySelector("details").open = true;
  } else if (!before || before.matches("[data-fixed]")) shelf(say("Last 24 hours")).prepend(item);
  tidy(before);
}

/** Opens a dialog; gives whether the person said yes. */
function said(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue === "ok"), { once: true });
  });
}

async function chooseFolder(current) {
  await folders.choices(moveDialog.querySelector("[data-move-list]"), current);
  const fresh = moveDialog.querySelector("#move-new");
  fresh.value = "";
  if (!(await said(moveDialog))) return null;
  if (fresh.value.trim()) {
    const made = await createFolder(fresh.value.trim());
    await folders.refresh();
    return { folder_id: made.id };
  }
  return { folder_id: moveDialog.querySelector("input[name=folder]:checked")?.value || null };
}

async function chooseTags(current) {
  const input = tagsDialog.querySelector("#tags-input");
  const known = await listTags();
  const chips = known.slice(0, 30).map(({ tag }) => {
    const chip = Object.assign(document.createElement("button"), { type: "button", className: "chip", textContent: tag });
    chip.addEventListener("click", () => {
      const tags = split(input.value);
      if (!tags.includes(tag)) input.value = [...tags, tag].join(", ");
      input.focus();
    });
    return chip;
  });
  tagsDialog.querySelector("[data-known-tags]").replaceChildren(...chips);
  input.value = current.join(", ");
  return (await said(tagsDialog)) ? split(input.value) : null;
}

const split = (text) => text.split(",").map((tag) => tag.trim()).filter(Boolean);

async function act({ id, action }) {
  const now = await getConversation(id);
  let body = null;
  if (action === "pin") body = { pinned: !now.pinned };
  else if (action === "archive") body = { archived: !now.archived };
  else if (action === "move") body = await chooseFolder(now.folder_id);
  else if (action === "tags") {
    const tags = await chooseTags(now.tags);
    body = tags && { tags };
  }
  if (body) settle(await arrange(id, body));
}

async function showArchive() {
  const on = archive.getAttribute("aria-pressed") !== "true";
  archive.setAttribute("aria-pressed", String(on));
  shelves.querySelector("[data-archive]")?.remove();
  delete shelves.dataset.view;
  if (!on) return;
  shelves.dataset.view = "archive";
  const section = document.createElement("section");
  section.dataset.archive = "";
  section.dataset.fixed = "";
  section.append(Object.assign(document.createElement("h2"), { textContent: say("Archive") }), document.createElement("ul"));
  shelves.prepend(section);
  const { items } = await listWhere({ app: talk.dataset.app, archived: "true" });
  for (const item of items) section.querySelector("ul").append(makeEntry(item));
  if (items.length === 0) {
    section.append(Object.assign(document.createElement("p"), { className: "found-line", textContent: say("Nothing is put away.") }));
  }
}

/** Leads to the message that the address names, on another branch too. */
async function jump() {
  const [, message] = /^#turn-([0-9a-f-]{36})$/.exec(location.hash) ?? [];
  if (!message) return;
  await goOver(talk.dataset.conversation, message);
  history.replaceState(null, "", location.pathname);
  location.replace(`${location.pathname}/messages/${encodeURIComponent(message)}`);
}

document.addEventListener("conversation-made", ({ detail: { item, ...order } }) => dress(item, order));
document.addEventListener("conversation-menu", ({ detail: { id } }) => {
  const item = entry(id);
  for (const [action, flag] of [["pin", "pinned"], ["archive", "archived"]]) {
    const label = menu.querySelector(`[data-action="${action}"] [data-words]`);
    label.textContent = label.dataset.words.split("|")[item?.hasAttribute(`data-${flag}`) ? 1 : 0];
  }
});
document.addEventListener("conversation-action", ({ detail }) => act(detail).catch(complain));
archive.addEventListener("click", () => showArchive().catch(complain));
for (const dialog of [moveDialog, tagsDialog]) confirmWith(dialog, () => {});
folders.begin();
select.begin(async (what) => {
  if (what === "move") return chooseFolder(null);
  const tags = await chooseTags([]);
  return tags && tags.length > 0 ? { add_tags: tags } : null;
});
search.begin();
temporary.begin();
jump().catch(complain);
addEventListener("hashchange", () => jump().catch(complain));
