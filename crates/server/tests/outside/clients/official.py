"""The official OpenAI package for Python against a running server. Nothing of it is patched; each step says what an
unchanged program relies on. Addresses and keys come from the environment, a failed step ends the run."""

import asyncio
import base64
import os
import struct
import time

import openai

URL, LIMITED, ALONE = os.environ["STOA_URL"], os.environ["STOA_LIMITED_URL"], os.environ["STOA_ALONE_URL"]
KEY = os.environ["STOA_KEY"]
ASKED = [{"role": "user", "content": "How do you do?"}]
ANSWER = "You said 14 characters. Good."


def client(url=URL, key=KEY, **more):
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key, **{"max_retries": 0, **more})


def refused(kind, status, call, code=None):
    """The call fails with exactly this class, and says nothing of what is behind the server."""
    try:
        call()
    except openai.APIStatusError as error:
        assert type(error) is kind, (type(error), error)
        assert error.status_code == status, error
        assert code is None or error.code == code, (error.code, error.body)
        assert error.body["message"] and error.request_id, error.body
        assert "provider-secret-detail" not in str(error), error
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def create():
    whole = client().chat.completions.create(model="assistant", messages=ASKED)
    assert whole.id.startswith("chatcmpl-") and whole.object == "chat.completion", whole
    assert whole.model == "assistant" and abs(whole.created - time.time()) < 60, whole
    choice = whole.choices[0]
    assert (choice.index, choice.finish_reason) == (0, "stop"), choice
    assert (choice.message.role, choice.message.content) == ("assistant", ANSWER), choice
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens, whole.usage.total_tokens) == (7, 11, 18)
    assert whole._request_id


def create_with_everything():
    """What programs send beside the question: parts, earlier messages, fields that mean nothing here."""
    whole = client().chat.completions.create(
        model="assistant",
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Good"}, {"type": "text", "text": "morning"}]},
            {"role": "assistant", "content": "Good morning."},
            {"role": "user", "content": "How do you do?", "name": "ada"},
        ],
        max_completion_tokens=50,
        temperature=0.2,
        top_p=0.9,
        seed=7,
        user="ada",
        stop=["END"],
        response_format={"type": "text"},
        metadata={"a": "b"},
    )
    assert whole.choices[0].message.content == ANSWER


def stream():
    pieces = list(client().chat.completions.create(model="assistant", messages=ASKED, stream=True))
    assert len({piece.id for piece in pieces}) == 1 and len(pieces) > 4, pieces
    assert all(piece.object == "chat.completion.chunk" and piece.model == "assistant" for piece in pieces)
    assert pieces[0].choices[0].delta.role == "assistant"
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == ANSWER
    assert [piece.choices[0].finish_reason for piece in pieces if piece.choices[0].finish_reason] == ["stop"]
    assert all(piece.usage is None for piece in pieces), "usage comes when it is asked for"


def stream_with_usage():
    options = {"include_usage": True}
    pieces = list(client().chat.completions.create(
        model="assistant", messages=ASKED, stream=True, stream_options=options))
    assert pieces[-1].choices == [] and pieces[-1].usage.total_tokens == 18, pieces[-1]
    assert all(piece.usage is None for piece in pieces[:-1])


def stream_through_the_package_s_own_accumulator():
    with client().chat.completions.stream(model="assistant", messages=ASKED) as events:
        whole = events.get_final_completion()
    assert whole.choices[0].message.content == ANSWER


def stream_left_early():
    with client().chat.completions.create(
        model="assistant", messages=[{"role": "user", "content": "Tell it slowly"}], stream=True
    ) as pieces:
        said = ""
        for piece in pieces:
            assert piece.choices[0].finish_reason is None, "it is over before it was left"
            said += piece.choices[0].delta.content or ""
            if "word2" in said:
                break


async def many_at_once():
    ours = openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)

    async def one():
        pieces = await ours.chat.completions.create(model="assistant", messages=ASKED, stream=True)
        return "".join([piece.choices[0].delta.content or "" async for piece in pieces])

    assert await asyncio.gather(*[one() for _ in range(20)]) == [ANSWER] * 20


def models():
    found = client().models.list().data
    assert "assistant" in [model.id for model in found], found
    assert all(model.object == "model" and model.owned_by for model in found), found
    assert client().models.retrieve("assistant").id == "assistant"
    refused(openai.NotFoundError, 404, lambda: client().models.retrieve("no-such-model"), "not_found")


