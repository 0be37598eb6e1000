//! The outbox: what has to leave the house, sealed, until its receiver has taken it. A parcel is claimed by moving
//! its next time forward, so one replica at a time carries it, and another does when that one dies.
//! It never speaks to a receiver and never gives a parcel up by itself.

use std::collections::BTreeMap;

use crypto::Place;
use kernel::{Fault, ParcelId, Result, Secret, Time, UserId};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::bulk::{Rows, Verb};
use crate::data_key::Refusal;
use crate::secret::Secrets;
use crate::tx::Tx;
use crate::value::{Row, Value, values};

/// Who takes a parcel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Sink {
    /// The signed webhook of alerts.
    Webhook,
    /// Slack, or what speaks like it.
    Slack,
    /// The mail address of alerts.
    MailAlert,
    /// The mail address of a person: the payload is a [`Mail`].
    Mail,
}

impl Sink {
    /// Every sink.
    pub const ALL: [Sink; 4] = [Sink::Webhook, Sink::Slack, Sink::MailAlert, Sink::Mail];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Sink::Webhook => "webhook",
            Sink::Slack => "slack",
            Sink::MailAlert => "mail_alert",
            Sink::Mail => "mail",
        }
    }

    fn parse(word: &str) -> Result<Sink> {
        let found = Sink::ALL.into_iter().find(|sink| sink.as_str() == word);
        found.ok_or_else(|| Fault::internal("a parcel is for nobody known"))
    }
}

/// What a mail to a person says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// Prove that the address is yours. Values: `path`, `valid`.
    VerifyAddress,
    /// Choose a new password. Values: `path`, `valid`.
    ResetPassword,
    /// Prove that the address is yours; your account has it from then on. Values: `path`, `valid`.
    ConfirmNewAddress,
    /// Somebody wants your account to have another address. Values: `path`?
    AddressChangeAsked,
    /// Your account has another address. Values: `path`?
    AddressChanged,
    /// Somebody wanted to register this address, which has an account. Values: `path` (sign in), `reset_path`?
    AccountExists,
    /// You may make an account. Values: `path`, `valid`.
    Invitation,
    /// Your password was changed. Values: `at`?, `path`?
    PasswordChanged,
    /// A new way to sign in was added. Values: `method`, `at`?, `path`?
    SignInMethodAdded,
}

/// A mail to a person. Values named `path` or ending in `_path` begin with `/`; the public address of the server
/// is put in front of them. All other values are shown as they are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mail {
    /// The address.
    pub to: String,
    /// What it says.
    pub template: Template,
    /// What is filled in.
    pub values: BTreeMap<String, String>,
    /// After this moment it helps nobody any more (its link has expired) and is thrown away.
    pub until: Option<Time>,
    /// The language that whoever gets it reads; English when nothing is known.
    #[serde(default)]
    pub language: Option<String>,
}

/// Something to be carried.
#[derive(Clone, Debug)]
pub struct NewParcel {
    /// Who takes it.
    pub sink: Sink,
    /// Whose data it holds: it goes with the account.
    pub user: Option<UserId>,
    /// What it says, as the sink's carrier reads it.
    pub payload: Secret<String>,
}

impl NewParcel {
    /// A mail to a person.
    pub fn mail(user: Option<UserId>, mail: &Mail) -> Result<NewParcel> {
        let payload = serde_json::to_string(mail).map_err(Fault::internal)?;
        Ok(NewParcel { sink: Sink::Mail, user, payload: Secret::new(payload) })
    }
}

/// Something that is being carried.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// Its id: the receiver sees it and can tell a second delivery from a second message.
    pub id: ParcelId,
    /// Who takes it.
    pub sink: Sink,
    /// What it says.
    pub payload: Secret<String>,
    /// How often it has been carried, this time included.
    pub attempts: u32,
    /// Since when it waits.
    pub created_at: Time,
}

const COLUMNS: &str = "SELECT id, sink, payload, attempts, created_at FROM outbox";

const INSERT: Rows = Rows {
    verb: Verb::Insert("INSERT INTO outbox (id, sink, user_id, payload, attempts, created_at, next_at)", ""),
    width: 7,
};

const fn place(id: &str) -> Place<'_> {
    Place { table: "outbox", column: "payload", row: id }
}

fn read(secrets: &Secrets, row: &Row) -> Result<Parcel> {
    let id = row.text(0)?;
    let payload = String::from_utf8(secrets.open(place(&id), &row.bytes(2)?)?)
        .map_err(|_| Fault::internal("a parcel is not UTF-8"))?;
    Ok(Parcel {
        id: ParcelId::parse(&id)?,
        sink: Sink::parse(&row.text(1)?)?,
        payload: Secret::new(payload),
        attempts: row.count(3)?,
        created_at: row.time(4)?,
    })
}

