-- Which Redis this is, and since when. Emptied, started again or taken over by another server it is a new one, from the
-- first time that somebody asks.
--
-- KEYS: incarnation (see keys.py).
-- Returns {id, since (ms), now (ms)}.
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local this = life()
local known = redis.call('HMGET', KEYS[1], 'life', 'id', 'since_ms')
if known[1] ~= this then
  known = {this, this .. '@' .. time[1] .. '.' .. time[2], now}
  redis.call('HSET', KEYS[1], 'life', known[1], 'id', known[2], 'since_ms', known[3])
end
return {known[2], known[3], now}