def embeddings():
    """Without a format the package asks for base64 and decodes it; both forms are the same numbers."""
    texts = ["one", "two", "three"]
    usual = client().embeddings.create(model="mock-embed", input=texts)
    plain = client().embeddings.create(model="mock-embed", input=texts, encoding_format="float")
    packed = client().embeddings.create(model="mock-embed", input=texts, encoding_format="base64")
    assert [one.index for one in usual.data] == [0, 1, 2] and usual.object == "list"
    assert [one.embedding for one in plain.data] == [[0.25, -1.5, float(n)] for n in range(3)]
    assert [list(one.embedding) for one in usual.data] == [one.embedding for one in plain.data]
    unpacked = [list(struct.unpack("<3f", base64.b64decode(one.embedding))) for one in packed.data]
    assert unpacked == [one.embedding for one in plain.data]
    assert usual.usage.prompt_tokens == 3 and usual.model == "mock-embed"
    assert len(client().embeddings.create(model="mock-embed", input="one").data) == 1
    refused(openai.BadRequestError, 400, lambda: client().embeddings.create(model="mock-embed", input=[]))


def moderations():
    """Every category as an attribute, whatever was found; a text, several, and parts of one."""
    ours = client()
    one = ours.moderations.create(input="I will kill you, I know where you live")
    assert one.id.startswith("modr-") and one.model and len(one.results) == 1, one
    result = one.results[0]
    assert result.flagged and result.categories.harassment_threatening, result
    assert result.category_scores.harassment_threatening >= 0.5 > result.category_scores.sexual_minors, result
    assert result.categories.self_harm_intent is False and result.category_scores.illicit_violent < 0.5
    assert result.category_applied_input_types.harassment == ["text"]
    several = ours.moderations.create(model="omni-moderation-latest", input=["How do I kill a process?", "Hello"])
    assert [result.flagged for result in several.results] == [False, False], several
    parts = ours.moderations.create(input=[{"type": "text", "text": "Good"}, {"type": "text", "text": "morning"}])
    assert len(parts.results) == 1 and not parts.results[0].flagged
    picture = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    refused(openai.BadRequestError, 400, lambda: ours.moderations.create(input=picture), "invalid_input")
    refused(openai.BadRequestError, 400, lambda: ours.moderations.create(input=[]), "invalid_input")


def errors():
    def ask(ours=None, **more):
        ours = ours or client()
        return lambda: ours.chat.completions.create(**{"model": "assistant", "messages": ASKED, **more})

    refused(openai.AuthenticationError, 401, ask(client(key="sk-wrong")), "unauthenticated")
    refused(openai.AuthenticationError, 401, lambda: client(key="sk-wrong").models.list())
    refused(openai.NotFoundError, 404, ask(model="gpt-4o"), "not_found")
    refused(openai.BadRequestError, 400, ask(messages=[]), "invalid_input")
    assert refused(openai.BadRequestError, 400, ask(n=2)).param == "n"
    refused(openai.BadRequestError, 400, ask(temperature=3))
    refused(openai.BadRequestError, 400, ask(messages=[{"role": "user", "content": "x" * 2_000_000}]))
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    refused(openai.BadRequestError, 400, ask(messages=[{"role": "user", "content": [picture]}]))
    failing = [{"role": "user", "content": "always fail"}]
    refused(openai.InternalServerError, 503, ask(messages=failing), "model_unavailable")
    refused(openai.InternalServerError, 503, ask(messages=failing, stream=True), "model_unavailable")
    refused(openai.InternalServerError, 503,
            lambda: client(ALONE).embeddings.create(model="any", input="one"), "unavailable")


def limits_and_retries():
    limited = client(LIMITED)
    for _ in range(2):
        limited.chat.completions.create(model="assistant", messages=ASKED)
    error = refused(openai.RateLimitError, 429, lambda: limited.chat.completions.create(
        model="assistant", messages=ASKED), "rate_limited")
    assert 1 <= int(error.response.headers["retry-after"]) <= 60, error.response.headers
    assert error.response.headers["x-ratelimit-remaining"] == "0"
    # Two requests in two seconds: left to itself, the package waits as long as it is told, and succeeds.
    patient = client(LIMITED, max_retries=3)
    assert all(patient.models.list().data for _ in range(4))


def the_model_recovers():
    """The provider fails more often than the server retries by itself: the package's own retry gets the answer."""
    whole = client(max_retries=2).chat.completions.create(
        model="assistant", messages=[{"role": "user", "content": "Do not stumble"}])
    assert whole.choices[0].message.content.startswith("You said")


if __name__ == "__main__":
    for step in (create, create_with_everything, stream, stream_with_usage,
                 stream_through_the_package_s_own_accumulator, stream_left_early, models, embeddings, moderations,
                 the_model_recovers, limits_and_retries, errors):
        step()
        print("ok", step.__name__, flush=True)
    asyncio.run(many_at_once())
    print("ok many_at_once")
    print(f"openai for Python {openai.__version__}: done")
