//! Where passwords are hashed: on the blocking pool, a few at a time, with a short queue before it. Without the cap a
//! handful of sign-ins a second would take all memory and all cores. It never stores a hash.

use std::sync::Arc;
use std::time::Duration;

use crypto::password::{Passwords, Verdict};
use kernel::{Ambient, Code, Fault, Result, Secret};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::policy::{About, Least, Policy};
use crate::trust::PasswordRules;

/// When who finds the queue full should come back: a full queue takes a few seconds.
const COME_BACK: Duration = Duration::from_secs(5);

/// Judges, hashes and verifies passwords. Cheap to clone.
#[derive(Clone)]
pub struct Hasher {
    passwords: Passwords,
    policy: Arc<Policy>,
    ambient: Ambient,
    /// A place for each hash that is computed.
    running: Arc<Semaphore>,
    /// A place for each that is computed or waits.
    admitted: Arc<Semaphore>,
}

impl Hasher {
    /// With these rules. Computes nothing yet.
    pub fn new(rules: &PasswordRules, ambient: Ambient) -> Result<Hasher> {
        let parallel = rules.parallel.clamp(1, 1_024);
        Ok(Hasher {
            passwords: Passwords::new(rules.cost, ambient.random())?,
            policy: Arc::new(Policy::new(rules.words.iter().map(String::as_str))),
            ambient,
            running: Arc::new(Semaphore::new(parallel)),
            admitted: Arc::new(Semaphore::new(parallel + rules.waiting.min(100_000))),
        })
    }

    /// The PHC string of a new password, when the policy takes it: else `invalid_input` for the field `password`.
    /// `unavailable` with `Retry-After` when too many wait.
    pub async fn admit(
        &self,
        password: Secret<String>,
        email: &str,
        name: &str,
        least: Least,
    ) -> Result<Secret<String>> {
        let (email, name) = (email.to_owned(), name.to_owned());
        self.run(move |hasher| {
            hasher.policy.judge(&password, About { email: &email, name: &name }, least)?;
            hasher.passwords.hash(&password, hasher.ambient.random())
        })
        .await
    }

    /// The PHC string of a password that was judged before: to renew one after [`Verdict::RightButOld`].
    pub async fn hash(&self, password: Secret<String>) -> Result<Secret<String>> {
        self.run(move |hasher| hasher.passwords.hash(&password, hasher.ambient.random())).await
    }

    /// Compares a password with the stored PHC string; `None` where there is none costs the same and is wrong. An empty
    /// password is wrong at once, whatever is stored. `unavailable` with `Retry-After` when too many wait.
    pub async fn verify(&self, password: Secret<String>, stored: Option<Secret<String>>) -> Result<Verdict> {
        if password.expose().is_empty() {
            return Ok(Verdict::Wrong);
        }
        self.run(move |hasher| hasher.passwords.verify(&password, stored.as_ref())).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hasher) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let full = || {
            Fault::new(Code::Unavailable)
                .retry_after(COME_BACK)
                .because("too many passwords wait to be hashed")
        };
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| full())?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| full())?;
        let hasher = self.clone();
        // The permits go with the work: a caller that goes away does not make room while its hash is still computed.
        let places: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (admitted, running);
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&hasher);
            drop(places);
            result
        });
        done.await.map_err(|_| Fault::internal("hashing a password ended without a result"))?
    }
}

#[cfg(test)]
mod tests {
    use crypto::password::Cost;

    use super::*;
    use crate::token::tests::ambient;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn hasher(cost: Cost, parallel: usize, waiting: usize) -> Hasher {
        let rules = PasswordRules { cost, parallel, waiting, words: vec!["assistant".to_owned()] };
        Hasher::new(&rules, ambient(1_000)).unwrap()
    }

    #[tokio::test]
    async fn a_password_is_judged_hashed_and_verified() {
        let hasher = hasher(Cost::TEST, 2, 8);
        let admit = |text: &str| hasher.admit(secret(text), "ann@example.com", "Ann", Least::Alone);
        assert_eq!(admit("too short").await.unwrap_err().code(), Code::InvalidInput);
        assert_eq!(admit("assistantassistant").await.unwrap_err().fields()[0].code, "too_common");
        let stored = admit("correct horse battery").await.unwrap();
        let verify = |text: &str, stored: &Secret<String>| hasher.verify(secret(text), Some(stored.clone()));
        assert_eq!(verify("correct horse battery", &stored).await.unwrap(), Verdict::Right);
        assert_eq!(verify("correct horse batterz", &stored).await.unwrap(), Verdict::Wrong);
        assert_eq!(verify("", &stored).await.unwrap(), Verdict::Wrong);
        assert_eq!(hasher.verify(secret("correct horse battery"), None).await.unwrap(), Verdict::Wrong);
        let again = hasher.hash(secret("correct horse battery")).await.unwrap();
        assert_ne!(again.expose(), stored.expose());
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_told_to_come_back() {
        let hasher = hasher(Cost::TEST, 1, 1);
        // The only place is taken for as long as this permit lives.
        let place = Arc::clone(&hasher.running).acquire_owned().await.unwrap();
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let hasher = hasher.clone();
                tokio::spawn(async move { hasher.verify(secret("p"), None).await })
            })
            .collect();
        while hasher.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = hasher.verify(secret("p"), None).await.unwrap_err();
        assert_eq!((refused.code(), refused.retry()), (Code::Unavailable, Some(COME_BACK)));
        drop(place);
        for waiting in waiting {
            assert_eq!(waiting.await.unwrap().unwrap(), Verdict::Wrong);
        }
        assert_eq!((hasher.admitted.available_permits(), hasher.running.available_permits()), (2, 1));
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_keeps_its_place_until_the_work_is_done() {
        let hasher = hasher(Cost::TEST, 1, 0);
        let (begun, wait) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
        let work = {
            let hasher = hasher.clone();
            tokio::spawn(async move {
                hasher
                    .run(move |_| {
                        begun.0.send(()).unwrap();
                        let _ = wait.1.recv();
                        Ok(())
                    })
                    .await
            })
        };
        tokio::task::spawn_blocking(move || begun.1.recv().unwrap()).await.unwrap();
        work.abort();
        let _ = work.await;
        assert_eq!(hasher.verify(secret("p"), None).await.unwrap_err().code(), Code::Unavailable);
        drop(wait.0);
        while hasher.admitted.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(hasher.verify(secret("p"), None).await.unwrap(), Verdict::Wrong);
    }
}
