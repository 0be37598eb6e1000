//! `stoa verify` without the server: `cargo run -p verify --example verify -- http://127.0.0.1:8080`.

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: verify::Args,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    ExitCode::from(u8::from(!verify::command(cli.args).await))
}
