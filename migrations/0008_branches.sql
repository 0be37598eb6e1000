-- 1: there are messages beside the path that leads from `last_message` over the parents to the first message.
-- 0: all messages in the order of their positions are that path.
ALTER TABLE conversations ADD COLUMN branched bigint NOT NULL DEFAULT 0;
