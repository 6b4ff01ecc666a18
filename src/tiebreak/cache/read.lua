-- A part of a board, all as of one version. Costs O(log n + rows).
--
-- ARGV: offset, limit, participant id of "me" or '', '1' to centre the rows on "me" if on the board.
-- Returns {epoch or false if there is no whole board, version, participants, offset, rank of the first row, rows, me};
-- rows is id, standing, name, id, …, and me is {rank, id, standing, name} or {}.
if state() ~= 'whole' then
  return {false, 0, 0, 0, 0, {}, {}}
end
local offset, limit, me = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

local function rank_of(standing)
  return 1 + redis.call('ZCOUNT', board, '(' .. standing, '+inf')
end

local mine = {}
local my_standing = me ~= '' and redis.call('ZSCORE', board, me)
if my_standing then
  mine = {rank_of(my_standing), me, my_standing, redis.call('HGET', names, me) or ''}
  if ARGV[4] == '1' then
    offset = math.max(0, redis.call('ZREVRANK', board, me) - math.floor(limit / 2))
  end
end

local rows, first_rank = {}, 0
local page = redis.call('ZREVRANGE', board, offset, offset + limit - 1, 'WITHSCORES')
for i = 1, #page, 2 do
  rows[#rows + 1] = page[i]
  rows[#rows + 1] = page[i + 1]
  rows[#rows + 1] = redis.call('HGET', names, page[i]) or ''
end
if #page > 0 then
  first_rank = rank_of(page[2])
end
return {
  redis.call('HGET', meta, 'epoch'),
  tonumber(redis.call('HGET', meta, 'version') or 0),
  redis.call('ZCARD', board),
  offset, first_rank, rows, mine,
}
