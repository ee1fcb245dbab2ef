-- Saves or deletes a session, if the caller has the lock, or if it claims none
-- and nobody has it.
--
-- KEYS[1]  the session
-- KEYS[2]  the lock
-- ARGV[1]  the owner of the lock that the caller is; empty: it has no lock
-- ARGV[2]  the session; empty: delete it
-- ARGV[3]  after how many ms the session expires; 0: never
--
-- Returns 1, or 0 if the lock is somebody else's.
local owner = redis.call('GET', KEYS[2]) or ''
if owner ~= ARGV[1] then
	return 0
end
if ARGV[2] == '' then
	redis.call('DEL', KEYS[1])
elseif ARGV[3] == '0' then
	redis.call('SET', KEYS[1], ARGV[2])
else
	redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
