//! Counters in Redis, for all replicas: one script judges all claims of a request in one round trip, by the clock of
//! Redis. It never decides what happens when Redis is away: that is `fallback`.

use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{RedisError, Script};

use super::claim::{Claim, Counted};
use super::log::{group, micros};

/// All keys bear one hash tag, so that the script may touch all of them in a cluster.
const PREFIX: &str = "{stoa:limit}";

/// For each key a list of entries `end:count`, as [`super::log`] has them: all but the newest hold `group`
/// admissions, and an entry leaves the window when its last admission does.
///
/// `ARGV`: the time in microseconds or 0 for the clock of Redis, 1 to consume, then limit, window and group of
/// each key. Answers whether all allow, then used and relief of each key from before.
/// A clock that went back stands still until it has caught up; keys from beyond a whole window are forgotten.
const JUDGE: &str = r"
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local consume = ARGV[2] == '1'
local function read(entry)
  local at, count = string.match(entry, '^(%d+):(%d+)$')
  return tonumber(at), tonumber(count)
end
for i, key in ipairs(KEYS) do
  local window = tonumber(ARGV[3 * i + 1])
  local newest = redis.call('LINDEX', key, -1)
  if newest then
    local at = read(newest)
    if at > now + window then
      redis.call('DEL', key)
    elseif at > now then
      now = at
    end
  end
end
local allowed = 1
local answer = { allowed }
for i, key in ipairs(KEYS) do
  local limit, window, group = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
  local relief, used = 0, 0
  while true do
    local oldest = redis.call('LINDEX', key, 0)
    if not oldest then break end
    local at = read(oldest)
    if at > now - window then
      relief = at + window - now
      local _, count = read(redis.call('LINDEX', key, -1))
      used = (redis.call('LLEN', key) - 1) * group + count
      break
    end
    redis.call('LPOP', key)
  end
  if used >= limit then allowed = 0 end
  answer[2 * i] = used
  answer[2 * i + 1] = relief
end
answer[1] = allowed
if consume and allowed == 1 then
  local stamp = string.format('%.0f', now)
  for i, key in ipairs(KEYS) do
    local window, group = tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
    local newest = redis.call('LINDEX', key, -1)
    local _, count = nil, 0
    if newest then _, count = read(newest) end
    if newest and count < group then
      redis.call('LSET', key, -1, stamp .. ':' .. string.format('%.0f', count + 1))
    else
      redis.call('RPUSH', key, stamp .. ':1')
    end
    redis.call('PEXPIRE', key, string.format('%.0f', math.ceil(window / 1000) + 1000))
  end
end
return answer
";

/// The script, ready to be sent.
pub(super) struct Judge(Script);

impl Judge {
    pub(super) fn new() -> Judge {
        Judge(Script::new(JUDGE))
    }

    /// Judges all claims at once and takes one from each counter when all allow and `consume` says so. What was
    /// counted before is handed to `each`; the answer is whether all rules allowed. `now` is for tests; Redis
    /// takes its own clock when it is `None`.
    pub(super) async fn judge(
        &self,
        connection: &mut impl ConnectionLike,
        claims: &[Claim<'_>],
        now: Option<i64>,
        consume: bool,
        mut each: impl FnMut(Counted),
    ) -> Result<bool, RedisError> {
        let mut call = self.0.prepare_invoke();
        call.arg(now.unwrap_or(0)).arg(i32::from(consume));
        for claim in claims {
            for rule in claim.rules {
                let window = micros(rule.window);
                call.key(format!("{PREFIX}:{}:{}/{window}:{}", claim.scope, rule.limit, claim.key));
                call.arg(rule.limit).arg(window).arg(group(rule.limit));
            }
        }
        let answer: Vec<i64> = call.invoke_async(connection).await?;
        let mut numbers = answer.into_iter();
        let allowed = numbers.next() == Some(1);
        for claim in claims {
            for rule in claim.rules {
                let (Some(used), Some(relief)) = (numbers.next(), numbers.next()) else {
                    let short = (redis::ErrorKind::UnexpectedReturnType, "the answer is too short");
                    return Err(RedisError::from(short));
                };
                each(Counted {
                    scope: claim.scope,
                    rule: *rule,
                    limit: rule.limit,
                    used: u32::try_from(used).unwrap_or(u32::MAX),
                    relief: Duration::from_micros(u64::try_from(relief).unwrap_or(0)),
                });
            }
        }
        Ok(allowed)
    }
}
