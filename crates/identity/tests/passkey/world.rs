//! A party, a clock that can be turned, users, and passkeys that are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use identity::passkey::{Known, Owner, Party, Proof, Refusal, Registered};
use kernel::{Ambient, Clock, Random, Secret, Time, UserId};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::Value;
use url::Url;

use crate::authenticator::{Algorithm, Authenticator, Creation, Request};

pub const ORIGIN: &str = "https://chat.example.com";

struct Turned(AtomicI64);

impl Clock for Turned {
    fn now(&self) -> Time {
        Time::from_seconds(self.0.load(Ordering::Relaxed))
    }
}

struct System(SystemRandom);

impl Random for System {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes).unwrap();
    }
}

pub struct World {
    pub party: Party,
    clock: Arc<Turned>,
    pub ambient: Ambient,
    pub user: UserId,
}

impl World {
    pub fn new() -> World {
        World::sealed_with(&["secret"])
    }

    pub fn sealed_with(secrets: &[&str]) -> World {
        let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
        let party = Party::new("Stoa", &Url::parse(ORIGIN).unwrap(), &[], &secrets).unwrap();
        let clock = Arc::new(Turned(AtomicI64::new(1_800_000_000)));
        let ambient = Ambient::new(clock.clone(), Arc::new(System(SystemRandom::new())));
        World { party, clock, user: UserId::new(&ambient), ambient }
    }

    pub fn wait(&self, span: Duration) {
        self.clock.0.fetch_add(i64::try_from(span.as_secs()).unwrap(), Ordering::Relaxed);
    }

    pub fn now(&self) -> Time {
        self.ambient.now()
    }

    pub fn begin_registration(&self) -> (Value, String) {
        let owner = Owner { user: self.user, name: "ada@example.com", display: "Ada" };
        self.party.begin_registration(&owner, &[], &self.ambient)
    }

    /// Registers with whatever `alter` makes of a proper answer.
    pub fn register(&self, alter: impl FnOnce(&mut Creation)) -> Result<Registered, Refusal> {
        let mut device = Authenticator::new(Algorithm::Es256);
        self.register_with(&mut device, |creation| {
            alter(creation);
            creation.answer()
        })
    }

    pub fn register_with(
        &self,
        device: &mut Authenticator,
        answer: impl FnOnce(&mut Creation) -> Value,
    ) -> Result<Registered, Refusal> {
        let (options, state) = self.begin_registration();
        let answer = answer(&mut device.create(&options, ORIGIN));
        self.party.finish_registration(self.user, &state, &answer, self.now())
    }

    /// A device with a passkey of the user, and what is kept of it.
    pub fn enrolled(&self, algorithm: Algorithm) -> (Authenticator, Registered) {
        let mut device = Authenticator::new(algorithm);
        let registered = self.register_with(&mut device, |creation| creation.answer()).unwrap();
        (device, registered)
    }

    /// Signs in with whatever `alter` makes of a proper answer.
    pub fn sign_in(
        &self,
        device: &Authenticator,
        registered: &Registered,
        alter: impl FnOnce(&mut Request),
    ) -> Result<Proof, Refusal> {
        let (options, state) = self.party.begin_sign_in(&self.ambient);
        let mut request = device.get(&options, ORIGIN);
        alter(&mut request);
        let assertion = self.party.read_sign_in(&state, &request.answer(device), self.now())?;
        assert_eq!(assertion.credential(), registered.credential);
        assertion.verify(Some(self.known(registered)))
    }

    pub fn known<'a>(&self, registered: &'a Registered) -> Known<'a> {
        Known { user: self.user, public_key: &registered.public_key, sign_count: registered.sign_count }
    }
}
