-- Shares the partitions of a topic among the live readers of a group. Called by every reader, every second or so.
--
-- KEYS: members (sorted set: reader → alive until, ms), owners (hash: partition → reader).
-- ARGV: reader, how long it counts as alive from now (ms; 0: it leaves), number of partitions.
-- Returns the reader's partitions.
local members, owners = KEYS[1], KEYS[2]
local reader, alive_ms, partitions = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('ZREMRANGEBYSCORE', members, '-inf', string.format('%.0f', now))
if alive_ms > 0 then
  redis.call('ZADD', members, string.format('%.0f', now + alive_ms), reader)
else
  redis.call('ZREM', members, reader)
end
local live = redis.call('ZCARD', members)
local share = live > 0 and math.ceil(partitions / live) or 0
if alive_ms <= 0 then
  share = 0
end

local mine, free = {}, {}
for partition = 0, partitions - 1 do
  local owner = redis.call('HGET', owners, partition)
  if owner == reader then
    if #mine < share then
      mine[#mine + 1] = partition
    else
      redis.call('HDEL', owners, partition)
    end
  elseif not owner or not redis.call('ZSCORE', members, owner) then
    free[#free + 1] = partition
  end
end
for _, partition in ipairs(free) do
  if #mine >= share then
    break
  end
  redis.call('HSET', owners, partition, reader)
  mine[#mine + 1] = partition
end
return mine
