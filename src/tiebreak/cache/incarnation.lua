-- Which Redis this is, and since when. Emptied, started again or taken over by another server it is a new one, from the
-- first time that somebody asks.
--
-- KEYS: incarnation (see keys.py).
-- Returns {id, since (ms), now (ms)}.
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local known = redis.call('HMGET', KEYS[1], 'run_id', 'id', 'since_ms')
if known[1] ~= run_id then
  known = {run_id, run_id .. '@' .. time[1] .. '.' .. time[2], now}
  redis.call('HSET', KEYS[1], 'run_id', known[1], 'id', known[2], 'since_ms', known[3])
end
return {known[2], known[3], now}
