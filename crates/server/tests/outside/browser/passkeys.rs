//! Passkeys between a real browser and the real relying party: the module that pages use asks, the browser's
//! authenticator answers, and what comes of it is verified. Nothing here knows how either of them is made.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use identity::passkey::{Known, Owner, Party, Refusal, Registered};
use kernel::{Ambient, Clock, Random, Secret, Time, UserId};
use serde_json::{Value, json};

use super::authenticator::Authenticator;
use super::person::Person;
use super::scene::walk_under;

/// Calls an exported function of the module and tells what it gave or threw.
const CALL: &str = r#"
const [module, name, given, done] = arguments;
import(module).then((found) => found[name](...given)).then(
  (value) => done({ value: value ?? null }),
  (error) => done({ code: error.code ?? error.name, message: error.message }));
"#;

/// The same with a signal that says stop at once.
const CALL_AND_STOP: &str = r#"
const [module, name, given, done] = arguments;
const stop = new AbortController();
import(module).then((found) => {
  const answer = found[name](...given, { signal: stop.signal });
  stop.abort();
  return answer;
}).then((value) => done({ value: value ?? null }), (error) => done({ code: error.code ?? error.name }));
"#;

/// What browsers of a few years ago do not have.
const FORGET_THE_NEW: &str = "return [delete PublicKeyCredential.parseCreationOptionsFromJSON, \
     delete PublicKeyCredential.parseRequestOptionsFromJSON, delete PublicKeyCredential.prototype.toJSON]";

struct World;

impl Clock for World {
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Time::from_micros(i64::try_from(since.as_micros()).unwrap())
    }
}

impl Random for World {
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes);
    }
}

/// The side of the server, and the page.
struct Ceremony<'a> {
    person: &'a Person,
    party: Party,
    ambient: Ambient,
    user: UserId,
}

impl Ceremony<'_> {
    fn new(person: &Person) -> Ceremony<'_> {
        let ambient = Ambient::new(Arc::new(World), Arc::new(World));
        let party = Party::local("Stoa", &[Secret::new("secret of a test".to_owned())]);
        Ceremony { person, party, user: UserId::new(&ambient), ambient }
    }

    async fn script(&self, script: &str, function: &str, given: Value) -> Value {
        let module = web::ui::asset_url("passkey.js");
        let with = vec![json!(module), json!(function), given];
        self.person.browser.execute_async(script, with).await.unwrap().json().clone()
    }

    async fn call(&self, function: &str, given: Value) -> Value {
        self.script(CALL, function, given).await
    }

    /// Registers, asking for this algorithm first; what the page throws is the error.
    async fn register(&self, algorithm: i64, existing: &[String]) -> Result<Registered, String> {
        let owner = Owner { user: self.user, name: "ada@example.com", display: "Ada" };
        let (mut options, state) = self.party.begin_registration(&owner, existing, &self.ambient);
        let parameters = options["pubKeyCredParams"].as_array_mut().unwrap();
        parameters.sort_by_key(|one| one["alg"] != algorithm);
        let said = self.call("create", json!([options])).await;
        let answer = said.get("value").ok_or_else(|| said["code"].as_str().unwrap_or_default().to_owned())?;
        let finished = self.party.finish_registration(self.user, &state, answer, self.ambient.now());
        Ok(finished.unwrap_or_else(|refusal| panic!("{refusal}: {answer}")))
    }

    /// Signs in with whatever the browser offers, and gives the new counter.
    async fn sign_in(&self, registered: &Registered, kept: u32) -> Result<u32, Refusal> {
        let (options, state) = self.party.begin_sign_in(&self.ambient);
        let said = self.call("get", json!([options])).await;
        let answer = said.get("value").unwrap_or_else(|| panic!("{said}"));
        let read = self.party.read_sign_in(&state, answer, self.ambient.now())?;
        assert_eq!(read.credential(), registered.credential);
        let known = Known { user: self.user, public_key: &registered.public_key, sign_count: kept };
        let proof = read.verify(Some(known))?;
        assert_eq!(proof.user, self.user);
        Ok(proof.sign_count)
    }
}

#[tokio::test]
async fn a_browser_makes_and_uses_passkeys_of_each_algorithm() {
    walk_under("localhost", "passkeys", &[], async |scene| {
        let person = &scene.person;
        person.open("/").await;
        let device = Authenticator::plug_in(person).await;
        let ceremony = Ceremony::new(person);
        for (party, available) in [("localhost", true), ("example.com", false), ("host", false), ("", false)]
        {
            assert_eq!(ceremony.call("available", json!([party])).await["value"], available, "{party}");
        }
        for old in [false, true] {
            if old {
                let gone = person.browser.execute(FORGET_THE_NEW, Vec::new()).await.unwrap();
                assert_eq!(gone.json(), &json!([true, true, true]));
            }
            for (algorithm, kind) in [(-7, 2), (-8, 1), (-257, 3)] {
                let registered = ceremony.register(algorithm, &[]).await.unwrap();
                // The kind of key in COSE, behind two bytes of ours, the beginning of a map and a label.
                assert_eq!(registered.public_key[4], kind, "{algorithm}");
                assert_eq!(registered.transports, ["internal"]);
                assert_eq!(device.passkeys().await.len(), 1);
                let count = ceremony.sign_in(&registered, registered.sign_count).await.unwrap();
                assert!(count > registered.sign_count, "{count}");
                assert!(ceremony.sign_in(&registered, count).await.unwrap() > count);
                assert_eq!(ceremony.sign_in(&registered, count + 9).await, Err(Refusal::Counter));
                // The owner is known: the device does not make a second one.
                let again = ceremony.register(algorithm, &[registered.credential]).await;
                assert_eq!(again, Err("exists".to_owned()));
                device.empty().await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_tells_why_there_is_no_passkey() {
    walk_under("localhost", "passkey-troubles", &[], async |scene| {
        let person = &scene.person;
        person.open("/").await;
        let device = Authenticator::plug_in(person).await;
        let ceremony = Ceremony::new(person);
        let registered = ceremony.register(-7, &[]).await.unwrap();
        device.recognises(false).await;
        assert_eq!(ceremony.register(-7, &[]).await, Err("refused".to_owned()));
        let (options, _) = ceremony.party.begin_sign_in(&ceremony.ambient);
        let refused = ceremony.call("get", json!([options])).await;
        assert_eq!(refused["code"], "refused");
        assert!(refused["message"].as_str().unwrap().contains("Try again"));
        device.recognises(true).await;

        let mut elsewhere = options.clone();
        elsewhere["rpId"] = json!("example.com");
        assert_eq!(ceremony.call("get", json!([elsewhere])).await["code"], "address");
        device.touched(false).await;
        assert_eq!(ceremony.script(CALL_AND_STOP, "get", json!([options])).await["code"], "cancelled");
        device.touched(true).await;
        assert_eq!(
            ceremony.call("forget", json!(["localhost", registered.credential])).await["value"],
            Value::Null
        );
        assert!(ceremony.call("fillable", json!([])).await["value"].is_boolean());
    })
    .await;
}
