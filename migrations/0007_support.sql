-- The desk of customer service.

-- Who asked for a person, and who came. `claimed_by` is the account that looks after it.
CREATE TABLE hand_offs (
    id              text   PRIMARY KEY,
    conversation_id text   NOT NULL,
    owner           text   NOT NULL,
    app             text   NOT NULL,
    state           text   NOT NULL,
    reason          {bytes},
    claimed_by      text,
    created_at      bigint NOT NULL,
    claimed_at      bigint,
    updated_at      bigint NOT NULL
);
CREATE UNIQUE INDEX hand_offs_open ON hand_offs (conversation_id) WHERE state IN ('waiting', 'claimed');
CREATE INDEX hand_offs_by_app ON hand_offs (app, created_at DESC, id DESC);
CREATE INDEX hand_offs_by_owner ON hand_offs (owner);
CREATE INDEX hand_offs_by_conversation ON hand_offs (conversation_id);

CREATE TABLE feedback (
    message_id      text   PRIMARY KEY,
    conversation_id text   NOT NULL,
    owner           text   NOT NULL,
    app             text   NOT NULL,
    rating          text   NOT NULL,
    comment         {bytes},
    created_at      bigint NOT NULL,
    updated_at      bigint NOT NULL
);
CREATE INDEX feedback_by_owner ON feedback (owner);
CREATE INDEX feedback_by_app ON feedback (app, updated_at);
CREATE INDEX feedback_by_conversation ON feedback (conversation_id);

-- What came of each turn: `answered`, `quoted`, `none`, `hand_off`, `talk`, `person`.
CREATE TABLE outcomes (
    message_id      text   PRIMARY KEY,
    conversation_id text   NOT NULL,
    owner           text   NOT NULL,
    app             text   NOT NULL,
    outcome         text   NOT NULL,
    created_at      bigint NOT NULL
);
CREATE INDEX outcomes_by_owner ON outcomes (owner);
CREATE INDEX outcomes_by_app ON outcomes (app, created_at);
CREATE INDEX outcomes_by_conversation ON outcomes (conversation_id);

-- Questions that the documents did not answer. `confidence` is in thousandths.
CREATE TABLE gaps (
    id              text   PRIMARY KEY,
    conversation_id text   NOT NULL,
    owner           text   NOT NULL,
    app             text   NOT NULL,
    question        {bytes} NOT NULL,
    confidence      bigint NOT NULL,
    created_at      bigint NOT NULL,
    resolved_at     bigint,
    resolved_by     text
);
CREATE INDEX gaps_by_owner ON gaps (owner);
CREATE INDEX gaps_by_app ON gaps (app, created_at DESC, id DESC);
CREATE INDEX gaps_by_conversation ON gaps (conversation_id);
