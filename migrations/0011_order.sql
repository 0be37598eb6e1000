-- Conversations in order. When it was pinned, when it was put away; its folder; its tags as a sealed list; 1 for a
-- conversation that goes by itself; and up to which position its messages are in the index of the search.
ALTER TABLE conversations ADD COLUMN pinned_at bigint;
ALTER TABLE conversations ADD COLUMN archived_at bigint;
ALTER TABLE conversations ADD COLUMN folder_id text;
ALTER TABLE conversations ADD COLUMN tags {bytes};
ALTER TABLE conversations ADD COLUMN temporary bigint NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN searched bigint NOT NULL DEFAULT 0;
CREATE INDEX conversations_pinned ON conversations (owner, updated_at DESC, id DESC) WHERE pinned_at IS NOT NULL;
CREATE INDEX conversations_archived ON conversations (owner, updated_at DESC, id DESC) WHERE archived_at IS NOT NULL;
CREATE INDEX conversations_in_folder ON conversations (owner, folder_id, updated_at DESC) WHERE folder_id IS NOT NULL;
CREATE INDEX conversations_temporary ON conversations (updated_at) WHERE temporary = 1;
CREATE INDEX conversations_unsearched ON conversations (owner, id) WHERE messages > searched AND temporary = 0;

-- `tag` is a keyed hash of the name and where it stands: one name stands in one place once.
CREATE TABLE folders (
    id         text    PRIMARY KEY,
    owner      text    NOT NULL,
    parent_id  text,
    tag        text    NOT NULL,
    name       {bytes} NOT NULL,
    created_at bigint  NOT NULL
);
CREATE UNIQUE INDEX folders_by_tag ON folders (owner, tag);

-- Which conversations have a tag: keyed hashes of the names that `conversations.tags` holds.
CREATE TABLE conversation_tags (
    conversation_id text NOT NULL REFERENCES conversations (id),
    tag             text NOT NULL,
    owner           text NOT NULL,
    PRIMARY KEY (conversation_id, tag)
);
CREATE INDEX conversation_tags_by_owner ON conversation_tags (owner, tag);

-- The index of the search: messages of an owner in runs, in the order of their times. A run that is not ready is being
-- written, or removed.
CREATE TABLE search_runs (
    id       text   PRIMARY KEY,
    owner    text   NOT NULL,
    level    bigint NOT NULL,
    messages bigint NOT NULL,
    first_at bigint NOT NULL,
    last_at  bigint NOT NULL,
    ready    bigint NOT NULL
);
CREATE INDEX search_runs_by_owner ON search_runs (owner, last_at);
CREATE INDEX search_runs_unready ON search_runs (id) WHERE ready = 0;

-- Parts of runs, sealed. From 0 on: keyed hashes of words with the places of the messages that hold them, a share of all
-- words in each part. From -1 down: which messages they are.
CREATE TABLE search_parts (
    run     text    NOT NULL REFERENCES search_runs (id),
    part    bigint  NOT NULL,
    content {bytes} NOT NULL,
    PRIMARY KEY (run, part)
);

-- Conversations of which something was deleted that may still be in the index; it is taken out soon, and never found
-- before that.
CREATE TABLE search_gone (
    conversation_id text PRIMARY KEY,
    owner           text NOT NULL
);
CREATE INDEX search_gone_by_owner ON search_gone (owner);
