-- Problems that the tutor teaches. They belong to their app: `content` is sealed with the server's own key, so that a
-- class keeps its problems when the account of whoever made them is erased. `content` holds the reference too.
CREATE TABLE problems (
    id         text    PRIMARY KEY,
    app        text    NOT NULL,
    content    {bytes} NOT NULL,
    level      text,
    published  bigint  NOT NULL,
    created_at bigint  NOT NULL,
    updated_at bigint  NOT NULL
);
CREATE INDEX problems_by_app ON problems (app, created_at DESC, id DESC);

-- A learner's conversation about a problem. How far it has come is kept with its messages.
CREATE TABLE attempts (
    conversation_id text   PRIMARY KEY REFERENCES conversations (id),
    problem_id      text   NOT NULL REFERENCES problems (id),
    app             text   NOT NULL,
    owner           text   NOT NULL,
    started_at      bigint NOT NULL
);
CREATE INDEX attempts_by_problem ON attempts (problem_id, started_at DESC, conversation_id DESC);
CREATE INDEX attempts_by_owner ON attempts (owner, started_at DESC, conversation_id DESC);
