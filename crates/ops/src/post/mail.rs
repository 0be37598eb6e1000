//! Letters by SMTP. It owns the connection to the operator's mail server and the envelope. TLS is verified against the
//! certificates of the machine; without TLS nothing leaves this machine.

use std::time::{Duration, UNIX_EPOCH};

use kernel::{ParcelId, Result, Time};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::sync::OnceCell;

use super::Lost;
use super::config::{Protection, Smtp};
use super::letters::Letter;

/// For each step of the conversation with the server.
const PATIENCE: Duration = Duration::from_secs(15);

/// Answers that say that this mailbox will never take the letter: unavailable, not local, name not allowed (RFC 5321).
const NO_SUCH_BOX: [u16; 3] = [550, 551, 553];

/// Whether mails can come from this: an address, or `Name <address>`.
pub fn is_mailbox(text: &str) -> bool {
    !text.contains(char::is_control) && text.parse::<Mailbox>().is_ok()
}

/// The way to the mail server.
pub(super) struct Mailer {
    smtp: Smtp,
    from: Mailbox,
    transport: OnceCell<AsyncSmtpTransport<Tokio1Executor>>,
}

impl Mailer {
    /// A way to this server. It connects when there is a letter.
    pub(super) fn new(smtp: Smtp) -> Result<Mailer> {
        let from = smtp.from.parse().map_err(kernel::Fault::internal)?;
        Ok(Mailer { smtp, from, transport: OnceCell::new() })
    }

    /// Made with the first letter, as it reads the certificates of the machine; tried again when they cannot be read.
    fn connect(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, Lost> {
        let Smtp { host, port, protection, login, .. } = &self.smtp;
        let parameters = || {
            let made = TlsParameters::builder(host.clone()).build_rustls();
            made.map_err(|_| {
                Lost::for_now("no certificates to trust on this machine: install `ca-certificates`")
            })
        };
        let tls = match protection {
            Protection::None => Tls::None,
            Protection::StartTls => Tls::Required(parameters()?),
            Protection::Tls => Tls::Wrapper(parameters()?),
        };
        let name = self.from.email.domain().to_owned();
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(*port)
            .timeout(Some(PATIENCE))
            .hello_name(ClientId::Domain(name))
            .tls(tls);
        if let Some((user, password)) = login {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().clone()));
        }
        Ok(builder.build())
    }

    /// Sends a letter. `person`: a mailbox that does not exist is then no reason to try again.
    pub(super) async fn send(
        &self,
        id: ParcelId,
        to: &str,
        letter: Letter,
        now: Time,
        person: bool,
    ) -> Result<(), Lost> {
        let to: Address = to.parse().map_err(|_| Lost::for_good("this is no mail address"))?;
        let message =
            self.message(id, to, letter, now).map_err(|_| Lost::for_good("the letter cannot be written"))?;
        let transport = self.transport.get_or_try_init(|| async { self.connect() }).await?;
        match transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let status = error.status().and_then(|code| code.to_string().parse::<u16>().ok());
                // The server's own words may hold the address; its number is enough.
                let why = match status {
                    Some(status) => format!("the mail server answered {status}"),
                    None if error.is_timeout() => "the mail server does not answer".to_owned(),
                    None if error.is_tls() => "TLS with the mail server failed".to_owned(),
                    None => "the mail server cannot be reached or breaks off".to_owned(),
                };
                let hopeless = person && status.is_some_and(|status| NO_SUCH_BOX.contains(&status));
                Err(if hopeless { Lost::for_good(why) } else { Lost::for_now(why) })
            }
        }
    }

    fn message(
        &self,
        id: ParcelId,
        to: Address,
        letter: Letter,
        now: Time,
    ) -> Result<Message, lettre::error::Error> {
        // Everything that the library would draw from the clock or at random comes from the parcel instead, so that
        // two deliveries of one parcel are one message to the receiver.
        let seconds = u64::try_from(now.seconds()).unwrap_or(0);
        let part = |kind: ContentType, text: String| SinglePart::builder().header(kind).body(text);
        let body = MultiPart::alternative()
            .boundary(format!("=_{}", id.uuid().simple()))
            .singlepart(part(ContentType::TEXT_PLAIN, letter.plain))
            .singlepart(part(ContentType::TEXT_HTML, letter.html));
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject)
            .date(UNIX_EPOCH + Duration::from_secs(seconds))
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .header(AutoSubmitted)
            .multipart(body)
    }
}

/// Tells other machines not to answer (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl lettre::message::header::Header for AutoSubmitted {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
