//! What callers sent lately, for all replicas: hashes in Redis, which forgets them by itself. One script counts a message
//! in one round trip, by the clock of Redis. It never keeps a text, nor a name that can be read.

use std::sync::Arc;
use std::time::Duration;

use redis::Script;

use super::{MOMENT, NEW, REMEMBERED, SPAN, Sent, Standing, TOLD, near};
use crate::limits::Link;

/// All keys bear one hash tag, so that the script may touch all of them in a cluster.
const PREFIX: &str = "{stoa:spam}";

/// `KEYS`: the texts of the caller (entries `hash:high:low:times:since`, high and low being the halves of the sketch, or
/// `-`), the times at which its messages came, when it came first, whether people have heard of it.
/// `ARGV`: span, moment, how long one is new and how long one is told of, in microseconds; how much is remembered, how many
/// bits may differ; hash, high, low. Answers how often the text came, how many messages came in the moment, 1 for a new
/// caller, 1 when people have heard of it.
const COUNT: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local span, moment, new, told = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local most, near = tonumber(ARGV[5]), tonumber(ARGV[6])
local hash, high, low = ARGV[7], ARGV[8], ARGV[9]
local function bits(word)
  local count = 0
  while word ~= 0 do
    word = bit.band(word, word - 1)
    count = count + 1
  end
  return count
end
local function stamp(number) return string.format('%.0f', number) end
local function apart(one, other)
  return bits(bit.bxor(bit.tobit(tonumber(one)), bit.tobit(tonumber(other))))
end
local times, kept = 0, {}
for _, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local h, hi, lo, count, since = string.match(entry, '^(%w+):([%d-]+):([%d-]+):(%d+):(%d+)$')
  if h and now - tonumber(since) < span then
    local alike
    if hi ~= '-' and high ~= '-' then
      alike = apart(hi, high) + apart(lo, low) <= near
    else
      alike = h == hash
    end
    if alike and times == 0 then
      times = tonumber(count) + 1
      entry = h .. ':' .. hi .. ':' .. lo .. ':' .. times .. ':' .. since
    end
    kept[#kept + 1] = entry
  end
end
if times == 0 then
  times = 1
  if #kept >= most then table.remove(kept, 1) end
  kept[#kept + 1] = hash .. ':' .. high .. ':' .. low .. ':1:' .. stamp(now)
end
redis.call('DEL', KEYS[1])
redis.call('RPUSH', KEYS[1], unpack(kept))
redis.call('PEXPIRE', KEYS[1], math.ceil(span / 1000))
local lately = 1
for _, at in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  if now - tonumber(at) < moment then lately = lately + 1 end
end
redis.call('LPUSH', KEYS[2], stamp(now))
redis.call('LTRIM', KEYS[2], 0, most - 1)
redis.call('PEXPIRE', KEYS[2], math.ceil(moment / 1000))
redis.call('SET', KEYS[3], stamp(now), 'NX')
redis.call('PEXPIRE', KEYS[3], math.ceil(told / 1000))
local first = tonumber(redis.call('GET', KEYS[3]))
local fresh = now - first < new
local known = 1
local limit = fresh and tonumber(ARGV[11]) or tonumber(ARGV[10])
if lately > limit and redis.call('SET', KEYS[4], '1', 'NX', 'PX', math.ceil(told / 1000)) then known = 0 end
return { times, lately, fresh and 1 or 0, known }
";

/// The memory of all replicas.
pub(super) struct Shared {
    link: Arc<Link>,
    count: Script,
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

impl Shared {
    pub(super) fn new(link: Arc<Link>) -> Shared {
        Shared { link, count: Script::new(COUNT) }
    }

    /// Counts a message. `None` when Redis is away.
    pub(super) async fn count(&self, sent: Sent) -> Option<Standing> {
        let mut call = self.count.prepare_invoke();
        for part in ["texts", "came", "first", "told"] {
            call.key(format!("{PREFIX}:{:016x}:{part}", sent.caller));
        }
        for span in [SPAN, MOMENT, NEW, TOLD] {
            call.arg(micros(span));
        }
        call.arg(REMEMBERED).arg(near::NEAR).arg(format!("{:016x}", sent.hash));
        match sent.sketch {
            Some(sketch) => call.arg(sketch >> 32).arg(sketch & 0xffff_ffff),
            None => call.arg("-").arg("-"),
        };
        call.arg(super::MANY).arg(super::MANY_OF_NEW);
        let (times, lately, new, told): (u32, u32, u8, u8) =
            self.link.ask(async |connection| call.invoke_async(connection).await).await?;
        Some(Standing { times, lately, new: new == 1, told: told == 1 })
    }
}
