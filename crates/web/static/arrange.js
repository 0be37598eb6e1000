// What the API knows of the order of conversations: one, many, folders, tags, and the search.

import { call } from "./api.js";

const conversations = "/api/v1/conversations";
const folder = (id) => `/api/v1/folders/${encodeURIComponent(id)}`;
const json = async (answer) => (await answer).json();

export const arrange = (id, body) => json(call("PUT", `${conversations}/${encodeURIComponent(id)}`, { body }));
export const arrangeMany = (ids, body) => json(call("POST", `${conversations}/bulk`, { body: { ids, ...body } }));
export const listWhere = (where) =>
  json(call("GET", `${conversations}?${new URLSearchParams({ limit: "100", ...where })}`));
export const listFolders = async () => (await json(call("GET", "/api/v1/folders"))).items;
export const createFolder = (name, parent) =>
  json(call("POST", "/api/v1/folders", { body: parent ? { name, parent_id: parent } : { name } }));
export const renameFolder = (id, name) => json(call("PUT", folder(id), { body: { name } }));
export const deleteFolder = (id) => call("DELETE", folder(id));
export const listTags = async () => (await json(call("GET", "/api/v1/tags"))).items;
export const search = (where, signal) =>
  json(call("GET", `${conversations}/search?${new URLSearchParams({ limit: "20", ...where })}`, { signal }));

/** Which folders lie in which: each after the one it lies in, with its depth. */
export function inOrder(folders, parent = null, depth = 0) {
  const here = folders.filter((one) => one.parent_id === parent);
  return here.flatMap((one) => [{ ...one, depth }, ...inOrder(folders, one.id, depth + 1)]);
}
