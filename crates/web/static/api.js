// Talks to the JSON API of the server that the page came from. Every failure is a Problem with a sentence to show.

import { say, told } from "./say.js";

/** What went wrong, as the server told it; `status` is 0 when there was no answer at all. */
export class Problem extends Error {
  constructor({ status = 0, code = "offline", title = "", detail = "", retryAfter = null, requestId = null }) {
    super(told(detail, title) || say("Something went wrong."));
    Object.assign(this, { status, code, title, retryAfter, requestId });
  }

  /** From the data of an `error` event, which has the form of a problem document. */
  static from(data) {
    const { status, code, title, detail, request_id: requestId, retry_after: retryAfter } = data ?? {};
    return new Problem({ status: status ?? 500, code: code ?? "internal", title, detail, requestId, retryAfter });
  }

  static async of(response) {
    let data = {};
    try {
      data = await response.json();
    } catch {
      // A proxy in between answers with a page of its own.
      data = { title: say("The server answered with status {status}.", { status: response.status }) };
    }
    const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
    const problem = Problem.from({ ...data, status: response.status });
    if (Number.isFinite(seconds)) problem.retryAfter = seconds;
    problem.requestId ??= response.headers.get("X-Request-Id");
    return problem;
  }
}

/** A key that makes a request that is sent twice count once. */
export const freshKey = () =>
  crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16)).join("-");

/**
 * One request. Gives the response when it is a good one, else throws a Problem.
 * `randomUUID` exists on secure origins only, hence the other way in `freshKey`.
 */
export async function call(method, path, { body, key, accept = "application/json", headers = {}, signal } = {}) {
  const all = { Accept: accept, ...headers };
  if (body !== undefined) all["Content-Type"] = "application/json";
  if (key) all["Idempotency-Key"] = key;
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: all,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      redirect: "error",
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ detail: say("The server cannot be reached. Check your connection.") });
  }
  if (!response.ok) throw await Problem.of(response);
  return response;
}

const conversations = "/api/v1/conversations";
const one = (id) => `${conversations}/${encodeURIComponent(id)}`;
const json = async (answer) => (await answer).json();

export const createConversation = (app, key, temporary = false) =>
  json(call("POST", conversations, { body: temporary ? { app, temporary } : { app }, key }));
export const getConversation = (id) => json(call("GET", one(id)));
export const listConversations = (app, after) =>
  json(call("GET", `${conversations}?${new URLSearchParams({ app, after, limit: "50", pinned: "false", folder: "none" })}`));
export const renameConversation = (id, title) => json(call("PUT", one(id), { body: { title } }));
export const deleteConversation = (id) => call("DELETE", one(id));
export const stopConversation = (id) => call("POST", `${one(id)}/stop`);
export const shareConversation = (id, wish, key) => json(call("POST", `${one(id)}/shares`, { body: wish, key }));
export const endShare = (id) => call("DELETE", `/api/v1/shares/${encodeURIComponent(id)}`);
export const exportUrl = (id, format) => `${one(id)}/export?format=${format}`;

const stream = "text/event-stream, application/json;q=0.5, application/problem+json;q=0.5";

export const sendMessage = (id, content, key, files = []) =>
  call("POST", `${one(id)}/messages`, { body: { content, file_ids: files, resumable: true }, key, accept: stream });
export const answerAgain = (id, message, key) =>
  call("POST", `${one(id)}/messages/${encodeURIComponent(message)}/regenerate`, { body: { resumable: true }, key, accept: stream });
export const continueAnswer = (id, message, key) =>
  call("POST", `${one(id)}/messages/${encodeURIComponent(message)}/continue`, { body: { resumable: true }, key, accept: stream });
export const editMessage = (id, message, content) =>
  call("PUT", `${one(id)}/messages/${encodeURIComponent(message)}`, { body: { content, resumable: true }, accept: stream });
export const goOver = (id, message) => call("PUT", one(id), { body: { head: message } });
export const resumeStream = (id, lastEvent) =>
  call("GET", `${one(id)}/messages`, {
    accept: "text/event-stream",
    headers: lastEvent ? { "Last-Event-ID": lastEvent } : {},
  });

/** The finished message as HTML that the server has sanitised. */
export async function messageHtml(conversation, message) {
  const path = `/fragments/conversations/${encodeURIComponent(conversation)}/messages/${encodeURIComponent(message)}`;
  return (await call("GET", path, { accept: "text/html" })).text();
}
