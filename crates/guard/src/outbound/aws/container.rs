//! The credentials of a container's task, from the agent of ECS or EKS on the same machine.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};

use super::chain::small;
use super::config::{Container, ContainerToken};
use super::credentials::Credentials;
use super::failure::Failure;
use super::sts::read_token;
use crate::outbound::{Client, Request};

const AGENT: &str = "the container's credentials";

/// Asks the agent. A token's file is read anew each time: the agent replaces it.
pub(super) async fn credentials(client: &Client, container: &Container) -> Result<Credentials, Failure> {
    let mut headers = HeaderMap::new();
    let token = match &container.token {
        Some(ContainerToken::Text(token)) => Some(token.clone()),
        Some(ContainerToken::File(path)) => Some(read_token(path).await?),
        None => None,
    };
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(token.expose())
            .map_err(|_| Failure::Request("the container's token holds what no header can carry"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let (status, body) = small(client, AGENT, Request::get(container.url.clone(), headers)).await?;
    match status {
        200 => Credentials::read(AGENT, &body),
        status => Err(Failure::refused(AGENT, status, "")),
    }
}
