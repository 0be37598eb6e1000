// One turn: a message out, an answer in, through cuts of the connection. It knows nothing of the page: what happens
// is told to a listener with `start`, `text`, `citation`, `again` (the stream begins anew) and `waiting` (true while the
// connection is lost, false when it is back).

import { Problem, answerAgain, continueAnswer, editMessage, resumeStream, sendMessage } from "./api.js";
import { events } from "./sse.js";

// How long to wait before each new attempt, in milliseconds: two minutes in all. The server keeps an answer going for
// 30 s, and what was written for ever; a server that is replaced may be away for a while.
const PAUSES = [250, 1000, 2000, 4000, ...Array(14).fill(8000)];
// From this attempt on the reader is told.
const TOLD = 2;
// The server sends a comment every 10 s; three of them missing means that the connection is dead.
const SILENCE = 35_000;

/**
 * Sends a message and follows its answer. Gives what the `done` event says: `{ message_id, finish_reason, usage }`.
 * Throws a Problem: with `begun` when the server has taken the message, without when it has not.
 */
export async function send(conversation, content, key, listener, files = []) {
  const response = await sendMessage(conversation, content, key, files);
  return follow(conversation, response, listener);
}

/** Asks for another answer and follows it, like `send`. */
export async function again(conversation, message, key, listener) {
  return follow(conversation, await answerAgain(conversation, message, key), listener);
}

/** Lets an answer that ended too early go on and follows it from its beginning, like `send`. */
export async function goOn(conversation, message, key, listener) {
  return follow(conversation, await continueAnswer(conversation, message, key), listener);
}

/** Says something else in the place of a message and follows the answer, like `send`. */
export async function edit(conversation, message, content, listener) {
  return follow(conversation, await editMessage(conversation, message, content), listener);
}

/** Follows an answer that is being written already. */
export async function resume(conversation, listener) {
  return follow(conversation, null, listener);
}

async function follow(conversation, first, listener) {
  const state = { lastEvent: null, started: false };
  let response = first;
  for (let attempt = 0; ; attempt += 1) {
    try {
      response ??= await resumeStream(conversation, state.lastEvent);
      const end = await read(response, state, listener);
      if (end) return end;
    } catch (error) {
      // What the server says about the turn is final; what the network does is not.
      if (error instanceof Problem && (error.final || (error.status >= 400 && error.status !== 503))) {
        error.begun = true;
        throw error;
      }
    }
    if (state.progress) attempt = 0;
    state.progress = false;
    if (attempt >= PAUSES.length) {
      const problem = new Problem({ detail: "The connection was lost. The answer may be complete: reload to see it." });
      problem.begun = true;
      problem.lost = true;
      throw problem;
    }
    if (attempt === TOLD) listener.waiting?.(true);
    state.waiting = attempt >= TOLD;
    await pause(PAUSES[attempt]);
    response = null;
  }
}

/** Waits, but not when the network has just come back. */
function pause(span) {
  return new Promise((wake) => {
    const over = () => {
      clearTimeout(timer);
      removeEventListener("online", over);
      wake();
    };
    const timer = setTimeout(over, span);
    addEventListener("online", over);
  });
}

/** Reads one connection. Gives the end of the turn, or nothing when the connection ended before. */
async function read(response, state, listener) {
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
    // A repeated request, or a turn that has ended: the finished message as JSON.
    const answer = await response.json();
    const message = answer.message ?? answer.items?.at(-1) ?? answer;
    listener.start({ message, user_message: answer.user_message });
    return message.id ? { message_id: message.id, finish_reason: message.finish_reason } : null;
  }
  const silence = new AbortController();
  let timer = 0;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE);
  };
  const alive = response.body.pipeThrough(new TransformStream({ transform(chunk, out) { heard(); out.enqueue(chunk); } }));
  heard();
  try {
    for await (const event of events(alive, silence.signal)) {
      if (event.id !== undefined) state.lastEvent = event.id;
      state.progress = true;
      if (state.waiting) listener.waiting?.(false);
      state.waiting = false;
      const data = JSON.parse(event.data);
      if (event.type === "message") {
        if (state.started) listener.again();
        state.started = true;
        listener.start(data);
      } else if (event.type === "delta") {
        listener.text(String(data.text ?? ""));
      } else if (event.type === "citation") {
        listener.citation(data);
      } else if (event.type === "done") {
        return data;
      } else if (event.type === "error") {
        throw Object.assign(Problem.from(data), { final: true });
      }
    }
  } finally {
    clearTimeout(timer);
  }
  return null;
}
