-- What must be kept whatever its time: a subject (`user:…`, `visitor:…`, `key:…`) or an app (`app:…`).
CREATE TABLE holds (
    id         text    PRIMARY KEY,
    target     text    NOT NULL,
    -- Sealed with the server's own key: it may name somebody.
    reason     {bytes} NOT NULL,
    created_by text    NOT NULL,
    created_at bigint  NOT NULL
);
CREATE UNIQUE INDEX holds_by_target ON holds (target);

-- Who was erased, by pseudonymous id, with the receipt. Whoever restores an older backup erases them again from here.
-- `others` are the subjects that went with it (the keys of an account), `counts` and `left_over` are JSON.
CREATE TABLE erasures (
    id         text   PRIMARY KEY,
    subject    text   NOT NULL,
    others     text   NOT NULL,
    counts     text   NOT NULL,
    erased_at  bigint NOT NULL,
    -- When it was last looked whether anything is left, and what was.
    scanned_at bigint,
    left_over  text,
    -- Since when it is certain.
    settled_at bigint
);
CREATE INDEX erasures_by_time ON erasures (erased_at, id);
CREATE INDEX erasures_by_subject ON erasures (subject);
CREATE INDEX erasures_unsettled ON erasures (erased_at) WHERE settled_at IS NULL;

-- The bytes that an erasure has doomed: it is not done before they are gone.
ALTER TABLE blob_removals ADD COLUMN erasure text;
CREATE INDEX blob_removals_by_erasure ON blob_removals (erasure) WHERE erasure IS NOT NULL;

-- What retention has removed and the audit log does not say yet: counts move in the transaction that removes.
CREATE TABLE sweeps (
    app   text   NOT NULL,
    kind  text   NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (app, kind)
);

-- What the server does by itself now and then, and when it last did.
CREATE TABLE chores (
    name    text   PRIMARY KEY,
    done_at bigint NOT NULL,
    took_ms bigint NOT NULL,
    outcome text   NOT NULL
);

-- How much was used on a day (counted from 1970, UTC), of what is no longer kept: numbers without content.
CREATE TABLE usage_days (
    id            text   PRIMARY KEY,
    day           bigint NOT NULL,
    app           text   NOT NULL,
    owner         text   NOT NULL,
    requests      bigint NOT NULL,
    conversations bigint NOT NULL,
    input_tokens  bigint NOT NULL,
    output_tokens bigint NOT NULL,
    failed        bigint NOT NULL
);
CREATE INDEX usage_days_by_day ON usage_days (day);
CREATE INDEX usage_days_by_owner ON usage_days (owner);

-- Where the audit log begins: the last event that was removed, with its hash, under a seal of its own. No row: with the
-- first event.
CREATE TABLE audit_cut (
    id     bigint PRIMARY KEY,
    seq    bigint NOT NULL,
    hash   text   NOT NULL,
    cut_at bigint NOT NULL,
    seal   text   NOT NULL
);

CREATE INDEX conversations_by_app ON conversations (app, created_at);
CREATE INDEX files_by_app ON files (app, created_at);
