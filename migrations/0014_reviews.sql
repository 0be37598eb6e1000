-- What a person is to look at: texts that the rules of an app marked, and refusals that their writers call a mistake. A
-- message is not copied: the row points at it. `text` holds what came with an appeal against the refusal of a text that is
-- stored nowhere, `appeal` the words of who appealed, `note` those of who decided; all three are sealed. `about` is the id
-- of the message or a keyed hash of the text: there is one row about a thing. `findings` is `|category:hundredths|…|`.
CREATE TABLE reviews (
    id              text   PRIMARY KEY,
    owner           text   NOT NULL,
    app             text   NOT NULL,
    conversation_id text,
    message_id      text,
    about           text   NOT NULL,
    source          text   NOT NULL,
    reason          text   NOT NULL,
    findings        text   NOT NULL,
    text            {bytes},
    appeal          {bytes},
    created_at      bigint NOT NULL,
    appealed_at     bigint,
    decision        text,
    decided_at      bigint,
    decided_by      text,
    note            {bytes}
);
CREATE UNIQUE INDEX reviews_by_about ON reviews (about);
CREATE INDEX reviews_by_time ON reviews (created_at DESC, id DESC);
CREATE INDEX reviews_open ON reviews (created_at DESC, id DESC) WHERE decision IS NULL;
CREATE INDEX reviews_by_owner ON reviews (owner);
CREATE INDEX reviews_by_app ON reviews (app, created_at);
CREATE INDEX reviews_by_conversation ON reviews (conversation_id);
