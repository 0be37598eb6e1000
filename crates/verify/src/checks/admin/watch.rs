//! What waits for somebody: alerts that nobody has taken note of, and a brake that is still pulled.

use super::{enter, own_address, some, text, whole};
use crate::answer::text_at;
use crate::deployment::{Caller, Deployment};
use crate::verdict::{Verdict, ensure};

/// What this run itself may raise by trying wrong passwords and limits.
pub(crate) const OWN_DOING: [&str; 3] = ["failed_sign_ins", "account_guessing", "rate_limits"];

/// No alert of weight is open, but those about this run itself.
pub(crate) async fn alerts(deployment: &Deployment) -> Verdict {
    let who = enter(deployment).await?;
    let address = own_address(&who).to_owned();
    let open = whole(deployment, "/api/v1/admin/alerts?state=open").await?;
    let own = |alert: &serde_json::Value| {
        OWN_DOING.contains(&text(alert, "kind"))
            && !address.is_empty()
            && alert.to_string().contains(&address)
    };
    let (mine, others): (Vec<_>, Vec<_>) = open.iter().partition(|alert| own(alert));
    let grave: Vec<&str> = others
        .iter()
        .filter(|alert| matches!(text(alert, "severity"), "high" | "critical"))
        .map(|alert| text(alert, "kind"))
        .collect();
    ensure(grave.is_empty(), || {
        format!("{} alerts wait for somebody: {}", grave.len(), some(grave.clone()))
    })?;
    let mine =
        if mine.is_empty() { String::new() } else { format!(", {} about checks like this", mine.len()) };
    Ok(format!("no alert of weight is open ({} lesser{mine})", others.len()))
}

/// The brake is released.
pub(crate) async fn brake(deployment: &Deployment) -> Verdict {
    enter(deployment).await?;
    let answer = deployment.client.get("/api/v1/admin/lockdown").by(&Caller::Account).send().await?;
    answer.expect(&[200])?;
    let state = answer.json()?;
    let mode = text_at(&state, "/mode", &answer.what)?;
    ensure(mode == "off", || format!("the server is locked down ({mode}) since {}", text(&state, "since")))?;
    let blocked = whole(deployment, "/api/v1/admin/blocks").await?.len();
    Ok(format!("no lockdown; {blocked} addresses or networks are blocked"))
}
