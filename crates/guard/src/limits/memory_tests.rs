//! The counters of memory: floods, evictions, atomicity, threads.

use super::*;

const MINUTE: i64 = 60_000_000;

fn rule(limit: u32) -> Rule {
    Rule { limit, window: Duration::from_secs(60) }
}

fn admit(memory: &Memory, claims: &[Claim<'_>], now: i64) -> bool {
    memory.judge(claims, now, Scale::Whole, Act::Admit, |_| ())
}

#[test]
fn all_claims_or_none() {
    let memory = Memory::new(1, MOST_KEYS);
    let (tight, wide) = ([rule(1)], [rule(3), rule(5)]);
    let tight = Claim { scope: "tight", key: "a", rules: &tight };
    let wide = Claim { scope: "wide", key: "a", rules: &wide };
    assert!(admit(&memory, &[tight, wide], 0));
    for _ in 0..10 {
        assert!(!admit(&memory, &[tight, wide], 1));
    }
    let mut used = Vec::new();
    memory.judge(&[wide], 1, Scale::Whole, Act::Inspect, |counted| used.push(counted.used));
    assert_eq!(used, [1, 1]);
    assert!(admit(&memory, &[wide], 1) && admit(&memory, &[wide], 1) && !admit(&memory, &[wide], 1));
}

#[test]
fn scopes_and_keys_are_apart() {
    let memory = Memory::new(1, MOST_KEYS);
    let rules = [rule(1)];
    for (scope, key) in [("a", "b"), ("a", "c"), ("b", "a"), ("ab", ""), ("", "ab"), ("a", "")] {
        assert!(admit(&memory, &[Claim { scope, key, rules: &rules }], 0), "{scope} {key}");
    }
}

#[test]
fn a_limit_of_nothing_and_changed_rules() {
    let memory = Memory::new(3, MOST_KEYS);
    let none = [rule(0)];
    assert!(!admit(&memory, &[Claim { scope: "a", key: "a", rules: &none }], 0));
    assert!(!memory.judge(
        &[Claim { scope: "a", key: "a", rules: &none }],
        0,
        Scale::Share,
        Act::Admit,
        |_| ()
    ));
    let (one, two) = ([rule(1)], [rule(2), rule(3)]);
    assert!(admit(&memory, &[Claim { scope: "b", key: "a", rules: &one }], 0));
    assert!(!admit(&memory, &[Claim { scope: "b", key: "a", rules: &one }], 0));
    assert!(admit(&memory, &[Claim { scope: "b", key: "a", rules: &two }], 0));
}

#[test]
fn a_share_is_at_least_one() {
    let memory = Memory::new(4, MOST_KEYS);
    for (limit, share) in [(8, 2), (10, 2), (3, 1), (1, 1)] {
        let rules = [rule(limit)];
        let key = limit.to_string();
        let claim = [Claim { scope: "a", key: &key, rules: &rules }];
        let admitted = (0..20).filter(|_| memory.judge(&claim, 0, Scale::Share, Act::Admit, |_| ())).count();
        assert_eq!(admitted, share, "{limit}");
    }
}

#[test]
fn what_redis_admitted_counts_here_too() {
    let memory = Memory::new(2, MOST_KEYS);
    let rules = [rule(4)];
    let claim = [Claim { scope: "a", key: "a", rules: &rules }];
    for _ in 0..10 {
        memory.judge(&claim, 0, Scale::Whole, Act::Record, |_| ());
    }
    let mut used = 0;
    assert!(!memory.judge(&claim, 0, Scale::Share, Act::Admit, |counted| used = counted.used));
    assert_eq!(used, 4, "never more than the limit is held");
    assert!(memory.judge(&claim, MINUTE, Scale::Share, Act::Admit, |_| ()));
}

#[test]
fn a_flood_of_keys_stays_bounded_and_frees_nobody() {
    let most = 64 * 128;
    let memory = Memory::new(1, most);
    let rules = [rule(3), rule(200)];
    let busy = Claim { scope: "a", key: "busy", rules: &rules };
    while admit(&memory, &[busy], 0) {}
    for n in 0..40_000 {
        let key = n.to_string();
        assert!(admit(&memory, &[Claim { scope: "a", key: &key, rules: &rules }], n), "newcomers are served");
    }
    assert!(memory.len() <= most, "{}", memory.len());
    assert!(!admit(&memory, &[busy], 40_000), "whoever is at a limit stays at it");
}

#[test]
fn counters_that_are_over_are_forgotten() {
    let memory = Memory::new(1, MOST_KEYS);
    let rules = [rule(3)];
    for round in 0..20_i64 {
        for n in 0..2_000 {
            let key = format!("{round} {n}");
            admit(&memory, &[Claim { scope: "a", key: &key, rules: &rules }], round * MINUTE);
        }
    }
    assert!(memory.len() < 64 * FIRST_SWEEP * 2, "{}", memory.len());
}

#[test]
fn threads_never_admit_one_too_many() {
    let memory = Memory::new(1, MOST_KEYS);
    let (a, b) = ([rule(500)], [rule(700)]);
    let keys: Vec<String> = (0..8).map(|n| n.to_string()).collect();
    let admitted: usize = std::thread::scope(|scope| {
        let worker = |mine: usize| {
            let (memory, a, b, keys) = (&memory, &a, &b, &keys);
            scope.spawn(move || {
                let mut admitted = 0;
                for n in 0..2_000 {
                    // The order of the claims differs from thread to thread: locks must not.
                    let other = Claim { scope: "other", key: &keys[(n + mine) % 8], rules: b };
                    let shared = Claim { scope: "shared", key: "x", rules: a };
                    let claims = if mine.is_multiple_of(2) { [shared, other] } else { [other, shared] };
                    admitted += usize::from(admit(memory, &claims, 0));
                }
                admitted
            })
        };
        let workers: Vec<_> = (0..4).map(worker).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(admitted, 500);
}
