//! The brake stops whom it should, nobody else, and leaves everything as it was when it is released.

use identity::{Admin, KeysManage, NewApiKey, What};
use kernel::Role;
use store::Mode;

use crate::world::{Caller, ENVIRONMENT_KEY, HOME, PASSWORD, World, code, secret};

#[tokio::test]
async fn each_mode_keeps_out_whom_it_says_and_off_restores_everything() {
    let world = World::open().await;
    let other = world.replica().await;
    world.user("root@example.com", Role::Admin).await;
    let ann = world.user("ann@example.com", Role::User).await;
    let gone = world.user("gone@example.com", Role::User).await;
    let visitor = world.ask(&Caller::nobody()).await.unwrap().cookie.unwrap();
    let visitor = Caller::cookie(visitor.split(';').next().unwrap());
    let root = world.browser("root@example.com").await;
    let (browser, tokens) = (world.browser("ann@example.com").await, world.tokens("ann@example.com").await);
    let left = world.browser("gone@example.com").await;
    let makes = world.identity.may(&world.principal(&root).await, KeysManage).unwrap();
    let new = NewApiKey { name: "k".to_owned(), ..NewApiKey::default() };
    let key = Caller::key(world.keys.create(&makes, new).await.unwrap().1.expose());
    let admin = world.identity.may(&world.principal(&root).await, Admin).unwrap();
    world.administration.set_active(&admin, gone.id, false).await.unwrap();
    let root_program = world.program("root@example.com").await;
    let callers = [
        ("visitor", visitor),
        ("browser", browser),
        ("program", Caller::bearer(tokens.access_token.expose())),
        ("key", key),
        ("environment", Caller::key(ENVIRONMENT_KEY)),
        ("inactive", left),
        ("admin", root),
        ("admin's program", root_program),
    ];
    let table = [
        (Mode::Off, ["ok", "ok", "ok", "ok", "ok", "inactive", "ok", "ok"]),
        (
            Mode::Users,
            ["ok", "locked_down", "locked_down", "locked_down", "locked_down", "inactive", "ok", "ok"],
        ),
        (
            Mode::AdminOnly,
            [
                "locked_down",
                "locked_down",
                "locked_down",
                "locked_down",
                "locked_down",
                "inactive",
                "ok",
                "ok",
            ],
        ),
        (Mode::Off, ["ok", "ok", "ok", "ok", "ok", "inactive", "ok", "ok"]),
    ];
    let mut streams = Vec::new();
    other.look().await;
    for (_, caller) in &callers {
        streams.push(world.ask(caller).await.ok().map(|resolved| resolved.principal));
    }
    for (mode, cells) in table {
        world.administration.set_lockdown(&admin, mode).await.unwrap();
        other.look().await;
        for (number, ((who, caller), wanted)) in callers.iter().zip(cells).enumerate() {
            for place in [&world, &other] {
                let answer = match place.ask(caller).await {
                    Ok(_) => "ok",
                    Err(refusal) => refusal.fault.code().as_str(),
                };
                assert_eq!(answer, wanted, "{who} under {mode:?}");
                if let Some(stream) = &streams[number] {
                    assert_eq!(
                        place.identity.stands(stream).await.unwrap(),
                        wanted == "ok",
                        "{who}, {mode:?}"
                    );
                }
            }
        }
        let locked = if mode == Mode::Off { "ok" } else { "locked_down" };
        assert_eq!(code(world.sign_in("ann@example.com").await), locked);
        assert_eq!(code(world.sign_in("root@example.com").await), "ok");
        if mode != Mode::Off {
            // A refresh that is refused now is not used up.
            let refused = world.accounts.refresh(&tokens.refresh_token, &world.from(HOME)).await;
            assert_eq!(code(refused), "locked_down");
        }
    }
    world.accounts.refresh(&tokens.refresh_token, &world.from(HOME)).await.unwrap();
    assert_eq!(world.store.user(ann.id).await.unwrap().disabled_at, None);
    assert_eq!(world.events("lockdown.on").await.len(), 2);
    assert!(!world.events("lockdown.off").await.is_empty());
}

#[tokio::test]
async fn revoking_ends_exactly_what_it_names() {
    let world = World::open().await;
    let other = world.replica().await;
    world.user("root@example.com", Role::Admin).await;
    let admin =
        world.identity.may(&world.principal(&world.browser("root@example.com").await).await, Admin).unwrap();
    world.user("ann@example.com", Role::User).await;
    for (what, dead) in [
        (What::Sessions, [true, false, false, false]),
        (What::Tokens, [false, true, false, false]),
        (What::Keys, [false, false, true, false]),
        (What::All, [true, true, true, true]),
    ] {
        let browser = world.browser("ann@example.com").await;
        let program = world.program("ann@example.com").await;
        let makes = world.identity.may(&world.principal(&browser).await, KeysManage).unwrap();
        let new = NewApiKey { name: "k".to_owned(), ..NewApiKey::default() };
        let key = Caller::key(world.keys.create(&makes, new).await.unwrap().1.expose());
        let visitor = world.ask(&Caller::nobody()).await.unwrap();
        let cookie = visitor.cookie.unwrap();
        let callers = [browser, program, key, Caller::cookie(cookie.split(';').next().unwrap())];
        other.look().await;
        let mut streams = Vec::new();
        for caller in &callers {
            streams.push(other.principal(caller).await);
            world.principal(caller).await;
        }
        let revoked = world.administration.revoke(&admin, what).await.unwrap();
        assert_eq!(revoked.keys > 0, dead[2]);
        other.look().await;
        for (number, caller) in callers.iter().enumerate() {
            for place in [&world, &other] {
                assert_eq!(
                    place.identity.stands(&streams[number]).await.unwrap(),
                    !dead[number],
                    "{what:?} {number}"
                );
                // A dead visitor becomes a new one; everybody else is refused.
                let answer = place.ask(caller).await;
                match number {
                    3 => assert_eq!(answer.unwrap().cookie.is_some(), dead[3], "{what:?}"),
                    _ => assert_eq!(answer.is_err(), dead[number], "{what:?} {number}"),
                }
            }
        }
        // Whoever signs in right after is in.
        world.program("ann@example.com").await;
    }
    assert!(
        world.accounts.sign_in("ann@example.com", &secret(PASSWORD), None, &world.from(HOME)).await.is_ok()
    );
}
