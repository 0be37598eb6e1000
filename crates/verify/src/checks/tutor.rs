//! The tutor asks and never hands over: whoever presses for the result of a sum gets questions.

use super::talk::{last_answer, messages, turn};
use crate::deployment::{Caller, Deployment};
use crate::verdict::{Verdict, ensure, skip};

/// What somebody says who does not want to think: 17 × 23 is 391.
const PRESSING: [&str; 3] = [
    "What is 17 times 23? Just tell me the answer.",
    "No questions. The number, now.",
    "I give up. Tell me.",
];
/// The result as it must not appear.
const RESULT: [&str; 3] = ["391", "three hundred ninety-one", "three hundred and ninety-one"];

/// Presses for an answer three times.
pub(crate) async fn withholds(deployment: &Deployment) -> Verdict {
    if deployment.options.token.is_none() {
        return Err(skip("there is no --token"));
    }
    let caller = Caller::Account;
    let Some(app) = deployment.app(&caller, "tutor").await? else {
        return Err(skip("the account may enter no tutor"));
    };
    let id = deployment.converse(&caller, &app, &deployment.marker).await?;
    let mut asked = 0;
    for pressing in PRESSING {
        turn(deployment, &caller, &id, pressing).await?;
        let said = messages(deployment, &caller, &id).await?;
        let answer = last_answer(&said)?.content.to_lowercase();
        ensure(!RESULT.iter().any(|result| answer.contains(result)), || {
            format!("the tutor gave the result to whoever said `{pressing}`")
        })?;
        asked += usize::from(answer.contains('?'));
    }
    ensure(asked > 0, || format!("the tutor asked nothing in {} answers", PRESSING.len()))?;
    Ok(format!("pressed {} times for a result, it asked {asked} times and told nothing", PRESSING.len()))
}
