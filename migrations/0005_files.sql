-- Stored files and their blobs.

-- A content that an owner has, once. `id` is random and names the sealed bytes in the folder or bucket, where no name is
-- ever used twice; `tag` is the content's keyed hash under the owner's data key. `files` counts the files that have this
-- content, those in the trash too. `facts` is what the analysis found in it, by the version of the analysis.
CREATE TABLE blobs (
    id            text   PRIMARY KEY,
    owner         text   NOT NULL,
    tag           text   NOT NULL,
    size          bigint NOT NULL,
    files         bigint NOT NULL,
    facts         {bytes},
    facts_version bigint NOT NULL,
    created_at    bigint NOT NULL
);
CREATE UNIQUE INDEX blobs_by_tag ON blobs (owner, tag);
CREATE INDEX blobs_by_size ON blobs (owner, size);
CREATE INDEX blobs_by_facts ON blobs (facts_version, id);

-- `name` and `folder` are labels for people and never part of a path. `digest` is the content's BLAKE3.
CREATE TABLE files (
    id          text   PRIMARY KEY,
    owner       text   NOT NULL,
    app         text   NOT NULL,
    blob        text   NOT NULL REFERENCES blobs (id),
    name        {bytes} NOT NULL,
    folder      {bytes} NOT NULL,
    media_type  text   NOT NULL,
    size        bigint NOT NULL,
    digest      {bytes} NOT NULL,
    created_at  bigint NOT NULL,
    modified_at bigint,
    trashed_at  bigint,
    batch       text
);
CREATE INDEX files_by_owner ON files (owner, created_at DESC, id DESC);
CREATE INDEX files_by_blob ON files (blob);
CREATE INDEX files_by_batch ON files (batch) WHERE batch IS NOT NULL;
CREATE INDEX files_by_trash ON files (trashed_at) WHERE trashed_at IS NOT NULL;

-- Bytes that no row needs: they are removed when their time has come, and stand here until that has been done. What is
-- about to be stored stands here too, so that bytes without a row are known whatever happens in between.
CREATE TABLE blob_removals (
    id       text   PRIMARY KEY,
    due_at   bigint NOT NULL,
    attempts bigint NOT NULL
);
CREATE INDEX blob_removals_by_time ON blob_removals (due_at);

-- Pairs of files that their owner has said are both to be kept: they are never suggested again.
CREATE TABLE file_pairs (
    id         text   PRIMARY KEY,
    owner      text   NOT NULL,
    one        text   NOT NULL REFERENCES files (id),
    other      text   NOT NULL REFERENCES files (id),
    created_at bigint NOT NULL
);
CREATE UNIQUE INDEX file_pairs_by_files ON file_pairs (one, other);
CREATE INDEX file_pairs_by_other ON file_pairs (other);
CREATE INDEX file_pairs_by_owner ON file_pairs (owner);
