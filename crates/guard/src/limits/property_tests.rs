//! Both stores against a plain search through everything that was ever admitted.
//!
//! Redis takes part when `STOA_TEST_REDIS` names one (`redis://127.0.0.1:6379`); with `REQUIRE_SERVICES=1` its
//! absence is a failure.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::claim::{Claim, Counted};
use super::config::Rule;
use super::log::group;
use super::memory::{Act, MOST_KEYS, Memory, Scale};
use super::redis::Judge;

/// The unit of the generated times. Large, so that keys of Redis do not expire in the middle of a case.
const UNIT: i64 = 1_000_000;

/// What happens: rules for three scopes, then requests with a pause before each and the scopes they draw from.
#[derive(Clone, Debug)]
struct Story {
    rules: Vec<Vec<Rule>>,
    requests: Vec<(i64, Vec<(usize, u8)>)>,
}

const SCOPES: [&str; 3] = ["first", "second", "third"];

fn stories() -> impl Strategy<Value = Story> {
    let rule = (1_u32..40, 1_u64..120, prop::bool::weighted(0.2)).prop_map(|(limit, window, large)| Rule {
        limit: if large { limit * 10 } else { limit },
        window: Duration::from_secs(window),
    });
    let rules = prop::collection::vec(prop::collection::vec(rule, 1..3), 3);
    let pause = prop_oneof![8 => 0_i64..3, 1 => 0_i64..40, 1 => 100_i64..130];
    let claims = prop::sample::subsequence(vec![0_usize, 1, 2], 1..=3)
        .prop_flat_map(|scopes| scopes.into_iter().map(|scope| (Just(scope), 0_u8..2)).collect::<Vec<_>>());
    let requests = prop::collection::vec((pause, claims), 1..600);
    (rules, requests).prop_map(|(rules, requests)| Story { rules, requests })
}

/// Everything that was admitted, forever.
#[derive(Default)]
struct Reference(HashMap<(usize, u8, usize), Vec<i64>>);

impl Reference {
    fn count(&self, at: (usize, u8, usize), rule: &Rule, now: i64) -> u32 {
        let window = i64::try_from(rule.window.as_micros()).unwrap();
        let times = self.0.get(&at).map_or(&[][..], Vec::as_slice);
        u32::try_from(times.iter().filter(|time| **time > now - window).count()).unwrap()
    }
}

/// One request as a store sees it: the claims and the time; it gives its answer and what it counted.
type Ask<'a> = dyn FnMut(&[Claim<'_>], i64) -> (bool, Vec<Counted>) + 'a;

fn tell(story: &Story, prefix: &str, ask: &mut Ask<'_>) -> Result<(), TestCaseError> {
    let mut reference = Reference::default();
    let mut now = 1_700_000_000 * UNIT;
    for (pause, wanted) in &story.requests {
        now += pause * UNIT;
        let keys: Vec<String> = wanted.iter().map(|(_, key)| format!("{prefix}{key}")).collect();
        let claims: Vec<Claim<'_>> = wanted
            .iter()
            .zip(&keys)
            .map(|((scope, _), key)| Claim { scope: SCOPES[*scope], key, rules: &story.rules[*scope] })
            .collect();
        let (allowed, counted) = ask(&claims, now);
        let mut counted = counted.into_iter();
        let (mut may, mut must) = (true, true);
        for (scope, key) in wanted {
            for (index, rule) in story.rules[*scope].iter().enumerate() {
                let real = reference.count((*scope, *key, index), rule, now);
                let said = counted.next().unwrap();
                let loss = group(rule.limit) - 1;
                prop_assert!((real..=real + loss).contains(&said.used), "{real} {said:?}");
                prop_assert_eq!(said.relief.is_zero(), said.used == 0);
                may &= real < rule.limit;
                must &= real + loss < rule.limit;
            }
        }
        prop_assert!(counted.next().is_none());
        prop_assert!(!allowed || may, "one too many");
        prop_assert!(allowed || !must, "more than 2 % too few");
        if allowed {
            for (scope, key) in wanted {
                for index in 0..story.rules[*scope].len() {
                    reference.0.entry((*scope, *key, index)).or_default().push(now);
                }
            }
        }
    }
    Ok(())
}

#[test]
fn memory_agrees_with_a_plain_search() {
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&stories(), |story| {
        let memory = Memory::new(1, MOST_KEYS);
        tell(&story, "", &mut |claims, now| {
            let mut counted = Vec::new();
            let allowed = memory.judge(claims, now, Scale::Whole, Act::Admit, |it| counted.push(it));
            (allowed, counted)
        })
    });
    outcome.unwrap();
}

#[test]
fn redis_agrees_with_a_plain_search() {
    let Some(url) = test_redis() else { return };
    static CASE: AtomicU64 = AtomicU64::new(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = redis::Client::open(url).unwrap();
    let connection = runtime.block_on(client.get_multiplexed_async_connection()).unwrap();
    let judge = Judge::new();
    let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&stories(), |story| {
        let case = CASE.fetch_add(1, Ordering::Relaxed);
        let mut connection = connection.clone();
        tell(&story, &format!("{}-{case}-", std::process::id()), &mut |claims, now| {
            let mut counted = Vec::new();
            let each = |it| counted.push(it);
            let allowed =
                runtime.block_on(judge.judge(&mut connection, claims, Some(now), true, each)).unwrap();
            (allowed, counted)
        })
    });
    outcome.unwrap();
}

/// The Redis of the test run.
#[expect(clippy::disallowed_methods, reason = "tests are told about services by the environment")]
pub(super) fn test_redis() -> Option<String> {
    let url = std::env::var("STOA_TEST_REDIS").ok();
    if url.is_none() {
        assert!(
            std::env::var("REQUIRE_SERVICES").is_err(),
            "REQUIRE_SERVICES is set and STOA_TEST_REDIS is not"
        );
        eprintln!("skipped: STOA_TEST_REDIS names no Redis");
    }
    url
}
