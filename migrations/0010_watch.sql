-- What was measured, in rollups: minutes for hours, hours for a month, days for a year. Each process writes its own
-- rows, so that a restart begins new ones and loses nothing. No column ties a row to a person.
CREATE TABLE measures (
    replica text   NOT NULL,
    span    bigint NOT NULL,
    at      bigint NOT NULL,
    what    text   NOT NULL,
    calls   bigint NOT NULL,
    failed  bigint NOT NULL,
    total   bigint NOT NULL,
    longest bigint NOT NULL,
    detail  text   NOT NULL,
    PRIMARY KEY (span, at, replica, what)
);
