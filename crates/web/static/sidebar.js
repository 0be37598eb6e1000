// The list of conversations: the drawer on a phone, the menu of each one, renaming, deleting, older ones.

import { Problem, deleteConversation, exportUrl, listConversations, renameConversation } from "./api.js";
import { notice } from "./notices.js";
import { putBeside } from "./reading.js";

const talk = document.querySelector(".talk");
const shelves = document.querySelector("[data-shelves]");
const moreButton = document.querySelector("[data-more-conversations]");
const menu = document.getElementById("conversation-menu");
const renameDialog = document.getElementById("rename-dialog");
const deleteDialog = document.getElementById("delete-dialog");
const title = document.querySelector("[data-title]");
const NEWEST = "Last 24 hours";

const copyOf = (name) => document.getElementById(name).content.firstElementChild.cloneNode(true);
export const entry = (id) => shelves.querySelector(`.conversation[data-conversation="${CSS.escape(id)}"]`);
const pageOf = (id) => `/apps/${encodeURIComponent(talk.dataset.app)}/${encodeURIComponent(id)}`;
export const complain = (error) => notice({ text: error instanceof Problem ? error.message : "Something went wrong." });

/** The conversation that the menu or a dialog is about. */
let chosen = null;

/** The conversation that the menu was opened for, with its name. */
export const chosenNow = () => chosen;

export function shelf(name) {
  const known = [...shelves.querySelectorAll("section:not([data-fixed])")].find((section) => section.querySelector("h2").textContent === name);
  if (known) return known.querySelector("ul");
  const fresh = copyOf("shelf-template");
  fresh.querySelector("h2").textContent = name;
  if (name === NEWEST) (shelves.querySelector("[data-folders]") ?? shelves.firstElementChild).after(fresh);
  else shelves.querySelector(".shelves-empty").before(fresh);
  return fresh.querySelector("ul");
}

function entitle(item, words) {
  item.querySelector("a").textContent = words;
  item.querySelector("button").setAttribute("aria-label", `More for ${words}`);
}

export function makeEntry({ id, title: name, tags = [], ...order }) {
  const item = copyOf("conversation-template");
  item.dataset.conversation = id;
  item.querySelector("a").href = pageOf(id);
  entitle(item, name || "New conversation");
  document.dispatchEvent(new CustomEvent("conversation-made", { detail: { item, tags, ...order } }));
  return item;
}

/** Puts a conversation at the top of the list, as the open one. */
export function promote(id, name) {
  if ("temporary" in talk.dataset) return;
  const item = entry(id) ?? makeEntry({ id, title: name });
  const before = item.closest("section");
  const top = shelf(NEWEST);
  if (!before?.matches("[data-fixed]") && top.firstElementChild !== item) top.prepend(item);
  tidy(before);
  for (const link of shelves.querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
  item.querySelector("a").setAttribute("aria-current", "page");
  document.querySelector("[data-open-conversation]").hidden = false;
}

/** Shows a new title wherever the old one stands. */
export function retitle(id, name) {
  const words = name || "New conversation";
  const item = entry(id);
  if (item) entitle(item, words);
  if (id === talk.dataset.conversation) {
    title.textContent = words;
    document.title = `${words} · ${talk.dataset.appName} · Stoa`;
  }
}

function openMenu(button) {
  const id = button.closest(".conversation")?.dataset.conversation ?? talk.dataset.conversation;
  const name = entry(id)?.querySelector("a").textContent ?? title.textContent;
  chosen = { id, name, button };
  for (const format of ["markdown", "json", "html"]) menu.querySelector(`[data-action="${format}"]`).href = exportUrl(id, format);
  menu.querySelector('[data-action="print"]').href = `${pageOf(id)}/print`;
  document.dispatchEvent(new CustomEvent("conversation-menu", { detail: chosen }));
  menu.showPopover();
  putBeside(menu, button);
  button.setAttribute("aria-expanded", "true");
  menu.querySelector("[role=menuitem]").focus();
}

function moveInMenu(event) {
  const items = [...menu.querySelectorAll("[role=menuitem]")];
  const here = items.indexOf(document.activeElement);
  const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    items.at(to % items.length).focus();
  } else if (event.key === "Tab") {
    menu.hidePopover();
  }
}

