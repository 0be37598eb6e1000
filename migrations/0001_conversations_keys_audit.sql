-- One text for SQLite and Postgres. `{bytes}` and `{int}` are replaced in `store::dialect`.
-- Ids are UUIDs as text; times are microseconds since 1970 in UTC; columns of {bytes} hold sealed values.

CREATE TABLE server_secret (
    id          bigint PRIMARY KEY,
    fingerprint text   NOT NULL,
    wrapped     {bytes} NOT NULL,
    sealed      {bytes} NOT NULL,
    created_at  bigint NOT NULL
);

CREATE TABLE data_keys (
    subject    text    PRIMARY KEY,
    wrapped    {bytes} NOT NULL,
    created_at bigint  NOT NULL
);

CREATE TABLE conversations (
    id            text   PRIMARY KEY,
    owner         text   NOT NULL,
    app           text   NOT NULL,
    session_tag   text,
    title         {bytes},
    topic         {bytes},
    created_at    bigint NOT NULL,
    updated_at    bigint NOT NULL,
    user_messages bigint NOT NULL,
    messages      bigint NOT NULL,
    last_message  text
);
CREATE INDEX conversations_by_owner ON conversations (owner, updated_at DESC, id DESC);
CREATE UNIQUE INDEX conversations_by_session ON conversations (session_tag) WHERE session_tag IS NOT NULL;

-- `position` is the place inside the conversation: 1, 2, 3. Ids follow clocks, and clocks are set back.
CREATE TABLE messages (
    id              text   PRIMARY KEY,
    conversation_id text   NOT NULL REFERENCES conversations (id),
    position        bigint NOT NULL,
    parent_id       text,
    role            text   NOT NULL,
    content         {bytes} NOT NULL,
    citations       {bytes},
    created_at      bigint NOT NULL,
    finish_reason   text,
    model           text,
    input_tokens    bigint,
    output_tokens   bigint
);
CREATE UNIQUE INDEX messages_in_conversation ON messages (conversation_id, position);
CREATE INDEX messages_unfinished ON messages (created_at) WHERE finish_reason IS NULL;

CREATE TABLE api_keys (
    id           text    PRIMARY KEY,
    name         {bytes} NOT NULL,
    digest       text    NOT NULL,
    apps         text    NOT NULL,
    created_at   bigint  NOT NULL,
    expires_at   bigint,
    revoked_at   bigint,
    last_used_at bigint
);
CREATE UNIQUE INDEX api_keys_by_digest ON api_keys (digest);

CREATE TABLE blocks (
    net        text    PRIMARY KEY,
    reason     {bytes} NOT NULL,
    created_at bigint  NOT NULL,
    expires_at bigint
);

CREATE TABLE epochs (
    scope text   PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO epochs (scope, value)
VALUES ('server', 0), ('visitors', 0), ('keys', 0), ('blocks', 0), ('subjects', 0);

CREATE TABLE revoked_subjects (
    subject    text   PRIMARY KEY,
    revoked_at bigint NOT NULL
);
CREATE INDEX revoked_subjects_by_time ON revoked_subjects (revoked_at);

CREATE TABLE idempotency (
    tag          text   PRIMARY KEY,
    owner        text   NOT NULL,
    fingerprint  text   NOT NULL,
    claimed_at   bigint NOT NULL,
    expires_at   bigint NOT NULL,
    status       bigint,
    content_type text,
    body         {bytes}
);
CREATE INDEX idempotency_by_owner ON idempotency (owner);
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);

CREATE TABLE state (
    name       text    PRIMARY KEY,
    value      {bytes} NOT NULL,
    updated_at bigint  NOT NULL
);

CREATE TABLE audit_events (
    seq        {int} PRIMARY KEY,
    id         text   NOT NULL,
    at         bigint NOT NULL,
    event_type text   NOT NULL,
    severity   text   NOT NULL,
    ip         text,
    actor      text   NOT NULL,
    object     text,
    details    text   NOT NULL,
    hash       text   NOT NULL
);
CREATE INDEX audit_events_by_time ON audit_events (at, seq);
CREATE INDEX audit_events_by_type ON audit_events (event_type, at, seq);

-- The end of the chain: one row, locked by whoever appends.
CREATE TABLE audit_head (
    id   bigint PRIMARY KEY,
    seq  bigint NOT NULL,
    hash text   NOT NULL,
    seal text   NOT NULL
);
INSERT INTO audit_head (id, seq, hash, seal) VALUES (1, 0, '', '');
