// The official OpenAI package for Node against a running server. Nothing of it is patched. Addresses and keys come
// from the environment; a failed step ends the run.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The package lies in the folder that the test installed it into, not beside this file.
const require = createRequire(`${process.env.STOA_NODE_FOLDER}/package.json`);
const { default: OpenAI } = await import(pathToFileURL(require.resolve("openai")).href);

const { STOA_URL: URL, STOA_LIMITED_URL: LIMITED, STOA_KEY: KEY } = process.env;
const ask = { model: "assistant", messages: [{ role: "user", content: "How do you do?" }] };
const ANSWER = "You said 14 characters. Good.";

const client = ({ url = URL, key = KEY, maxRetries = 0 } = {}) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries });

async function refused(kind, status, call, code) {
  const error = await call().then(() => assert.fail(`${kind.name} was expected`), (error) => error);
  assert.equal(error.constructor, kind, String(error));
  assert.equal(error.status, status);
  if (code) assert.equal(error.code, code);
  assert.ok(error.requestID ?? error.request_id);
  assert.ok(!String(error).includes("provider-secret-detail"));
  return error;
}

const text = async (stream) => {
  let whole = "";
  for await (const piece of stream) whole += piece.choices[0]?.delta?.content ?? "";
  return whole;
};

const steps = {
  async create() {
    const whole = await client().chat.completions.create(ask);
    assert.equal(whole.choices[0].message.content, ANSWER);
    assert.equal(whole.choices[0].finish_reason, "stop");
    assert.deepEqual(whole.usage, { prompt_tokens: 7, completion_tokens: 11, total_tokens: 18 });
    assert.ok(whole._request_id);
  },
  async stream() {
    assert.equal(await text(await client().chat.completions.create({ ...ask, stream: true })), ANSWER);
  },
  async streamWithUsage() {
    const pieces = [];
    const options = { ...ask, stream: true, stream_options: { include_usage: true } };
    for await (const piece of await client().chat.completions.create(options)) pieces.push(piece);
    assert.deepEqual(pieces.at(-1).choices, []);
    assert.equal(pieces.at(-1).usage.total_tokens, 18);
  },
  async streamThroughThePackagesOwnAccumulator() {
    const runner = client().chat.completions.stream(ask);
    assert.equal(await runner.finalContent(), ANSWER);
  },
  async streamLeftEarly() {
    const slow = { model: "assistant", messages: [{ role: "user", content: "Tell it slowly" }], stream: true };
    const stream = await client().chat.completions.create(slow);
    for await (const piece of stream) if (piece.choices[0].delta.content?.includes("word")) break;
    assert.ok(stream.controller.signal.aborted, "leaving the loop closes the connection");
  },
  async models() {
    const ids = [];
    for await (const model of client().models.list()) ids.push(model.id);
    assert.ok(ids.includes("assistant"));
    assert.equal((await client().models.retrieve("assistant")).object, "model");
  },
  async embeddings() {
    const input = ["one", "two"];
    const usual = await client().embeddings.create({ model: "mock-embed", input });
    const plain = await client().embeddings.create({ model: "mock-embed", input, encoding_format: "float" });
    assert.deepEqual(plain.data.map((one) => one.embedding), [[0.25, -1.5, 0], [0.25, -1.5, 1]]);
    assert.deepEqual(usual.data.map((one) => [...one.embedding]), plain.data.map((one) => one.embedding));
  },
  async moderations() {
    const [found] = (await client().moderations.create({ input: "I will kill you, I know where you live" })).results;
    assert.ok(found.flagged && found.categories["harassment/threatening"]);
    assert.ok(found.category_scores["harassment/threatening"] >= 0.5 && !found.categories["sexual/minors"]);
    assert.equal(Object.keys(found.categories).length, 13);
    const many = await client().moderations.create({ model: "omni-moderation-latest", input: ["Hello", "Good night"] });
    assert.deepEqual(many.results.map((one) => one.flagged), [false, false]);
  },
  async errors() {
    const create = (more, ours = client()) => () => ours.chat.completions.create({ ...ask, ...more });
    await refused(OpenAI.AuthenticationError, 401, create({}, client({ key: "sk-wrong" })), "unauthenticated");
    await refused(OpenAI.NotFoundError, 404, create({ model: "gpt-4o" }), "not_found");
    await refused(OpenAI.BadRequestError, 400, create({ messages: [] }), "invalid_input");
    const failing = { messages: [{ role: "user", content: "always fail" }] };
    await refused(OpenAI.InternalServerError, 503, create(failing), "model_unavailable");
  },
  async limitsAndRetries() {
    const limited = client({ url: LIMITED });
    const error = await (async () => {
      for (;;) {
        const failed = await limited.chat.completions.create(ask).then(() => null, (error) => error);
        if (failed) return failed;
      }
    })();
    assert.equal(error.constructor, OpenAI.RateLimitError);
    const patient = client({ url: LIMITED, maxRetries: 3 });
    for (let n = 0; n < 4; n += 1) assert.ok((await patient.models.list()).data.length);
  },
};

for (const [name, step] of Object.entries(steps)) {
  await step();
  console.log("ok", name);
}
console.log(`openai for Node on ${process.version}: done`);
