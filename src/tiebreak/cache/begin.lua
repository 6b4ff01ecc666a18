-- First step of a rebuild: from now on what comes over the bus is on the board, so that a ledger read later than this
-- holds whatever is not.
--
-- ARGV: epoch to take for a new board, seconds to live, '1' for a new one in any case.
-- Returns {epoch, 1 if the board is whole}.
local wrong = check_types()
if wrong then
  return wrong
end
if ARGV[3] == '1' or state() == 'none' then
  begin(ARGV[1])
end
keep(ARGV[2])
local now = redis.call('HMGET', meta, 'epoch', 'whole')
return {now[1], now[2] and 1 or 0}