async function rename() {
  const { id, name } = chosen;
  const wanted = renameDialog.querySelector("input").value.trim();
  if (!wanted || wanted === name) return;
  retitle(id, wanted);
  try {
    retitle(id, (await renameConversation(id, wanted)).title ?? wanted);
  } catch (error) {
    retitle(id, name);
    complain(error);
  }
}

async function remove() {
  const { id } = chosen;
  try {
    await deleteConversation(id);
  } catch (error) {
    if (error.status !== 404) {
      complain(error);
      return;
    }
  }
  if (id === talk.dataset.conversation) {
    location.assign(`/apps/${encodeURIComponent(talk.dataset.app)}`);
    return;
  }
  const item = entry(id);
  const section = item?.closest("section");
  const beside = item?.nextElementSibling ?? item?.previousElementSibling;
  const hadFocus = item?.contains(document.activeElement);
  item?.remove();
  if (hadFocus) (beside?.querySelector("a") ?? document.querySelector(".side .new")).focus();
  tidy(section);
}

/** Takes away a shelf on which nothing stands any more. */
export function tidy(section) {
  if (!section || section.querySelector("li")) return;
  if (section.matches("[data-pinned-shelf]")) section.hidden = true;
  else if (!section.matches("[data-fixed]")) section.remove();
}

async function showMore() {
  moreButton.disabled = true;
  try {
    const { items, next } = await listConversations(talk.dataset.app, shelves.dataset.next);
    const last = [...shelves.querySelectorAll("section:not([data-fixed]) ul")].at(-1) ?? shelf("Older");
    for (const item of items) if (!entry(item.id)) last.append(makeEntry(item));
    shelves.dataset.next = next ?? "";
    moreButton.hidden = !next;
  } catch (error) {
    complain(error);
  }
  moreButton.disabled = false;
}

export function confirmWith(dialog, run) {
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "ok") run();
    if (chosen?.button.isConnected) chosen.button.focus();
  });
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close("ok");
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-cancel]")) dialog.close("");
  });
}

function drawer() {
  const openers = document.querySelectorAll("[data-open-side]");
  const side = document.getElementById("side");
  const room = document.querySelector(".room");
  const narrow = matchMedia("(max-width: 48rem)");
  const set = (open) => {
    const shown = open && narrow.matches;
    document.body.classList.toggle("side-open", shown);
    room.inert = shown;
    for (const opener of openers) opener.setAttribute("aria-expanded", String(shown));
  };
  for (const opener of openers) {
    opener.addEventListener("click", () => {
      set(true);
      side.querySelector("a, button").focus();
    });
  }
  const close = () => {
    if (!document.body.classList.contains("side-open")) return;
    set(false);
    openers[0]?.focus();
  };
  for (const closer of document.querySelectorAll("[data-close-side]")) closer.addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector(":popover-open, dialog[open]")) close();
  });
  narrow.addEventListener("change", () => set(false));
}

export function begin() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-conversation-menu]");
    if (button) openMenu(button);
  });
  menu.addEventListener("keydown", moveInMenu);
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    chosen?.button.setAttribute("aria-expanded", "false");
    if (menu.contains(document.activeElement) || document.activeElement === document.body) chosen?.button.focus();
  });
  menu.addEventListener("click", (event) => {
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (!action) return;
    menu.hidePopover();
    if (action === "rename") {
      const input = renameDialog.querySelector("input");
      input.value = chosen.name;
      renameDialog.returnValue = "";
      renameDialog.showModal();
      input.select();
    } else if (action === "delete") {
      deleteDialog.querySelector("[data-delete-name]").textContent = `“${chosen.name}”`;
      deleteDialog.returnValue = "";
      deleteDialog.showModal();
    } else {
      document.dispatchEvent(new CustomEvent("conversation-action", { detail: { ...chosen, action } }));
    }
  });
  confirmWith(renameDialog, rename);
  confirmWith(deleteDialog, remove);
  moreButton.addEventListener("click", showMore);
  drawer();
  shelves.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}
