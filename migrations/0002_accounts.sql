-- Accounts and what proves them; permissions; alerts and outgoing mail.
-- A `digest` is the keyed or plain hash of a secret that is never stored; a `tag` is a keyed hash to look up by.
-- What belongs to an account is sealed with the account's data key.

CREATE TABLE users (
    id              text    PRIMARY KEY,
    -- Empty when there is no address: any number of accounts may have none.
    email_tag       text,
    email           {bytes} NOT NULL,
    name            {bytes} NOT NULL,
    role            text    NOT NULL,
    disabled_at     bigint,
    verified_at     bigint,
    password        {bytes},
    password_at     bigint,
    totp            {bytes},
    totp_at         bigint,
    -- The time step of the last accepted code: no code counts twice.
    totp_step       bigint  NOT NULL,
    -- Stateless credentials (ID tokens of other issuers) from before this moment are refused.
    valid_from      bigint  NOT NULL,
    created_at      bigint  NOT NULL,
    last_sign_in_at bigint
);
CREATE UNIQUE INDEX users_by_email ON users (email_tag);
CREATE INDEX users_by_time ON users (created_at DESC, id DESC);

CREATE TABLE user_identities (
    tag          text    PRIMARY KEY,
    user_id      text    NOT NULL REFERENCES users (id),
    issuer       text    NOT NULL,
    subject      {bytes} NOT NULL,
    created_at   bigint  NOT NULL
);
CREATE INDEX user_identities_by_user ON user_identities (user_id);

CREATE TABLE recovery_codes (
    user_id text   NOT NULL REFERENCES users (id),
    digest  text   NOT NULL,
    used_at bigint,
    PRIMARY KEY (user_id, digest)
);

CREATE TABLE passkeys (
    id            text    PRIMARY KEY,
    user_id       text    NOT NULL REFERENCES users (id),
    credential    text    NOT NULL,
    name          {bytes} NOT NULL,
    public_key    {bytes} NOT NULL,
    sign_count    bigint  NOT NULL,
    created_at    bigint  NOT NULL,
    last_used_at  bigint
);
CREATE UNIQUE INDEX passkeys_by_credential ON passkeys (credential);
CREATE INDEX passkeys_by_user ON passkeys (user_id, created_at);

-- One sign-in: of a browser (its cookie's digest) or of a program (a family of refresh tokens).
CREATE TABLE sessions (
    id          text    PRIMARY KEY,
    user_id     text    NOT NULL REFERENCES users (id),
    kind        text    NOT NULL,
    digest      text,
    method      text    NOT NULL,
    agent       {bytes} NOT NULL,
    ip          text    NOT NULL,
    created_at  bigint  NOT NULL,
    proven_at   bigint  NOT NULL,
    extended_at bigint  NOT NULL,
    seen_at     bigint  NOT NULL,
    expires_at  bigint  NOT NULL
);
CREATE UNIQUE INDEX sessions_by_digest ON sessions (digest) WHERE digest IS NOT NULL;
CREATE INDEX sessions_by_user ON sessions (user_id, created_at DESC, id DESC);
CREATE INDEX sessions_by_time ON sessions (created_at DESC, id DESC);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    digest     text   PRIMARY KEY,
    session_id text   NOT NULL REFERENCES sessions (id),
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at    bigint
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

-- A right that is used once: to claim the server, to accept an invitation, to reset a password, to verify an address.
CREATE TABLE tickets (
    digest     text    PRIMARY KEY,
    purpose    text    NOT NULL,
    user_id    text    REFERENCES users (id),
    -- Sealed with the store's own key while there is no account.
    email      {bytes},
    email_tag  text,
    role       text,
    created_at bigint  NOT NULL,
    expires_at bigint  NOT NULL
);
CREATE INDEX tickets_by_user ON tickets (user_id);
CREATE INDEX tickets_by_email ON tickets (email_tag);
CREATE INDEX tickets_by_expiry ON tickets (expires_at);

CREATE TABLE grants (
    user_id    text   NOT NULL REFERENCES users (id),
    app        text   NOT NULL,
    level      text   NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (user_id, app)
);
CREATE INDEX grants_by_time ON grants (created_at DESC, user_id DESC, app DESC);

-- Who made the key; a key of an account is never stronger than the account is now.
ALTER TABLE api_keys ADD COLUMN user_id text REFERENCES users (id);
ALTER TABLE api_keys ADD COLUMN scopes text;
ALTER TABLE api_keys ADD COLUMN per_minute bigint;
ALTER TABLE api_keys ADD COLUMN per_hour bigint;
-- A key is as old as its secret.
ALTER TABLE api_keys ADD COLUMN rotated_at bigint;
CREATE INDEX api_keys_by_user ON api_keys (user_id);

INSERT INTO epochs (scope, value)
VALUES ('users', 0), ('sessions', 0), ('tokens', 0), ('lockdown', 0);

CREATE TABLE alerts (
    id              text   PRIMARY KEY,
    cause           text   NOT NULL,
    kind            text   NOT NULL,
    severity        text   NOT NULL,
    details         {bytes} NOT NULL,
    count           bigint NOT NULL,
    raised_at       bigint NOT NULL,
    last_at         bigint NOT NULL,
    acknowledged_at bigint,
    acknowledged_by text,
    -- While this is empty it is the one alert of its cause.
    closed_at       bigint
);
CREATE UNIQUE INDEX alerts_by_cause ON alerts (cause) WHERE closed_at IS NULL;
CREATE INDEX alerts_by_time ON alerts (raised_at DESC, id DESC);

-- What has to leave the house: mails and alerts, until their receiver has taken them.
CREATE TABLE outbox (
    id         text    PRIMARY KEY,
    sink       text    NOT NULL,
    user_id    text    REFERENCES users (id),
    payload    {bytes} NOT NULL,
    attempts   bigint  NOT NULL,
    created_at bigint  NOT NULL,
    next_at    bigint  NOT NULL
);
CREATE INDEX outbox_by_time ON outbox (next_at);
CREATE INDEX outbox_by_user ON outbox (user_id);

-- A job that one replica at a time may do.
CREATE TABLE leases (
    name       text   PRIMARY KEY,
    holder     text   NOT NULL,
    expires_at bigint NOT NULL
);

CREATE INDEX audit_events_by_address ON audit_events (ip, event_type, at);
