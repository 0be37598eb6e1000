//! ID tokens as bearer against an issuer on loopback: provisioned once, remembered by the whole token, ended by what
//! ends sign-ins, and never joined to an account by an address.

use std::net::Ipv4Addr;
use std::time::Duration;

use crypto::{Keyring, MasterKey};
use http::{HeaderMap, HeaderValue};
use kernel::{AppId, Entry, PageRequest, Secret, UserEntry};
use serde_json::json;
use store::{Database, Pool, Store, UserFilter};

use super::*;
use crate::credential::Credentials;
use crate::issuer::Issuers;
use crate::issuer::tests::forge::{Signer, set};
use crate::issuer::tests::{NOW, Place};
use crate::trust::{AccessTokens, PasswordRules};
use crate::{Config, News, Refusal, Registration};

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct World {
    place: Place,
    signer: Signer,
    identity: Arc<Identity>,
    store: Store,
    _folder: tempfile::TempDir,
}

impl World {
    async fn open() -> World {
        let place = Place::new().await;
        let signer = Signer::rs256("one");
        place.server.say("/keys", "max-age=3600", set(&[&signer]));
        let folder = tempfile::tempdir().unwrap();
        let minute = Duration::from_secs(60);
        let pool =
            Pool { size: 2, overflow: 2, wait: minute, connect: minute, idle: minute, recycle: minute };
        let database = Database::Sqlite { path: folder.path().join("stoa.db") };
        let keyring = Keyring::new(MasterKey::parse(&"ab".repeat(32)).unwrap(), Vec::new());
        let config = store::Config { database, pool, slow_query: minute };
        let store = Store::open(config, keyring, place.ambient.clone()).await.unwrap();
        store.migrate().await.unwrap();
        store.check_key().await.unwrap();
        let tutor = Entry { visitors: false, keys: false, users: UserEntry::Everybody };
        let config = Config {
            cookie_secrets: vec![Secret::new("a signing secret of the tests".to_owned())],
            secure_cookies: false,
            cookie_domain: None,
            session_lifetime: minute * 480,
            session_slide: minute * 60,
            registration: Registration::Off,
            mail: true,
            tokens: AccessTokens::default(),
            passwords: PasswordRules::default(),
            firebase: None,
            issuers: vec![place.trusted(true)],
            visitor_lifetime: minute,
            environment_keys: Vec::new(),
            require_authentication: false,
            entries: vec![(AppId::parse("tutor").unwrap(), tutor)],
        };
        let issuers = Arc::new(Issuers::new(&config, &place.outbound, &place.ambient));
        let identity = Identity::new(&config, store.clone(), issuers, place.ambient.clone()).unwrap();
        World { place, signer, identity: Arc::new(identity), store, _folder: folder }
    }

    fn token(&self, changes: serde_json::Value) -> String {
        let mut claims = self.place.claims();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.signer.sign(&claims)
    }

    async fn ask(&self, token: &str) -> Result<Principal, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        let resolved = self.identity.resolve(Credentials::read(&headers), ADDRESS, false).await?;
        Ok(resolved.principal)
    }

    async fn users(&self) -> usize {
        self.store.users(UserFilter::default(), PageRequest::first(100)).await.unwrap().items.len()
    }
}

