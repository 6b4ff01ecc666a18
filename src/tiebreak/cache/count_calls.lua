-- Add calls to a minute's counts and return the new counts.
-- KEYS[1]: a hash, who → calls. ARGV: its time to live in seconds, then who and calls, again and again.
local totals = {}
for at = 2, #ARGV, 2 do
  totals[#totals + 1] = redis.call('HINCRBY', KEYS[1], ARGV[at], ARGV[at + 1])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return totals
