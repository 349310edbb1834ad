-- Returns how many requests could be taken at once from each demand.
-- KEYS[1] and the demands in ARGV are those of take.lua.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local left = {}

for i = 1, #ARGV, 3 do
  local interval, burst = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local owed = 0
  local kept = redis.call('HGET', KEYS[1], ARGV[i])
  if kept then
    local was, each = string.match(kept, '^(%S+) (%S+)$')
    owed = math.max(0, (tonumber(was) - now) / tonumber(each))
  end
  left[#left + 1] = math.max(0, math.floor(burst - owed + 0.001))
end
return left
