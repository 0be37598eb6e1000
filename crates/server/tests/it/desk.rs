//! The desk of customer service: a customer asks for a person, one of several people takes the conversation, answers
//! in it and gives it back; what answers are worth; what was asked in vain. Whoever may not, and whoever may no more,
//! reads nothing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Caller, Case, Person, World, check, eventually, on_both_engines};

const INBOX: &str = "/api/v1/apps/support/inbox";

/// Somebody who manages support.
async fn agent(world: &World, email: &str) -> Person {
    let person = world.person(email, false).await;
    let granted = world.stoa(&["grant", "add", email, "support", "manage"]).await;
    assert!(granted.success(), "{granted:?}");
    let may = async || person.caller.get(INBOX).send().await.status == 200;
    eventually(Duration::from_secs(2), "the grant is known", may).await;
    person
}

/// A customer's turn in support: the whole answer.
async fn ask(customer: &Caller, session: &str, text: &str) -> Value {
    let body = json!({"message": text, "app": "support", "session_id": session});
    let answer = customer.post("/api/v1/chat").json(&body).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn said(answer: &Value) -> &str {
    answer["message"]["content"].as_str().unwrap()
}

on_both_engines! {
    async fn a_person_takes_over_and_gives_back(setup) {
        let world = setup.unlimited().without_model().start().await;
        let (ann, bob) = (agent(&world, "ann@example.org").await, agent(&world, "bob@example.org").await);
        let customer = world.key();
        let first = ask(&customer, "s", "Do you ship to Norway? My mail is ada.lovelace@example.com").await;
        assert!(said(&first).contains("no answer") && said(&first).contains("person"), "{first}");
        let id = first["conversation_id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/conversations/{id}");
        assert_eq!(customer.get(&path).send().await.json()["hand_off"], Value::Null);
        assert!(said(&ask(&customer, "s", "I want to talk to a human!").await).contains("asked a person"));
        assert_eq!(customer.get(&path).send().await.json()["hand_off"], "waiting");
        let waiting = ann.caller.get(&format!("{INBOX}?state=waiting")).send().await.json();
        assert_eq!(waiting["items"].as_array().unwrap().len(), 1, "{waiting}");
        let hand_off = waiting["items"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(waiting["items"][0]["conversation_id"], id.as_str());
        let one = format!("{INBOX}/{hand_off}");
        // Who has not claimed it may not answer.
        let hello = json!({"content": "Hello, I am Ann."});
        let early = ann.caller.post(&format!("{one}/reply")).json(&hello).send().await;
        assert_eq!((early.status, early.code().as_str()), (409, "conflict"));
        let claims = futures_util::future::join_all(
            [&ann, &bob].map(|who| who.caller.post(&format!("{one}/claim")).send()),
        ).await;
        let won: Vec<usize> = (0..2).filter(|at| claims[*at].status == 200).collect();
        assert_eq!(won.len(), 1, "{claims:?}");
        let (winner, loser) = if won[0] == 0 { (&ann, &bob) } else { (&bob, &ann) };
        assert_eq!(claims[1 - won[0]].status, 409);
        assert_eq!(customer.get(&path).send().await.json()["hand_off"], "claimed");
        // The machine is silent now, and what the customer says is kept.
        let turn = ask(&customer, "s", "Are you there?").await;
        assert!(said(&turn).contains("person is looking after"), "{turn}");
        assert_eq!(loser.caller.post(&format!("{one}/reply")).json(&hello).send().await.status, 409);
        let reply = winner.caller.post(&format!("{one}/reply")).json(&hello).send().await;
        assert_eq!((reply.status, &reply.json()["author"]), (201, &json!("person")), "{reply:?}");
        let shown = winner.caller.get(&one).send().await.json();
        let texts: Vec<&str> = shown["messages"].as_array().unwrap().iter().map(|m| m["content"].as_str().unwrap()).collect();
        assert_eq!((texts.len(), texts[4], texts[6]), (7, "Are you there?", "Hello, I am Ann."));
        let summary = shown["summary"].as_str().unwrap();
        assert!(summary.contains("Norway") && !summary.contains("ada.lovelace"), "{summary}");
        let messages = world.messages(&customer, &id).await;
        let last = messages.last().unwrap();
        assert_eq!((&last["author"], &last["content"], &last["role"]), (&json!("person"), &json!("Hello, I am Ann."), &json!("assistant")));
        assert!(messages[..6].iter().all(|message| message["author"].is_null()));
        assert_eq!(loser.caller.post(&format!("{one}/return")).send().await.status, 409);
        assert_eq!(winner.caller.post(&format!("{one}/return")).send().await.json()["state"], "returned");
        assert_eq!(customer.get(&path).send().await.json()["hand_off"], Value::Null);
        assert!(said(&ask(&customer, "s", "And to Sweden, how long?").await).contains("no answer"));
        let who = format!("user:{}", winner.id);
        let object = format!("conversation:{id}");
        for event in ["data.read", "data.written"] {
            world.await_audit(event, |event| event["actor"] == who.as_str() && event["object"] == object.as_str()).await;
        }
        world.verify_audit().await;
    }

    async fn who_may_not_and_who_may_no_more_reads_nothing(setup) {
        let world = setup.unlimited().without_model().start().await;
        let ann = agent(&world, "ann@example.org").await;
        let admin = world.admin().await;
        let member = world.member().await;
        let customer = world.key();
        let asked = ask(&customer, "s", "Ich möchte mit einem Menschen sprechen.").await;
        assert!(said(&asked).contains("Menschen um Hilfe"), "{asked}");
        let listed = ann.caller.get(INBOX).send().await.json();
        let hand_off = listed["items"][0]["id"].as_str().unwrap();
        let one = format!("{INBOX}/{hand_off}");
        for caller in [&customer, &member.caller, &world.stranger()] {
            check([
                Case::new(caller.get(INBOX), 403).code("forbidden"),
                Case::new(caller.get(&one), 403).code("forbidden"),
                Case::new(caller.post(&format!("{one}/claim")), 403).code("forbidden"),
                Case::new(caller.get("/api/v1/apps/support/gaps"), 403).code("forbidden"),
                Case::new(caller.get("/api/v1/apps/support/quality"), 403).code("forbidden"),
            ]).await;
        }
        // The desk of another app does not have it, and somebody else's conversation cannot be handed over.
        check([
            Case::new(admin.caller.get(&format!("/api/v1/apps/assistant/inbox/{hand_off}")), 404).code("not_found"),
            Case::new(admin.caller.get("/api/v1/apps/nothing/inbox"), 404).code("not_found"),
            Case::new(admin.caller.get(&one), 200),
        ]).await;
        let conversation = asked["conversation_id"].as_str().unwrap();
        let foreign = world.stranger().post(&format!("/api/v1/conversations/{conversation}/hand-off")).json(&json!({})).send().await;
        assert_eq!(foreign.status, 404);
        assert_eq!(ann.caller.post(&format!("{one}/claim")).send().await.status, 200);
        assert_eq!(ann.caller.get(&one).send().await.status, 200);
        let path = format!("/api/v1/admin/users/{}/grants/support", ann.id);
        assert_eq!(admin.caller.delete(&path).send().await.status, 204);
        check([
            Case::new(ann.caller.get(&one), 403).code("forbidden"),
            Case::new(ann.caller.get(INBOX), 403).code("forbidden"),
            Case::new(ann.caller.post(&format!("{one}/reply")).json(&json!({"content": "still here"})), 403).code("forbidden"),
        ]).await;
        assert_eq!(world.messages(&customer, conversation).await.len(), 2);
    }

    async fn a_wish_and_feedback_over_the_api(setup) {
        let world = setup.unlimited().without_model().start().await;
        let ann = agent(&world, "ann@example.org").await;
        let customer = world.key();
        let turn = ask(&customer, "s", "How tall is the tower?").await;
        let (id, message) = (turn["conversation_id"].as_str().unwrap(), turn["message"]["id"].as_str().unwrap());
        let wish = format!("/api/v1/conversations/{id}/hand-off");
        let reason = json!({"reason": "my card 4111 1111 1111 1111 was charged twice"});
        for _ in 0..2 {
            let asked = customer.post(&wish).json(&reason).send().await;
            assert_eq!((asked.status, &asked.json()["hand_off"]), (200, &json!("waiting")), "{asked:?}");
        }
        let inbox = ann.caller.get(INBOX).send().await.json();
        assert_eq!(inbox["items"].as_array().unwrap().len(), 1);
        let masked = inbox["items"][0]["reason"].as_str().unwrap();
        assert!(masked.contains("charged twice") && !masked.contains("4111"), "{masked}");
        // While somebody is asked for, the machine goes on, and says so where it has no answer.
        assert!(said(&ask(&customer, "s", "How old is the tower?").await).contains("asked a person"));
        let rate = format!("/api/v1/conversations/{id}/messages/{message}/feedback");
        check([
            Case::new(customer.post(&rate).json(&json!({"rating": "up"})), 204),
            Case::new(customer.post(&rate).json(&json!({"rating": "down", "comment": "wrong"})), 204),
            Case::new(customer.post(&rate).json(&json!({"rating": "sideways"})), 400).code("invalid_input"),
            Case::new(world.stranger().post(&rate).json(&json!({"rating": "up"})), 404).code("not_found"),
            Case::new(customer.post(&rate.replace(message, id)).json(&json!({"rating": "up"})), 404).code("not_found"),
        ]).await;
        let quality = || async { ann.caller.get("/api/v1/apps/support/quality").send().await.json() };
        let counts = quality().await;
        assert_eq!((&counts["up"], &counts["down"]), (&json!(0), &json!(1)), "{counts}");
        assert_eq!((&counts["questions"], &counts["refused"], &counts["handed_off"]), (&json!(2), &json!(2), &json!(1)));
        assert_eq!((&counts["answer_rate"], &counts["containment"]), (&json!(0.0), &json!(0.0)));
        check([Case::new(customer.post(&rate).json(&json!({"rating": null})), 204)]).await;
        assert_eq!(quality().await["down"], 0);
        check([
            Case::new(ann.caller.get("/api/v1/apps/support/quality?days=0"), 400).code("invalid_input"),
            Case::new(ann.caller.get("/api/v1/apps/support/inbox?state=open"), 400).code("invalid_input"),
        ]).await;
        let assistant = world.conversation(&customer).await;
        let none = customer.post(&format!("/api/v1/conversations/{assistant}/hand-off")).json(&json!({})).send().await;
        assert_eq!(none.status, 400, "{none:?}");
    }

    async fn what_is_asked_in_vain_is_listed_once(setup) {
        let world = setup.unlimited().without_model().start().await;
        let ann = agent(&world, "ann@example.org").await;
        let customer = world.key();
        for (session, text) in [
            ("a", "Do you ship blenders to Norway?"),
            ("b", "do you ship a blender to norway"),
            ("c", "Is there a discount for grace.hopper@example.com?"),
            ("d", "Hello!"),
        ] {
            ask(&customer, session, text).await;
        }
        let gaps = ann.caller.get("/api/v1/apps/support/gaps").send().await.json();
        let items = gaps["items"].as_array().unwrap();
        let counts: Vec<&Value> = items.iter().map(|item| &item["count"]).collect();
        assert_eq!(counts, [1, 2], "{gaps}");
        assert!(!gaps.to_string().contains("grace.hopper"), "{gaps}");
        let id = items[1]["id"].as_str().unwrap();
        let resolve = format!("/api/v1/apps/support/gaps/{id}/resolve");
        assert_eq!(ann.caller.post(&resolve).send().await.json()["resolved"], 2);
        assert_eq!(ann.caller.post(&resolve).send().await.status, 404);
        let left = ann.caller.get("/api/v1/apps/support/gaps").send().await.json();
        assert_eq!(left["items"].as_array().unwrap().len(), 1);
        // A conversation that is deleted takes its question along.
        let all = customer.get("/api/v1/conversations?app=support").send().await.json();
        for one in all["items"].as_array().unwrap() {
            let path = format!("/api/v1/conversations/{}", one["id"].as_str().unwrap());
            assert_eq!(customer.delete(&path).send().await.status, 204);
        }
        assert!(ann.caller.get("/api/v1/apps/support/gaps").send().await.json()["items"].as_array().unwrap().is_empty());
    }
}
