-- Takes one request from each demand, or none from any: the generic cell rate algorithm.
-- KEYS[1] is a hash, :: key of a demand → its theoretical arrival time and its interval.
-- ARGV is the patience, then for each demand its key, interval and burst. Times are in
-- microseconds, by this server's clock. Returns whether they were taken, and the wait.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local patience = tonumber(ARGV[1])
local due, intervals, wait, last = {}, {}, 0, 0

for i = 2, #ARGV, 3 do
  local key, interval, burst = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local at = due[key]
  if not at then
    at = now
    local kept = redis.call('HGET', KEYS[1], key)
    if kept then
      local was, each = string.match(kept, '^(%S+) (%S+)$')
      was, each = tonumber(was), tonumber(each)
      if was > now then -- requests that are owed, at the interval that holds now
        at = now + (was - now) / each * interval
      end
    end
  end
  at = at + interval
  wait = math.max(wait, at - burst * interval - now)
  due[key], intervals[key], last = at, interval, math.max(last, at)
end

if wait < 1 then -- less is rounding
  wait = 0
end
if wait > patience then
  return {0, math.ceil(wait)}
end
for key, at in pairs(due) do
  redis.call('HSET', KEYS[1], key, string.format('%.3f %.6f', at, intervals[key]))
end
local life = math.ceil((last - now) / 1000) + 1000
redis.call('PEXPIRE', KEYS[1], math.max(life, redis.call('PTTL', KEYS[1])))
return {1, math.ceil(wait)}