/// Sealed rows, ready for [`write_parcels`].
pub(crate) fn pack(store: &Store, secrets: &Secrets, parcels: &[NewParcel]) -> Vec<Value> {
    let ambient = &store.inside.ambient;
    let mut rows = Vec::with_capacity(parcels.len() * INSERT.width);
    for parcel in parcels {
        let (id, now) = (ParcelId::new(ambient).to_string(), ambient.now());
        let sealed = secrets.seal(place(&id), parcel.payload.expose().as_bytes(), ambient);
        let user = parcel.user.map(|user| user.to_string());
        rows.extend(values![id, parcel.sink.as_str(), user, sealed, 0_i64, now, now]);
    }
    rows
}

/// Puts packed parcels into the outbox, in the transaction of what they tell about.
pub(crate) async fn write_parcels(tx: &mut Tx, rows: Vec<Value>) -> Result<(), Refusal> {
    INSERT.run(tx, rows).await?;
    Ok(())
}

impl Store {
    /// Takes parcels to be carried. When this returns, none of them is lost any more.
    pub async fn send(&self, parcels: Vec<NewParcel>) -> Result<()> {
        if parcels.is_empty() {
            return Ok(());
        }
        let rows = pack(self, self.secrets().await?, &parcels);
        self.write("outbox.send", Vec::new(), move |tx| Box::pin(write_parcels(tx, rows))).await
    }

    /// Takes up to `limit` parcels of a sink whose time has come. They come back at `until` unless they have been
    /// [`delivered`](Store::delivered) or [`postponed`](Store::postponed) before: their carrier has died then.
    pub async fn claim_parcels(&self, sink: Sink, limit: u32, until: Time) -> Result<Vec<Parcel>> {
        let now = self.inside.ambient.now();
        // Most of the time there is nothing: asking takes no lock.
        let due = "SELECT id FROM outbox WHERE next_at <= $1 AND sink = $2 ORDER BY next_at LIMIT $3";
        let asked = values![now, sink.as_str(), limit];
        if self.read("outbox.due").await?.all(due, asked.clone()).await?.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .write_alone("outbox.claim", Vec::new(), move |tx| {
                Box::pin(async move {
                    let mut claimed = Vec::new();
                    for row in tx.all(due, asked).await? {
                        let id = row.text(0)?;
                        let sql = "UPDATE outbox SET next_at = $2, attempts = attempts + 1 \
                                   WHERE id = $1 AND next_at <= $3";
                        if tx.run(sql, values![id.as_str(), until, now]).await? == 1 {
                            claimed.push(id);
                        }
                    }
                    let mut rows = Vec::with_capacity(claimed.len());
                    for id in claimed {
                        let sql = crate::connection::Sql::Built(format!("{COLUMNS} WHERE id = $1").into());
                        rows.extend(tx.one(sql, values![id]).await?);
                    }
                    Ok(rows)
                })
            })
            .await?;
        let secrets = self.secrets().await?;
        rows.iter().map(|row| read(secrets, row)).collect()
    }

    /// The receiver has taken it, or nobody ever will: it is forgotten.
    pub async fn delivered(&self, id: ParcelId) -> Result<()> {
        let row = values![id.to_string()];
        self.write_alone("outbox.delivered", Vec::new(), move |tx| {
            Box::pin(async move {
                tx.run("DELETE FROM outbox WHERE id = $1", row).await?;
                Ok(())
            })
        })
        .await
    }

    /// It is tried again at `next_at`.
    pub async fn postponed(&self, id: ParcelId, next_at: Time) -> Result<()> {
        let row = values![id.to_string(), next_at];
        self.write_alone("outbox.postponed", Vec::new(), move |tx| {
            Box::pin(async move {
                tx.run("UPDATE outbox SET next_at = $2 WHERE id = $1", row).await?;
                Ok(())
            })
        })
        .await
    }

    /// How many parcels wait, and since when the oldest one does.
    pub async fn parcels_waiting(&self) -> Result<(u64, Option<Time>)> {
        let sql = "SELECT COUNT(*), MIN(created_at) FROM outbox";
        let row = self.read("outbox.count").await?.one(sql, values![]).await?;
        let Some(row) = row else { return Ok((0, None)) };
        Ok((u64::try_from(row.int(0)?).unwrap_or(0), row.maybe_time(1)?))
    }

    /// Throws away what was sent before `time`: nobody took it for so long. Gives how many.
    pub async fn purge_parcels(&self, time: Time) -> Result<u64> {
        let sql = "SELECT 1 FROM outbox WHERE created_at < $1 LIMIT 1";
        if self.read("outbox.old").await?.one(sql, values![time]).await?.is_none() {
            return Ok(0);
        }
        self.write_alone("outbox.purge", Vec::new(), move |tx| {
            Box::pin(
                async move { Ok(tx.run("DELETE FROM outbox WHERE created_at < $1", values![time]).await?) },
            )
        })
        .await
    }
}
