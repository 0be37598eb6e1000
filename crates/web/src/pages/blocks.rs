//! The page of blocked addresses: who is refused before anything else is looked at.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;

use super::admin::shell;
use super::form::{Fields, onward, page, refused};
use super::person::Person;
use crate::Site;
use crate::failure::Outcome;
use crate::texts::key;
use crate::ui::admin::{BlockView, BlocksPage};
use crate::ui::form::FormView;
use crate::ui::html;

/// The page of blocked addresses.
pub(super) fn routes() -> Router<Site> {
    Router::new().route("/admin/blocks", get(blocks).post(block)).route("/admin/blocks/remove", post(unblock))
}

async fn show_blocks(site: &Site, person: &Person, form: FormView, code: StatusCode) -> Outcome<Response> {
    let may = person.admin(site)?;
    let shell = shell(site, person, &may, "/admin/blocks").await?;
    let found = site.administration.blocks(&may).await?;
    let blocks = found
        .into_iter()
        .map(|block| BlockView {
            net: block.net,
            reason: block.reason,
            created_at: block.created_at,
            expires_at: block.expires_at,
        })
        .collect();
    let own = person.who.peer.ip.to_string();
    Ok(page(code, html(&BlocksPage { shell, form, blocks, own })?))
}

async fn blocks(State(site): State<Site>, person: Person) -> Outcome<Response> {
    show_blocks(&site, &person, FormView::new().with("hours", "24"), StatusCode::OK).await
}

async fn block(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let net = fields.text("net");
    if covers(net, person.who.peer.ip) {
        let words = key("You are at this address yourself: the block would lock you out.");
        let form = fields.view().wrong("net", words);
        return show_blocks(&site, &person, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let reason = Some(fields.text("reason")).filter(|reason| !reason.is_empty());
    let made = match fields.number("hours") {
        Ok(hours) => {
            let span = hours.map(|hours| Duration::from_secs(u64::from(hours) * 3_600));
            site.administration.block(&may, net, span, reason).await
        }
        Err(fault) => Err(fault),
    };
    match made {
        Ok(_) => Ok(onward("/admin/blocks?done=blocked")),
        Err(fault) => {
            let (status, form) = refused(fields.view(), fault)?;
            show_blocks(&site, &person, form, status).await
        }
    }
}

/// Whether a net that somebody typed holds this address. What is malformed is judged elsewhere.
fn covers(net: &str, ip: std::net::IpAddr) -> bool {
    let (head, length) = net.split_once('/').unwrap_or((net, ""));
    let (Ok(head), mine) = (head.parse::<std::net::IpAddr>(), ip.to_canonical()) else { return false };
    let bits = |ip: std::net::IpAddr| match ip {
        std::net::IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32),
        std::net::IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let ((one, most), (other, size)) = (bits(head.to_canonical()), bits(mine));
    let length: u32 = if length.is_empty() { most } else { length.parse().unwrap_or(most) };
    most == size && length <= most && (length == 0 || (one ^ other) >> (128 - length.min(128)) == 0)
}

async fn unblock(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    site.administration.unblock(&person.admin(&site)?, fields.text("net")).await?;
    Ok(onward("/admin/blocks?done=lifted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_oneself_is_seen() {
        let at = |net: &str, ip: &str| covers(net, ip.parse().unwrap());
        assert!(at("203.0.113.7", "203.0.113.7") && at("203.0.113.0/24", "203.0.113.7"));
        assert!(at("0.0.0.0/0", "203.0.113.7") && at("2001:db8::/32", "2001:db8::1"));
        assert!(at("203.0.113.0/24", "::ffff:203.0.113.7"));
        assert!(!at("203.0.113.8", "203.0.113.7") && !at("::/0", "203.0.113.7"));
        assert!(!at("", "203.0.113.7") && !at("203.0.113.7/99", "203.0.113.7"));
    }
}
