//! Joining, passwords, links by mail: single use, one answer for all, nothing that lets a stranger in.

use std::time::Duration;

use identity::{AccountWrite, Registration};
use kernel::{Code, Role, Time};
use store::{Mail, Sink, Template};

use crate::world::{Caller, HOME, HOUR, MINUTE, OTHER, PASSWORD, Setup, World, code, secret};

/// The mails that wait, and the secrets of their links.
async fn mails(world: &World) -> Vec<(Mail, String)> {
    world.settle().await;
    let until = Time::from_seconds(4_000_000_000);
    let parcels = world.store.claim_parcels(Sink::Mail, 100, until).await.unwrap();
    let mut mails = Vec::new();
    for parcel in parcels {
        let mail: Mail = serde_json::from_str(parcel.payload.expose()).unwrap();
        let path = mail.values.get("path").cloned().unwrap_or_default();
        let token = path.split_once("#token=").map(|(_, token)| token.to_owned()).unwrap_or_default();
        world.store.delivered(parcel.id).await.unwrap();
        mails.push((mail, token));
    }
    mails
}

#[tokio::test]
async fn whoever_registers_signs_in_and_is_a_plain_user() {
    let world = World::open().await;
    let from = world.from(HOME);
    let accounts = &world.accounts;
    accounts.register(" Ann@Example.com ", &secret(PASSWORD), "Ann", None, &from).await.unwrap();
    let verified = world.sign_in("ann@example.com").await.unwrap();
    assert_eq!((verified.user().role, verified.method()), (Role::User, "password"));
    // Again, with another password: the same answer, and nothing changes.
    accounts.register("ann@example.com", &secret(OTHER), "Eve", None, &from).await.unwrap();
    let eve = accounts.sign_in("ann@example.com", &secret(OTHER), None, &from).await;
    assert_eq!(code(eve), "unauthenticated");
    world.sign_in("ANN@EXAMPLE.COM.").await.unwrap();
    for (password, wanted) in [("too short", "too_short"), ("annannannannannann", "too_common")] {
        let fault = accounts.register("b@example.com", &secret(password), "", None, &from).await.unwrap_err();
        assert_eq!(fault.fields()[0].code, wanted);
    }
}

