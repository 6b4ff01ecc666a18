-- Applies a batch of one session's answers to its board: each answer once, whatever the order and however often
-- it comes. Adding points and taking the later time commute, so the board is the same in any order.
--
-- KEYS: board, answers, names, meta (see keys.py).
-- ARGV: epoch to take if there is none yet, seconds to live, then for each answer:
--       participant_answer_id, participant id, name, points, reached_ms.
-- Returns {epoch, version, how many were new}.
local board, answers, names, meta = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local SPAN = 4294967296
local applied = 0

-- Before anything is written: a script that fails half-way is not rolled back.
for i, expected in ipairs({'zset', 'set', 'hash', 'hash'}) do
  local found = redis.call('TYPE', KEYS[i]).ok
  if found ~= 'none' and found ~= expected then
    return redis.error_reply('WRONGTYPE ' .. KEYS[i] .. ' is a ' .. found)
  end
end

for i = 3, #ARGV, 5 do
  if redis.call('SADD', answers, ARGV[i]) == 1 then
    applied = applied + 1
    local participant = ARGV[i + 1]
    local points, ms = tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
    local total, reached = 0, 0
    local standing = tonumber(redis.call('ZSCORE', board, participant))
    if standing then
      total = math.floor(standing / SPAN)
      reached = SPAN - 1 - (standing - total * SPAN)
    end
    if points > 0 then
      total = total + points
      reached = math.max(reached, ms)
    end
    -- '%.0f': a Lua number turned into text by itself keeps 14 digits only.
    redis.call('ZADD', board, string.format('%.0f', total * SPAN + (SPAN - 1 - reached)), participant)
    redis.call('HSET', names, participant, ARGV[i + 2])
  end
end

redis.call('HSETNX', meta, 'epoch', ARGV[1])
if applied > 0 then
  redis.call('HINCRBY', meta, 'version', 1)
end
local ttl = redis.call('TTL', meta)
if ttl < 0 then
  ttl = ARGV[2]
end
for _, key in ipairs(KEYS) do
  redis.call('EXPIRE', key, ttl)
end
return {redis.call('HGET', meta, 'epoch'), tonumber(redis.call('HGET', meta, 'version') or 0), applied}
