-- Second step of a rebuild: a part of the ledger, as it was read after begin.lua.
--
-- ARGV: the epoch that begin.lua gave, seconds to live, '1' with the last part, then answers (see board.lua).
-- Returns 1; 0, and nothing is done, if the board is not that one any more.
if state() == 'none' or redis.call('HGET', meta, 'epoch') ~= ARGV[1] then
  return {0}
end
add(4)
if ARGV[3] == '1' then
  redis.call('HSET', meta, 'whole', 1)
end
keep(ARGV[2])
return {1}
