-- One life of Redis; put before scripts that have to know it. Started again it has another run id; a replica that became
-- the master has another replication id, though it may have been the master before. Which of the last writes another life
-- has is unknown.
local function life()
  local info = redis.call('INFO', 'server', 'replication')
  return string.match(info, 'run_id:(%x+)') .. ':' .. string.match(info, 'master_replid:(%x+)')
end

