//! Two versions of the program on one database: which older programs go on working after a step of the schema.
//! A step that only expands (new tables, new columns that may be absent, new indexes) disturbs nobody. One that takes
//! away or tightens names the schema since which no program needs what goes: `-- unused since: 12`; without that line
//! only programs that know the step itself may run. The database keeps the highest of these as its floor, so that a
//! program meets a newer schema knowingly. It never changes a schema.

use kernel::Result;

use crate::Store;
use crate::migrate::{Applied, STEPS, Step};
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::{Row, values};

/// The line of a step that takes something away.
const UNUSED_SINCE: &str = "-- unused since:";
/// The floor is kept beside the epochs: a number that only grows.
pub(crate) const FLOOR: &str = "SELECT value FROM epochs WHERE scope = 'schema'";
const RAISE: &str = "INSERT INTO epochs (scope, value) VALUES ('schema', $1) ON CONFLICT (scope) DO UPDATE \
     SET value = CASE WHEN excluded.value > epochs.value THEN excluded.value ELSE epochs.value END";

/// The oldest schema that a program must know to go on working after this step; 0: any.
pub(crate) fn floor(step: &Step) -> u32 {
    let said = step.text.lines().find_map(|line| line.strip_prefix(UNUSED_SINCE)?.trim().parse().ok());
    match said {
        Some(since) => since,
        None if expands(step.text) => 0,
        None => step.version,
    }
}

/// Remembers the floor of a step that is being applied.
pub(crate) async fn raise(tx: &mut Tx, step: &Step) -> Result<(), Trouble> {
    tx.run(RAISE, values![floor(step)]).await?;
    Ok(())
}

/// The history without those newer steps that these programs may work beside.
pub(crate) fn tolerated(
    steps: &[Step],
    applied: Vec<Applied>,
    floor: Option<&Row>,
) -> Result<Vec<Applied>, Trouble> {
    let newest = steps.last().map_or(0, |step| i64::from(step.version));
    let fits = match floor {
        Some(row) => row.int(0)? <= newest,
        None => false,
    };
    Ok(applied.into_iter().filter(|row| !fits || row.version <= newest).collect())
}

/// Whether every statement of a step only adds.
fn expands(text: &str) -> bool {
    let bare: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let bare = bare.join(" ").to_ascii_lowercase();
    let statements: Vec<Vec<&str>> =
        bare.split(';').map(|statement| statement.split_whitespace().collect::<Vec<_>>()).collect();
    let made: Vec<&str> = statements
        .iter()
        .filter_map(|words| match words.as_slice() {
            ["create", "table", name, ..] => Some(*name),
            _ => None,
        })
        .collect();
    statements.iter().all(|words| match words.as_slice() {
        [] | ["create", "table" | "index", ..] | ["insert", "into", ..] => true,
        // A program that does not know of it may break it, unless the table is as new.
        ["create", "unique", "index", _, "on", table, ..] => made.contains(table),
        ["alter", "table", _, "add", "column", rest @ ..] => {
            !rest.windows(2).any(|pair| pair == ["not", "null"]) || rest.contains(&"default")
        }
        _ => false,
    })
}

impl Store {
    /// Whether this program may work with the schema as it is now: another version may have changed it meanwhile.
    pub async fn fits(&self) -> Result<bool> {
        let newest = STEPS.last().map_or(0, |step| i64::from(step.version));
        let mut reader = self.read("migrate.fits").await?;
        let sql = "SELECT version FROM schema_migrations WHERE version > $1 LIMIT 1";
        if reader.one(sql, values![newest]).await?.is_none() {
            return Ok(true);
        }
        let floor = reader.one(FLOOR, values![]).await?;
        Ok(match floor {
            Some(row) => row.int(0)? <= newest,
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &'static str) -> Step {
        Step { version: 12, name: "test", text }
    }

    #[test]
    fn what_only_adds_disturbs_nobody() {
        for text in [
            "CREATE TABLE a (id text PRIMARY KEY);\nCREATE UNIQUE INDEX a_by_id ON a (id);\nCREATE INDEX b_by_x ON b (x);",
            "-- drops nothing; really\nALTER TABLE b ADD COLUMN c bigint;",
            "ALTER TABLE b ADD COLUMN c bigint NOT NULL DEFAULT 0;\nINSERT INTO epochs (scope, value) VALUES ('c', 0);",
        ] {
            assert_eq!(floor(&step(text)), 0, "{text}");
        }
    }

    #[test]
    fn what_takes_away_or_tightens_shuts_older_programs_out() {
        for text in [
            "ALTER TABLE b DROP COLUMN c;",
            "DROP TABLE b;",
            "ALTER TABLE b ADD COLUMN c bigint NOT NULL;",
            "CREATE UNIQUE INDEX b_by_x ON b (x);",
            "UPDATE b SET c = 1;",
            "ALTER TABLE b RENAME COLUMN c TO d;",
            "DROP INDEX b_by_x;",
        ] {
            assert_eq!(floor(&step(text)), 12, "{text}");
        }
        assert_eq!(floor(&step("-- unused since: 10\nALTER TABLE b DROP COLUMN c;")), 10);
    }

    /// Releases run side by side while one replaces the other (docs/decisions/0015). Whoever writes a step that does
    /// not only add says since which schema nobody needs what goes, and leaves a release between.
    #[test]
    fn every_step_since_the_first_release_lets_the_release_before_go_on() {
        for step in STEPS.iter().filter(|step| step.version > 7) {
            assert!(
                floor(step) < step.version,
                "migration {} does not only add: say `{UNUSED_SINCE} N` in it, where N is the schema of the oldest \
                 release that no longer uses what it takes away",
                step.version
            );
        }
    }
}
