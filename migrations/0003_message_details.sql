-- What the kind of an app keeps with a message: sealed like its content.
ALTER TABLE messages ADD COLUMN details {bytes};
