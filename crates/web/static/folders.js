// Folders in the list: opened and closed as they were left, made, renamed, deleted, and chosen to move something to.

import { createFolder, deleteFolder, inOrder, listFolders, listWhere, renameFolder } from "./arrange.js";
import { putBeside } from "./reading.js";
import { complain, confirmWith, entry, makeEntry } from "./sidebar.js";

const talk = document.querySelector(".talk");
const section = document.querySelector("[data-folders]");
const menu = document.getElementById("folder-menu");
const nameDialog = document.getElementById("folder-dialog");
const deleteDialog = document.getElementById("folder-delete-dialog");
const REMEMBERED = "stoa-open-folders";

/** The folder that the menu or a dialog is about; `parent` when one is made in it. */
let chosen = null;

function remembered() {
  try {
    return new Set(JSON.parse(localStorage.getItem(REMEMBERED) ?? "[]"));
  } catch {
    return new Set();
  }
}

function remember(id, open) {
  const known = remembered();
  if (open) known.add(id);
  else known.delete(id);
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify([...known]));
  } catch {
    // Not remembered where nothing may be kept.
  }
}

async function fill(row) {
  const list = row.querySelector("ul");
  const { items } = await listWhere({ app: talk.dataset.app, folder: row.dataset.folderId });
  list.replaceChildren();
  for (const item of items) {
    const known = entry(item.id);
    const made = makeEntry(item);
    if (item.id === talk.dataset.conversation) made.querySelector("a").setAttribute("aria-current", "page");
    if (!known) list.append(made);
  }
  if (items.length === 0) {
    const empty = document.createElement("li");
    empty.className = "folder-empty";
    empty.textContent = "Nothing in it yet.";
    list.append(empty);
  }
}

function tend(row) {
  const details = row.querySelector("details");
  details.addEventListener("toggle", () => {
    remember(row.dataset.folderId, details.open);
    if (details.open) fill(row).catch(complain);
  });
  if (remembered().has(row.dataset.folderId)) details.open = true;
}

function made({ id, name, depth }) {
  const row = document.getElementById("folder-template").content.firstElementChild.cloneNode(true);
  row.dataset.folderId = id;
  row.dataset.depth = depth;
  row.classList.add(`depth-${depth}`);
  row.querySelector(".folder-name").textContent = name;
  row.querySelector("[data-folder-menu]").setAttribute("aria-label", `More for the folder ${name}`);
  return row;
}

/** Shows the folders as they are now. */
export async function refresh() {
  const folders = inOrder(await listFolders());
  section.hidden = folders.length === 0;
  for (const row of section.querySelectorAll(".folder")) row.remove();
  for (const folder of folders) {
    const row = made(folder);
    section.append(row);
    tend(row);
  }
}

/** Lets a person choose: a list of radio buttons. */
export async function choices(into, current) {
  const folders = [{ id: "", name: "No folder", depth: 0 }, ...inOrder(await listFolders())];
  const legend = into.querySelector("legend");
  const options = folders.map(({ id, name, depth }) => {
    const label = document.createElement("label");
    const radio = Object.assign(document.createElement("input"), { type: "radio", name: "folder", value: id });
    radio.checked = id === (current ?? "");
    label.className = `depth-${depth}`;
    label.append(radio, ` ${name}`);
    return label;
  });
  into.replaceChildren(legend, ...options);
}

function ask(row, words, value) {
  chosen = row;
  const [fresh, rename] = nameDialog.querySelector("[data-words]").dataset.words.split("|");
  nameDialog.querySelector("[data-words]").textContent = words === "rename" ? rename : fresh;
  nameDialog.dataset.what = words;
  nameDialog.querySelector("input").value = value;
  nameDialog.returnValue = "";
  nameDialog.showModal();
  nameDialog.querySelector("input").select();
}

async function save() {
  const name = nameDialog.querySelector("input").value.trim();
  if (!name) return;
  try {
    if (nameDialog.dataset.what === "rename") await renameFolder(chosen.dataset.folderId, name);
    else {
      const made = await createFolder(name, chosen?.dataset.folderId);
      if (chosen) remember(made.parent_id, true);
    }
    await refresh();
  } catch (error) {
    complain(error);
  }
}

async function remove() {
  try {
    await deleteFolder(chosen.dataset.folderId);
    location.reload();
  } catch (error) {
    complain(error);
  }
}

export function begin() {
  for (const row of section.querySelectorAll(".folder")) tend(row);
  document.querySelector("[data-new-folder]").addEventListener("click", () => ask(null, "new", ""));
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-folder-menu]");
    if (!button) return;
    chosen = button.closest(".folder");
    menu.showPopover();
    putBeside(menu, button);
    menu.querySelector("[role=menuitem]").focus();
  });
  menu.addEventListener("click", (event) => {
    const action = event.target.closest("[data-folder-action]")?.dataset.folderAction;
    if (!action) return;
    menu.hidePopover();
    const name = chosen.querySelector(".folder-name").textContent;
    if (action === "rename") ask(chosen, "rename", name);
    else if (action === "below") ask(chosen, "below", "");
    else {
      deleteDialog.querySelector("[data-delete-name]").textContent = `“${name}”`;
      deleteDialog.returnValue = "";
      deleteDialog.showModal();
    }
  });
  confirmWith(nameDialog, save);
  confirmWith(deleteDialog, remove);
}
