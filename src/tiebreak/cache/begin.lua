-- First step of a rebuild: from now on what comes over the bus is on the board, so that a ledger read later than this
-- holds whatever is not.
--
-- ARGV: epoch to take for a new board, seconds to live, '1' for a new one in any case.
-- Returns {epoch, 1 if the board is whole}.
-- What has the place of a board and is none goes, too.
if ARGV[3] == '1' or check_types() or state() == 'none' then
  begin(ARGV[1])
end
keep(ARGV[2])
local now = redis.call('HMGET', meta, 'epoch', 'whole')
return {now[1], now[2] and 1 or 0}
