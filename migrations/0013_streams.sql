-- The process that writes this answer: the name of a lease that stands while that process lives. Null for answers that
-- were stored whole.
ALTER TABLE messages ADD COLUMN writer text;
CREATE INDEX messages_being_written ON messages (conversation_id) WHERE finish_reason IS NULL;

-- What an answer that is being written says so far, piece by piece: `began` is the number of bytes before the piece.
-- With the end of the answer the pieces are gathered into its content and go.
CREATE TABLE message_pieces (
    id         text    PRIMARY KEY,
    message_id text    NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    began      bigint  NOT NULL,
    content    {bytes} NOT NULL
);
CREATE INDEX message_pieces_in_message ON message_pieces (message_id, began);
