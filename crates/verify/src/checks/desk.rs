//! Customer service as a whole: an answer quotes a document word for word and names it; who asks for a person gets into
//! the inbox, is taken by one person, is answered by them; nobody else reads any of it.

use reqwest::Method;
use serde_json::{Value, json};

use super::talk::{messages, turn};
use crate::answer::{list_at, text_at};
use crate::chance;
use crate::deployment::{Caller, Deployment};
use crate::problem::expect_problem;
use crate::verdict::{Verdict, ensure, skip};

/// A document, a question about it, an answer with a citation that stands in it.
pub(crate) async fn citations(deployment: &Deployment) -> Verdict {
    let (caller, app) = somebody(deployment).await?;
    let client = &deployment.client;
    let path = format!("/api/v1/apps/{app}/documents");
    let word = deployment.marker.clone();
    let text = format!("# Storage\n\nThe article {word} is stored at eleven degrees in the northern hall.\n");
    let body = json!({"title": format!("Verification {word}"), "text": text, "visibility": "everyone"});
    let added = client.post(&path).by(&caller).json(&body).send().await?;
    if added.status == 403 {
        return Err(skip("the credential may not change the documents; it needs `manage` on the app"));
    }
    added.expect(&[201])?;
    let document = text_at(&added.json()?, "/id", &added.what)?.to_owned();
    let seen = ask(deployment, &caller, &app, &document, &text).await;
    let gone = client.ask(Method::DELETE, &format!("{path}/{document}")).by(&caller).send().await?;
    let seen = seen?;
    gone.expect(&[200, 202, 204])?;
    Ok(seen)
}

async fn ask(deployment: &Deployment, caller: &Caller, app: &str, document: &str, text: &str) -> Verdict {
    let word = &deployment.marker;
    let id = deployment.converse(caller, app, word).await?;
    let answer =
        turn(deployment, caller, &id, &format!("At how many degrees is the article {word} stored?")).await?;
    let whole = answer.json()?;
    let message = whole.get("message").unwrap_or(&whole);
    let said = text_at(message, "/content", &answer.what)?;
    let cited = list_at(message, "/citations", &answer.what)?;
    let own = cited.iter().find(|one| one.get("document_id").and_then(Value::as_str) == Some(document));
    let Some(own) = own else {
        return Err(crate::verdict::fail("an answer from the documents cites none of them"));
    };
    let quote = text_at(own, "/quote", "the citation")?;
    ensure(
        !quote.is_empty() && text.contains(quote),
        || "the citation quotes what its document does not say",
    )?;
    let number = own.get("number").and_then(Value::as_u64).unwrap_or_default();
    ensure(said.contains(&format!("[{number}]")), || {
        format!("the answer does not show its citation [{number}]")
    })?;
    let seconds = answer.took.as_secs_f64();
    Ok(format!("answered in {seconds:.1} s with {} citations, each quoting its document", cited.len()))
}

/// A conversation is handed over, taken, answered and closed.
pub(crate) async fn hand_over(deployment: &Deployment) -> Verdict {
    let (caller, app) = somebody(deployment).await?;
    let client = &deployment.client;
    let inbox = format!("/api/v1/apps/{app}/inbox");
    expect_problem(&client.get(&inbox).send().await?, &[401], &["unauthenticated"])?;
    let listed = client.get(&format!("{inbox}?state=waiting")).by(&caller).send().await?;
    if listed.status == 403 {
        return Err(skip("the credential may not see the inbox; it needs `manage` on the app"));
    }
    listed.expect(&[200])?;
    let id = deployment.converse(&caller, &app, &deployment.marker).await?;
    let wish = client.post(&format!("/api/v1/conversations/{id}/hand-off")).by(&caller);
    let reason = json!({"reason": format!("A check of the deployment, {}", deployment.marker)});
    wish.json(&reason).send().await?.expect(&[200, 201, 202])?;
    let own = find(deployment, &caller, &inbox, &id).await?;
    let one = format!("{inbox}/{own}");
    let seen = work(deployment, &caller, &one, &id).await;
    // Whatever was found wrong, nobody must wait for a check.
    let closed = client.post(&format!("{one}/close")).by(&caller).json(&json!({})).send().await?;
    seen?;
    closed.expect(&[200, 204])?;
    Ok("handed over, listed, taken once, answered by a person, closed; strangers get 401".into())
}

/// The hand-off of this conversation among those that wait.
async fn find(deployment: &Deployment, caller: &Caller, inbox: &str, id: &str) -> Verdict {
    let waiting =
        deployment.client.get(&format!("{inbox}?state=waiting&limit=100")).by(caller).send().await?;
    waiting.expect(&[200])?;
    let page = waiting.json()?;
    let own = list_at(&page, "/items", &waiting.what)?
        .iter()
        .find(|one| one.get("conversation_id").and_then(Value::as_str) == Some(id))
        .and_then(|one| one.get("id")?.as_str());
    own.map(str::to_owned).ok_or_else(|| crate::verdict::fail("who asked for a person is not in the inbox"))
}

async fn work(deployment: &Deployment, caller: &Caller, one: &str, id: &str) -> Verdict<()> {
    let client = &deployment.client;
    let reply = json!({"content": format!("A person was here. ({})", deployment.marker)});
    let early = client.post(&format!("{one}/reply")).by(caller).json(&reply).send().await?;
    expect_problem(&early, &[409], &["conflict"])?;
    client.post(&format!("{one}/claim")).by(caller).json(&json!({})).send().await?.expect(&[200])?;
    for path in [one.to_owned(), format!("{one}/reply")] {
        let ask = if path.ends_with("reply") { client.post(&path).json(&reply) } else { client.get(&path) };
        expect_problem(&ask.send().await?, &[401], &["unauthenticated"])?;
    }
    client.post(&format!("{one}/reply")).by(caller).json(&reply).send().await?.expect(&[200, 201])?;
    let said = messages(deployment, caller, id).await?;
    let seen = said.iter().any(|one| one.role == "assistant" && one.content.contains("A person was here."));
    ensure(seen, || "the customer does not see what the person answered")?;
    let unknown =
        one.rsplit_once('/').map_or_else(String::new, |(list, _)| format!("{list}/{}", chance::unknown_id()));
    expect_problem(&client.get(&unknown).by(caller).send().await?, &[404], &["not_found"]).map(|_| ())
}

/// Who may enter an app for customer service: the account, else the key.
pub(super) async fn somebody(deployment: &Deployment) -> Verdict<(Caller, String)> {
    let given = [
        (Caller::Account, deployment.options.token.is_some()),
        (Caller::Key, deployment.options.api_key.is_some()),
    ];
    for (caller, given) in given {
        if given && let Some(app) = deployment.app(&caller, "support").await? {
            return Ok((caller, app));
        }
    }
    Err(skip("there is neither an --api-key nor a --token that may enter an app for customer service"))
}