#[tokio::test]
async fn an_identity_is_one_account_whoever_has_its_address() {
    let world = World::open().await;
    let ann = json!({"sub": "ann-1", "email": "Ann@Example.com", "email_verified": true, "name": "Ann"});
    let first = world.ask(&world.token(ann.clone())).await.unwrap();
    assert_eq!((first.method(), first.role()), (Method::IdToken, Some(Role::User)));
    assert_eq!(first.apps().iter().count(), 1);
    world.place.wait(5);
    let again = world.ask(&world.token(ann)).await.unwrap();
    assert_eq!(first.subject(), again.subject());
    let user = world.store.user(first.user().unwrap()).await.unwrap();
    assert_eq!((user.email.as_str(), user.name.as_str()), ("ann@example.com", "Ann"));
    // Another person of the same issuer who says the same address gets an account without one.
    let eve = json!({"sub": "eve-1", "email": "ann@example.com", "email_verified": true});
    let eve = world.ask(&world.token(eve)).await.unwrap();
    assert_ne!(eve.subject(), first.subject());
    assert_eq!(world.store.user(eve.user().unwrap()).await.unwrap().email, "");
    // An address that the issuer has not verified is not taken over.
    let bob = world.ask(&world.token(json!({"sub": "bob-1", "email": "bob@example.com"}))).await.unwrap();
    assert_eq!(world.store.user(bob.user().unwrap()).await.unwrap().email, "");
    assert_eq!(world.users().await, 3);
}

#[tokio::test]
async fn many_at_once_make_one_account() {
    let world = Arc::new(World::open().await);
    let token = world.token(json!({}));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (world, token) = (Arc::clone(&world), token.clone());
            tokio::spawn(async move { world.ask(&token).await.unwrap().subject() })
        })
        .collect();
    let mut subjects = std::collections::HashSet::new();
    for task in tasks {
        subjects.insert(task.await.unwrap());
    }
    assert_eq!((subjects.len(), world.users().await), (1, 1));
}

#[tokio::test]
async fn what_was_found_good_is_remembered_by_every_character_and_no_longer_than_it_lives() {
    let world = World::open().await;
    let token = world.token(json!({"exp": NOW + 600}));
    let ann = world.ask(&token).await.unwrap();
    assert_eq!(world.place.server.count("/keys"), 1);
    // Remembered: nobody is asked, neither the issuer nor the database.
    world.place.server.down(true);
    world.store.close().await;
    assert_eq!(world.ask(&token).await.unwrap().subject(), ann.subject());
    for cut in [token.len() - 1, token.len() - 40, 60] {
        let mut altered = token.clone();
        let swap = if &token[cut..=cut] == "A" { "B" } else { "A" };
        altered.replace_range(cut..=cut, swap);
        assert_eq!(world.ask(&altered).await.unwrap_err().fault.code().as_str(), "unauthenticated", "{cut}");
    }
    world.place.wait(600);
    assert_eq!(world.ask(&token).await.unwrap_err().fault.code().as_str(), "token_expired");
}

#[tokio::test]
async fn whatever_ends_sign_ins_ends_tokens_from_before() {
    let world = World::open().await;
    let look = async || {
        let mark = world.identity.mark();
        let epochs = world.store.epochs().await.unwrap();
        world.identity.refresh(mark, News { epochs, ..News::default() });
    };
    let token = world.token(json!({}));
    let ann = world.ask(&token).await.unwrap();
    let user = ann.user().unwrap();
    assert!(world.identity.stands(&ann).await.unwrap());
    world.place.wait(10);
    world.store.sign_out_everywhere(user, None, Vec::new()).await.unwrap();
    look().await;
    assert!(!world.identity.stands(&ann).await.unwrap());
    assert_eq!(world.ask(&token).await.unwrap_err().reason, "revoked token");
    world.place.wait(10);
    let fresh = world.token(json!({}));
    let again = world.ask(&fresh).await.unwrap();
    assert_eq!(again.subject(), ann.subject());
    world.place.wait(10);
    world.store.end_sessions(Some(store::SessionKind::Token), Vec::new()).await.unwrap();
    look().await;
    assert!(!world.identity.stands(&again).await.unwrap());
    assert_eq!(world.ask(&fresh).await.unwrap_err().reason, "revoked token");
    world.store.set_active(user, false, Vec::new()).await.unwrap();
    world.place.wait(10);
    look().await;
    let inactive = world.ask(&world.token(json!({}))).await.unwrap_err();
    assert_eq!(inactive.fault.code().as_str(), "inactive");
}
