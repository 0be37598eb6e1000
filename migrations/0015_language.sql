-- The language in which an account is spoken to, as a tag of BCP 47: `de`. Null: as the browser asks for.
ALTER TABLE users ADD COLUMN language text;
