-- Snapshots of conversations that whoever has the link may read. The link itself is not here: `digest` is the hash of the
-- token in it, and `content` is sealed with a key made from the token, and once more with the owner's data key. Neither
-- this database nor a link alone opens one.
CREATE TABLE shares (
    id              text    PRIMARY KEY,
    owner           text    NOT NULL,
    conversation_id text    NOT NULL,
    app             text    NOT NULL,
    digest          text    NOT NULL,
    content         {bytes} NOT NULL,
    password        text,
    masked          bigint  NOT NULL,
    messages        bigint  NOT NULL,
    created_at      bigint  NOT NULL,
    expires_at      bigint  NOT NULL,
    opened_at       bigint
);
CREATE UNIQUE INDEX shares_by_digest ON shares (digest);
CREATE INDEX shares_by_owner ON shares (owner, created_at DESC, id DESC);
CREATE INDEX shares_by_conversation ON shares (conversation_id);
CREATE INDEX shares_by_expiry ON shares (expires_at);
