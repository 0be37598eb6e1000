//! Two secrets during a rotation: what the version of a secret before the present one still counts for.
//! It never asks anybody, and takes over nothing that was found weak.

use std::collections::BTreeMap;

use kernel::Secret;

use super::raw::{Origin, Raw};
use super::strength::weakness;
use super::table::identity::{
    ENCRYPTION_KEY, ENCRYPTION_KEY_PREVIOUS, JWT_SECRET, JWT_SECRET_PREVIOUS, SESSION_SECRET,
    SESSION_SECRET_PREVIOUS,
};
use super::table::{Entry, Setting};
use super::values::Effective;
use super::vault::{Phase, Vault};

/// A secret, the list of those before it, and whether the one before is accepted for a time alone. What was sealed
/// under a master key stays sealed under it, however long ago the key was replaced.
struct Pair {
    secret: &'static dyn Entry,
    earlier: &'static Setting,
    for_a_time: bool,
}

static PAIRS: [Pair; 3] = [
    Pair { secret: &SESSION_SECRET, earlier: &SESSION_SECRET_PREVIOUS.setting, for_a_time: true },
    Pair { secret: &JWT_SECRET, earlier: &JWT_SECRET_PREVIOUS.setting, for_a_time: true },
    Pair { secret: &ENCRYPTION_KEY, earlier: &ENCRYPTION_KEY_PREVIOUS.setting, for_a_time: false },
];

/// Keeps what the version before the present one still counts for.
pub(super) fn keep(chosen: &mut BTreeMap<&'static str, Effective>, vault: &Vault) {
    for pair in &PAIRS {
        let setting = pair.secret.setting();
        let Some(Effective { raw: present, origin: Origin::Vault(name) }) = chosen.get(setting.name).cloned()
        else {
            continue;
        };
        let before =
            setting.variables.iter().copied().chain([setting.name]).find_map(|name| vault.previous.get(name));
        let Some(before) = before.filter(|before| counts(pair, before)) else { continue };
        let before = Raw::one(before.expose().as_str());
        if before.text() == present.text() || pair.for_a_time && vault.phase == Phase::Over {
            continue;
        }
        let also = if pair.for_a_time && vault.phase == Phase::Fresh {
            chosen.insert(setting.name, Effective { raw: before, origin: Origin::Vault(name.clone()) });
            present
        } else {
            before
        };
        let earlier = chosen.remove(pair.earlier.name);
        let origin = earlier.as_ref().map_or(Origin::Vault(name), |earlier| earlier.origin.clone());
        let listed = earlier.iter().flat_map(|earlier| earlier.raw.items());
        let all = std::iter::once(also.text()).chain(listed.map(str::to_owned)).collect();
        chosen.insert(pair.earlier.name, Effective { raw: Raw::many(all), origin });
    }
}

/// A version may hold a placeholder from before the first real secret; that is accepted for nothing.
fn counts(pair: &Pair, before: &Secret<String>) -> bool {
    let readable = pair.secret.normal(&Raw::one(before.expose().as_str())).is_ok();
    readable && (!pair.for_a_time || weakness(before).is_none())
}
