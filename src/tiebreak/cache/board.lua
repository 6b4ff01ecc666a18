-- What the scripts on a board share; put before each of them (leaderboard.py).
--
-- KEYS: board, answers, names, meta (see keys.py).
local board, answers, names, meta = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local SPAN = 4294967296

-- 'none': no board, or one that cannot be trusted: of another life, or with a part of it gone (evicted, deleted, expired
-- a moment before the rest). 'partial': answers of the ledger may be missing. 'whole': none that was applied is.
local function state()
  local known = redis.call('HMGET', meta, 'life', 'answers', 'whole')
  local participants = redis.call('ZCARD', board)
  if known[1] ~= life()
    or tonumber(known[2]) ~= redis.call('SCARD', answers)
    or participants ~= redis.call('HLEN', names)
    or (participants == 0) ~= (known[2] == '0') then
    return 'none'
  end
  return known[3] and 'whole' or 'partial'
end

local function check_types()
  -- Before anything is written: a script that fails half-way is not rolled back.
  for i, expected in ipairs({'zset', 'set', 'hash', 'hash'}) do
    local found = redis.call('TYPE', KEYS[i]).ok
    if found ~= 'none' and found ~= expected then
      return redis.error_reply('WRONGTYPE ' .. KEYS[i] .. ' is a ' .. found)
    end
  end
end

-- An empty, partial board of a new epoch. The caller's word for it is not enough: a call whose reply was lost is sent
-- again, and may begin another board after the first one was lost.
local function begin(epoch)
  local time = redis.call('TIME')
  redis.call('UNLINK', board, answers, names, meta)
  redis.call(
    'HSET', meta, 'epoch', string.format('%s.%x.%x', epoch, time[1], time[2]), 'version', 0, 'life', life(), 'answers', 0
  )
end

-- Answers from ARGV[first] on, five arguments each: participant_answer_id, participant id, name, points, reached_ms.
-- Each counts once, whatever the order and however often it comes: adding points and taking the later time commute,
-- so the board is the same in any order. Returns how many were new.
local function add(first)
  local new = 0
  for i = first, #ARGV, 5 do
    if redis.call('SADD', answers, ARGV[i]) == 1 then
      new = new + 1
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
  if new > 0 then
    redis.call('HINCRBY', meta, 'answers', new)
    redis.call('HINCRBY', meta, 'version', 1)
  end
  return new
end

-- The end that the board has already, or else `seconds` from now, for all of its keys.
local function keep(seconds)
  local ttl = redis.call('TTL', meta)
  if ttl < 0 then
    ttl = seconds
  end
  for _, key in ipairs(KEYS) do
    redis.call('EXPIRE', key, ttl)
  end
end
