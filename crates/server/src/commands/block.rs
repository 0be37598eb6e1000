//! `stoa block add|remove|list`: addresses that are refused.

use anyhow::anyhow;
use guard::http::AddressBlocks;
use kernel::{Actor, Ambient, AuditEvent, EventType, Time};
use serde_json::json;
use store::Block;

use super::data::{told, with_store};
use super::paper::{Mark, Paper, print, print_json};
use crate::cli;

/// Runs the command.
pub(crate) fn run(global: &cli::Global, block: &cli::Block, ambient: &Ambient) -> anyhow::Result<bool> {
    with_store(global, ambient, true, async |store| {
        match block {
            cli::Block::Add { address, duration, reason } => {
                let net = network(address)?;
                let now = ambient.now();
                let expires_at = duration.map(|span| now + span);
                let reason = reason.clone().unwrap_or_default();
                let event = AuditEvent::new(EventType::AddressBlocked, Actor::Operator)
                    .to(format_args!("address:{net}"))
                    .with("expires_at", expires_at.map(Time::rfc3339_seconds));
                let row = Block { net: net.clone(), reason, created_at: now, expires_at };
                store.add_block(row, vec![event]).await.map_err(told)?;
                print(&format!("{net} is blocked; running servers refuse it within a second.\n"))?;
            }
            cli::Block::Remove { address } => {
                let net = network(address)?;
                let event = AuditEvent::new(EventType::AddressUnblocked, Actor::Operator)
                    .to(format_args!("address:{net}"));
                store.remove_block(&net, vec![event]).await.map_err(told)?;
                print(&format!("{net} may come in again.\n"))?;
            }
            cli::Block::List { json } => {
                let blocks = store.blocks(ambient.now()).await.map_err(told)?;
                list(&blocks, *json)?;
            }
        }
        Ok(true)
    })
}

fn list(blocks: &[Block], json: bool) -> anyhow::Result<()> {
    if json {
        let rows: Vec<_> = blocks
            .iter()
            .map(|block| {
                json!({
                    "address": block.net, "reason": block.reason,
                    "created_at": block.created_at, "expires_at": block.expires_at,
                })
            })
            .collect();
        return print_json(&json!(rows));
    }
    let mut paper = Paper::standard();
    for block in blocks {
        let until = block
            .expires_at
            .map_or_else(|| "for good".to_owned(), |at| format!("until {}", at.rfc3339_seconds()));
        let why = if block.reason.is_empty() { String::new() } else { format!("; {}", block.reason) };
        paper.entry(Mark::Bad, &block.net, &format!("{until}{why}"), "")?;
    }
    if blocks.is_empty() {
        paper.line("No address is blocked.")?;
    }
    Ok(())
}

fn network(text: &str) -> anyhow::Result<String> {
    AddressBlocks::parse(text)
        .map(|net| net.to_string())
        .ok_or_else(|| anyhow!("`{text}` is no address and no network; write 192.0.2.1 or 192.0.2.0/24"))
}
