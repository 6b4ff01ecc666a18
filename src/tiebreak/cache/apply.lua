-- Applies a batch of one session's answers to its board. Where there is none to be trusted, they begin a partial one,
-- which nobody is shown until the ledger has been put on it (fill.lua).
--
-- ARGV: epoch to take if there is no board yet, seconds to live, then answers (see board.lua).
-- Returns {epoch, version, how many were new, 1 if the board is whole}.
local wrong = check_types()
if wrong then
  return wrong
end
if state() == 'none' then
  begin(ARGV[1])
end
local new = add(3)
keep(ARGV[2])
local now = redis.call('HMGET', meta, 'epoch', 'version', 'whole')
return {now[1], tonumber(now[2]), new, now[3] and 1 or 0}
