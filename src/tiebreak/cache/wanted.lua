-- The sessions whose boards somebody has to build.
--
-- KEYS: wanted (see keys.py).
-- ARGV[1]: 'add': ARGV[2…] sessions, the first of them first, a millisecond apart.
--          'take': ARGV[2] how many, ARGV[3] ms after which another may take them. Returns session, claim, session, …
--          'done': ARGV[2] session, ARGV[3] the claim: it is wanted no more, unless it was added again meanwhile.
local wanted = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
if ARGV[1] == 'add' then
  for i = 2, #ARGV do
    redis.call('ZADD', wanted, string.format('%.0f', now + i - 2), ARGV[i])
  end
elseif ARGV[1] == 'take' then
  local until_ms = string.format('%.0f', now + ARGV[3])
  for _, session in ipairs(redis.call('ZRANGE', wanted, '-inf', string.format('%.0f', now), 'BYSCORE', 'LIMIT', 0, ARGV[2])) do
    redis.call('ZADD', wanted, until_ms, session)
    found[#found + 1] = session
    found[#found + 1] = until_ms
  end
elseif redis.call('ZSCORE', wanted, ARGV[2]) == ARGV[3] then
  redis.call('ZREM', wanted, ARGV[2])
end
return found
