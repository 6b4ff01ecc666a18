-- A whole board, as of one version. Costs O(participants).
--
-- Returns {1 if there is a whole board, id, standing, … in an array, id, name, … in another}.
if state() ~= 'whole' then
  return {0, {}, {}}
end
return {1, redis.call('ZRANGE', board, 0, -1, 'WITHSCORES'), redis.call('HGETALL', names)}
