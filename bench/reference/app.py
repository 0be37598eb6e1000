"""The stack that the source documents prescribe, as small as it can be and as a team would write it.

FastAPI on uvicorn with four workers, pydantic for the input, SQLAlchemy on SQLite, httpx to the provider,
a sliding-window rate limit in memory, and personal data masked in every log line by regular expressions.
It exists to be measured beside the server; it is not meant to be run by anybody.
"""

import hashlib
import hmac
import logging
import os
import re
import time
import uuid
from collections import deque
from contextlib import asynccontextmanager
from datetime import datetime, timezone

import httpx
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import DateTime, String, Text, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

UPSTREAM = os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9101/v1")
KEYS = [hashlib.sha256(key.encode()).digest() for key in os.environ.get("API_KEYS", "bench").split(",")]
LIMIT = int(os.environ.get("RATE_LIMIT_PER_MINUTE", "30"))

MASKS = [
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "[EMAIL]"),
    (re.compile(r"\b(?:\d[ -]?){13,19}\b"), "[CARD]"),
    (re.compile(r"\b\d{3}-\d{2}-\d{4}\b"), "[SSN]"),
    (re.compile(r"(?<!\w)\+?\d[\d ().-]{8,}\d\b"), "[PHONE]"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "[IP]"),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{16,}\b"), "[SECRET]"),
]


class Mask(logging.Filter):
    """Masks personal data in the finished text of every line."""

    def filter(self, record):
        text = record.getMessage()
        for pattern, word in MASKS:
            text = pattern.sub(word, text)
        record.msg, record.args = text, ()
        return True


log = logging.getLogger("reference")
log.setLevel(logging.INFO)
handler = logging.FileHandler("reference.log")
handler.setFormatter(logging.Formatter('{"time":"%(asctime)s","level":"%(levelname)s","message":"%(message)s"}'))
handler.addFilter(Mask())
log.addHandler(handler)


class Base(DeclarativeBase):
    """The tables."""


class Message(Base):
    """One message of a conversation."""

    __tablename__ = "messages"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(String(36), index=True)
    role: Mapped[str] = mapped_column(String(16))
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


engine = create_engine(
    os.environ.get("DATABASE_URL", "sqlite:///reference.db"),
    pool_size=20,
    max_overflow=30,
    pool_pre_ping=True,
    connect_args={"timeout": 30},
)


@event.listens_for(engine, "connect")
def durable(connection, _record):
    """Write-ahead log, and every commit on the disk before it is acknowledged."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


@asynccontextmanager
async def lifespan(app):
    """Tables and the pool to the provider, once a worker."""
    for _ in range(50):
        try:
            Base.metadata.create_all(engine)
            break
        except Exception:  # another worker is making them
            time.sleep(0.1)
    app.state.http = httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=200))
    yield
    await app.state.http.aclose()


app = FastAPI(lifespan=lifespan)
windows = {}


class Said(BaseModel):
    """One message of the request."""

    role: str = Field(pattern="^(system|user|assistant)$")
    content: str = Field(min_length=1, max_length=5000)


class Chat(BaseModel):
    """The request."""

    model: str = Field(max_length=100)
    messages: list[Said] = Field(min_length=1, max_length=100)
    stream: bool = False


def caller(request: Request) -> str:
    """Authentication by key, compared in constant time; then the rate limit of that key."""
    text = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
    digest = hashlib.sha256(text.encode()).digest()
    if not any(hmac.compare_digest(digest, key) for key in KEYS):
        raise HTTPException(401, "Authentication is required")
    now, window = time.monotonic(), windows.setdefault(digest, deque())
    while window and window[0] <= now - 60:
        window.popleft()
    if len(window) >= LIMIT:
        raise HTTPException(429, "Rate limit exceeded")
    window.append(now)
    return digest.hex()[:12]


@app.middleware("http")
async def around(request: Request, call_next):
    """Security headers, and one line for each request."""
    begun = time.monotonic()
    response = await call_next(request)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["X-XSS-Protection"] = "1; mode=block"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response.headers["X-Request-Id"] = str(uuid.uuid4())
    peer = request.client.host if request.client else "-"
    log.info("%s %s %s from %s in %.4f", request.method, request.url.path, response.status_code, peer, time.monotonic() - begun)
    return response


def keep(conversation: str, question: str, answer: str) -> None:
    """Both messages, in one transaction."""
    now = datetime.now(timezone.utc)
    with Session(engine) as session, session.begin():
        for role, content in (("user", question), ("assistant", answer)):
            session.add(
                Message(id=str(uuid.uuid4()), conversation_id=conversation, role=role, content=content, created_at=now)
            )


@app.get("/ready")
@app.get("/health")
def health():
    """The database answers."""
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    return {"status": "healthy"}


@app.post("/v1/chat/completions")
async def chat(body: Chat, request: Request, who: str = Depends(caller)):
    """Asks the provider and stores both messages before the answer is complete."""
    conversation, question = str(uuid.uuid4()), body.messages[-1].content
    log.info("turn of %s in %s", who, conversation)
    client = request.app.state.http
    headers = {"Authorization": "Bearer sk-bench-0123456789abcdef"}
    if not body.stream:
        answer = await client.post(f"{UPSTREAM}/chat/completions", json=body.model_dump(), headers=headers)
        answer.raise_for_status()
        document = answer.json()
        await run_in_threadpool(keep, conversation, question, document["choices"][0]["message"]["content"])
        return JSONResponse(document)

    async def pieces():
        text = []
        async with client.stream("POST", f"{UPSTREAM}/chat/completions", json=body.model_dump(), headers=headers) as answer:
            async for line in answer.aiter_lines():
                if line == "data: [DONE]":
                    await run_in_threadpool(keep, conversation, question, "".join(text))
                elif line.startswith("data: "):
                    found = re.search(r'"content":"((?:[^"\\]|\\.)*)"', line)
                    text.append(found.group(1) if found else "")
                yield line + "\n"

    return StreamingResponse(pieces(), media_type="text/event-stream")