#[tokio::test]
async fn every_wrong_sign_in_has_the_same_answer() {
    let world = World::open().await;
    let ann = world.user("ann@example.com", Role::User).await;
    let gone = world.user("gone@example.com", Role::User).await;
    world.store.set_active(gone.id, false, Vec::new()).await.unwrap();
    let from = world.from(HOME);
    let mut answers = Vec::new();
    for (email, password) in
        [("nobody@example.com", PASSWORD), ("ann@example.com", OTHER), ("gone@example.com", OTHER)]
    {
        let fault = world.accounts.sign_in(email, &secret(password), None, &from).await.unwrap_err();
        answers.push((fault.code(), fault.message().to_owned()));
    }
    assert_eq!(answers[0].0, Code::Unauthenticated);
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(code(world.sign_in("gone@example.com").await), "inactive");
    assert_eq!(
        code(world.accounts.sign_in("ann@example.com", &secret(""), None, &from).await),
        "invalid_input"
    );
    let events = world.events("auth.failure").await;
    let reasons: Vec<_> = events.iter().map(|event| event.details["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["wrong password", "wrong password", "unknown account"]);
    assert_eq!(events[1].actor, format!("user:{}", ann.id));
    assert!(events.iter().all(|event| event.details["account"].as_str().unwrap().len() == 16));
}

#[tokio::test]
async fn with_mail_an_address_is_proven_before_it_signs_in() {
    let world = World::with(Setup { mail: true, ..Setup::default() }).await;
    let from = world.from(HOME);
    world.accounts.register("ann@example.com", &secret(PASSWORD), "Ann", None, &from).await.unwrap();
    let sent = mails(&world).await;
    assert_eq!(
        (sent.len(), sent[0].0.template, sent[0].0.to.as_str()),
        (1, Template::VerifyAddress, "ann@example.com")
    );
    assert_eq!(code(world.sign_in("ann@example.com").await), "forbidden");
    for wrong in ["", " ", "null", &"a".repeat(43)] {
        assert_eq!(code(world.accounts.verify(wrong, &from).await), "invalid_input");
    }
    // The failed sign-in sent a new link; the first is void.
    let again = mails(&world).await;
    assert_eq!(code(world.accounts.verify(&sent[0].1, &from).await), "invalid_input");
    world.accounts.verify(&again[0].1, &from).await.unwrap();
    assert_eq!(code(world.accounts.verify(&again[0].1, &from).await), "invalid_input");
    world.sign_in("ann@example.com").await.unwrap();
    // The owner of a proven address is told; nobody else learns of it.
    world.accounts.register("ann@example.com", &secret(OTHER), "Eve", None, &from).await.unwrap();
    assert_eq!(mails(&world).await[0].0.template, Template::AccountExists);
}

#[tokio::test]
async fn who_reads_the_mail_chooses_the_password_of_a_begun_account() {
    let world = World::with(Setup { mail: true, ..Setup::default() }).await;
    let from = world.from(HOME);
    let accounts = &world.accounts;
    accounts.register("ann@example.com", &secret(OTHER), "Eve", None, &from).await.unwrap();
    mails(&world).await;
    accounts.register("ann@example.com", &secret(PASSWORD), "Ann", None, &from).await.unwrap();
    let sent = mails(&world).await;
    assert_eq!(sent[0].0.template, Template::ResetPassword);
    accounts.reset(&sent[0].1, &secret(PASSWORD), &from).await.unwrap();
    world.sign_in("ann@example.com").await.unwrap();
    assert_eq!(
        code(accounts.sign_in("ann@example.com", &secret(OTHER), None, &from).await),
        "unauthenticated"
    );
}

#[tokio::test]
async fn a_reset_counts_once_for_half_an_hour_and_ends_every_session() {
    let world = World::with(Setup { mail: true, ..Setup::default() }).await;
    world.user("ann@example.com", Role::User).await;
    let (ann, program) = (world.browser("ann@example.com").await, world.program("ann@example.com").await);
    let from = world.from(HOME);
    let accounts = &world.accounts;
    accounts.forgot("nobody@example.com", &from).await.unwrap();
    assert!(mails(&world).await.is_empty());
    accounts.forgot("Ann@example.com", &from).await.unwrap();
    let first = mails(&world).await.remove(0).1;
    accounts.forgot("ann@example.com", &from).await.unwrap();
    let second = mails(&world).await.remove(0).1;
    for wrong in ["", "null", "undefined", &first, &second[1..]] {
        assert_eq!(code(accounts.reset(wrong, &secret(OTHER), &from).await), "invalid_input", "{wrong}");
    }
    // A password that may not be one does not cost the link.
    assert_eq!(code(accounts.reset(&second, &secret("short"), &from).await), "invalid_input");
    accounts.reset(&second, &secret(OTHER), &from).await.unwrap();
    assert_eq!(code(accounts.reset(&second, &secret(PASSWORD), &from).await), "invalid_input");
    assert_eq!(world.refused(&ann).await, "unauthenticated");
    assert_eq!(world.refused(&program).await, "unauthenticated");
    assert_eq!(code(world.sign_in("ann@example.com").await), "unauthenticated");
    accounts.sign_in("ann@example.com", &secret(OTHER), None, &from).await.unwrap();
    accounts.forgot("ann@example.com", &from).await.unwrap();
    let late =
        mails(&world).await.into_iter().find(|(mail, _)| mail.template == Template::ResetPassword).unwrap().1;
    world.turn(31 * MINUTE);
    assert_eq!(code(accounts.reset(&late, &secret(PASSWORD), &from).await), "invalid_input");
}

#[tokio::test]
async fn a_sensitive_change_needs_a_fresh_proof() {
    let world = World::open().await;
    world.user("ann@example.com", Role::User).await;
    let ann = world.browser("ann@example.com").await;
    let may = async || world.identity.may(&world.principal(&ann).await, AccountWrite).unwrap();
    let begin = async |password: Option<&str>| {
        let password = password.map(secret);
        code(world.accounts.begin_passkey(&may().await, password.as_ref()).await)
    };
    assert_eq!(begin(None).await, "ok");
    world.turn(16 * MINUTE);
    assert_eq!(begin(None).await, "forbidden");
    assert_eq!(begin(Some(OTHER)).await, "invalid_input");
    assert_eq!(begin(Some(PASSWORD)).await, "ok");
    assert_eq!(begin(None).await, "forbidden");
    world.accounts.prove(&may().await, &secret(PASSWORD), None).await.unwrap();
    assert_eq!(begin(None).await, "ok");
    let wrong = world.accounts.change_password(&may().await, &secret(OTHER), &secret(OTHER), None).await;
    assert_eq!(code(wrong), "invalid_input");
    // The session of whoever guesses wrong goes on; it is the guess that is counted.
    world.ask(&ann).await.unwrap();
}

#[tokio::test]
async fn invitations_let_one_in_with_their_role_and_address() {
    let world =
        World::with(Setup { registration: Registration::Invite, mail: true, ..Setup::default() }).await;
    world.user("root@example.com", Role::Admin).await;
    let root = world.principal(&world.browser("root@example.com").await).await;
    let admin = world.identity.may(&root, identity::Admin).unwrap();
    let from = world.from(HOME);
    let join = async |email: &str, invitation: Option<&str>| {
        code(world.accounts.register(email, &secret(PASSWORD), "", invitation, &from).await)
    };
    assert_eq!(join("ann@example.com", None).await, "forbidden");
    let invitation = world.administration.invite(&admin, "Ann@example.com", Role::Admin).await.unwrap();
    assert_eq!(mails(&world).await[0].0.template, Template::Invitation);
    assert_eq!(join("eve@example.com", Some(invitation.expose())).await, "invalid_input");
    assert_eq!(join("ann@example.com", Some("x")).await, "invalid_input");
    assert_eq!(join("ann@example.com", Some(invitation.expose())).await, "ok");
    assert_eq!(world.sign_in("ann@example.com").await.unwrap().user().role, Role::Admin);
    assert_eq!(join("ann@example.com", Some(invitation.expose())).await, "invalid_input");
    let taken = world.administration.invite(&admin, "ann@example.com", Role::User).await;
    assert_eq!(code(taken), "conflict");
    let late = world.administration.invite(&admin, "late@example.com", Role::User).await.unwrap();
    world.turn(Duration::from_secs(8 * 24 * 3_600));
    assert_eq!(join("late@example.com", Some(late.expose())).await, "invalid_input");
    world.turn(HOUR);
}

#[tokio::test]
async fn a_server_is_claimed_once_and_not_by_guessing() {
    let world = World::open().await;
    let (accounts, from) = (&world.accounts, world.from(HOME));
    assert!(accounts.setup_open().await.unwrap());
    let (before, ends) = accounts.open_setup().await.unwrap().unwrap();
    world.turn(HOUR);
    // Of replicas that start together each shows the same token; that of an hour ago opens nothing.
    let shown = futures_util::future::join_all((0..8).map(|_| accounts.open_setup())).await;
    let shown: Vec<_> = shown.into_iter().map(|shown| shown.unwrap().unwrap()).collect();
    let (token, _) = &shown[0];
    assert!(shown.iter().all(|(other, until)| other.expose() == token.expose() && *until > ends));
    for wrong in ["", "null", before.expose(), &"a".repeat(43)] {
        let claim = accounts.claim(wrong, "root@example.com", &secret(PASSWORD), &from).await;
        assert_eq!(code(claim), "invalid_input");
    }
    let root = accounts.claim(token.expose(), "root@example.com", &secret(PASSWORD), &from).await.unwrap();
    assert_eq!((root.user().role, root.method()), (Role::Admin, "setup"));
    let tokens = accounts.open_tokens(root, &from).await.unwrap();
    assert!(world.principal(&Caller::bearer(tokens.access_token.expose())).await.is_admin());
    assert!(!accounts.setup_open().await.unwrap() && accounts.open_setup().await.unwrap().is_none());
    let again = accounts.claim(token.expose(), "eve@example.com", &secret(PASSWORD), &from).await;
    assert!(matches!(code(again), "invalid_input" | "conflict"));
}

#[tokio::test]
async fn another_address_holds_once_its_owner_has_opened_the_link() {
    let world = World::with(Setup { mail: true, ..Setup::default() }).await;
    world.user("ann@example.com", Role::User).await;
    world.user("bob@example.com", Role::User).await;
    let ann = world.browser("ann@example.com").await;
    let may = async || world.identity.may(&world.principal(&ann).await, AccountWrite).unwrap();
    let from = world.from(HOME);
    let change = async |email: &str, password: Option<&str>| {
        let password = password.map(secret);
        code(world.accounts.change_email(&may().await, email, password.as_ref(), None).await)
    };
    let told = |sent: &[(Mail, String)]| -> Vec<(Template, String)> {
        let mut told: Vec<_> = sent.iter().map(|(mail, _)| (mail.template, mail.to.clone())).collect();
        told.sort_by(|one, other| one.1.cmp(&other.1));
        told
    };
    assert_eq!(change("no address", None).await, "invalid_input");
    assert_eq!(change("ANN@example.com", None).await, "ok");
    assert!(mails(&world).await.is_empty(), "it is the address already");
    assert_eq!(change("New@example.com", None).await, "ok");
    let sent = mails(&world).await;
    let wanted = [
        (Template::AddressChangeAsked, "ann@example.com".to_owned()),
        (Template::ConfirmNewAddress, "new@example.com".to_owned()),
    ];
    assert_eq!(told(&sent), wanted);
    let link = sent.iter().find(|(_, token)| !token.is_empty()).unwrap().1.clone();
    world.sign_in("ann@example.com").await.unwrap();
    assert_eq!(code(world.sign_in("new@example.com").await), "unauthenticated", "nothing has changed yet");
    // An address that somebody has: the same answer, and its owner is told.
    assert_eq!(change("bob@example.com", None).await, "ok");
    let taken = [
        (Template::AddressChangeAsked, "ann@example.com".to_owned()),
        (Template::AccountExists, "bob@example.com".to_owned()),
    ];
    assert_eq!(told(&mails(&world).await), taken);
    world.accounts.verify(&link, &from).await.unwrap();
    assert_eq!(
        told(&mails(&world).await),
        [(Template::AddressChanged, "ann@example.com".to_owned())],
        "the old address is told"
    );
    assert!(world.sign_in("new@example.com").await.unwrap().user().verified_at.is_some());
    assert_eq!(code(world.sign_in("ann@example.com").await), "unauthenticated");
    assert_eq!(code(world.accounts.verify(&link, &from).await), "invalid_input", "once");
    assert_eq!(world.ask(&ann).await.unwrap().principal.user(), may().await.who().user(), "still signed in");
    // Without a fresh proof the password is asked for.
    world.turn(16 * MINUTE);
    assert_eq!(change("third@example.com", None).await, "forbidden");
    assert_eq!(change("third@example.com", Some(OTHER)).await, "invalid_input");
    assert!(mails(&world).await.is_empty());
    assert_eq!(change("third@example.com", Some(PASSWORD)).await, "ok");
    let sent = mails(&world).await;
    let link = sent.iter().find(|(_, token)| !token.is_empty()).unwrap().1.clone();
    // Somebody else takes the address meanwhile; then the link is worth nothing.
    world.user("third@example.com", Role::User).await;
    assert_eq!(code(world.accounts.verify(&link, &from).await), "invalid_input");
    // A new password makes links that somebody who got in has asked for worthless.
    assert_eq!(change("fourth@example.com", None).await, "ok");
    let sent = mails(&world).await;
    let link = sent.iter().find(|(_, token)| !token.is_empty()).unwrap().1.clone();
    world.accounts.change_password(&may().await, &secret(PASSWORD), &secret(OTHER), None).await.unwrap();
    assert_eq!(code(world.accounts.verify(&link, &from).await), "invalid_input");
}

#[tokio::test]
async fn without_mail_another_address_holds_at_once() {
    let world = World::open().await;
    world.user("ann@example.com", Role::User).await;
    world.user("bob@example.com", Role::User).await;
    let ann = world.browser("ann@example.com").await;
    let may = world.identity.may(&world.principal(&ann).await, AccountWrite).unwrap();
    world.accounts.change_email(&may, "bob@example.com", None, None).await.unwrap();
    assert_eq!(world.store.user(may.who().user().unwrap()).await.unwrap().email, "ann@example.com");
    world.accounts.change_email(&may, "new@example.com", None, None).await.unwrap();
    world.sign_in("new@example.com").await.unwrap();
    assert_eq!(code(world.sign_in("ann@example.com").await), "unauthenticated");
    let events = world.events("user.changed").await;
    assert!(
        events.iter().all(|event| !event.details.to_string().contains("example.com")),
        "no address in the log"
    );
}
