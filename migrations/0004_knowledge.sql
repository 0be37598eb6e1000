-- Documents of apps and the passages they are cut into. What people wrote is sealed with the server's own key; the
-- words of a passage are keyed hashes with counts, sealed too, which every server reads into an index in memory.
CREATE TABLE documents (
    id         text    PRIMARY KEY,
    app        text    NOT NULL,
    -- everyone, staff
    visibility text    NOT NULL,
    -- A keyed hash of the content: the same file is in an app once.
    content    text    NOT NULL,
    title      {bytes} NOT NULL,
    name       {bytes} NOT NULL,
    kind       text    NOT NULL,
    bytes      bigint  NOT NULL,
    -- indexing, ready, failed, removing
    status     text    NOT NULL,
    reason     {bytes},
    warnings   {bytes},
    passages   bigint  NOT NULL,
    -- The embedding model whose vectors all its passages have.
    embedding  text,
    added_by   text    NOT NULL,
    created_at bigint  NOT NULL,
    updated_at bigint  NOT NULL
);
CREATE UNIQUE INDEX documents_by_content ON documents (app, content);
CREATE INDEX documents_by_time ON documents (app, created_at DESC, id DESC);
CREATE INDEX documents_by_status ON documents (status, updated_at);

CREATE TABLE passages (
    id          text    PRIMARY KEY,
    document_id text    NOT NULL REFERENCES documents (id),
    app         text    NOT NULL,
    visibility  text    NOT NULL,
    position    bigint  NOT NULL,
    headings    {bytes} NOT NULL,
    start_byte  bigint  NOT NULL,
    end_byte    bigint  NOT NULL,
    page        bigint,
    text        {bytes} NOT NULL,
    words       {bytes} NOT NULL,
    vector      {bytes}
);
CREATE UNIQUE INDEX passages_in_document ON passages (document_id, position);

INSERT INTO epochs (scope, value) VALUES ('documents', 0);
