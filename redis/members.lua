-- Notes that a process uses a limit, and forgets those that no longer do.
--
-- KEYS[1]  the processes, by when they were last seen
-- ARGV[1]  the id of the process
-- ARGV[2]  after how many ms a process is forgotten
--
-- Returns how many processes there are, and how many of them have a lower id.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + ARGV[2], '+inf') -- of a clock that was set back
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local ids = redis.call('ZRANGE', KEYS[1], 0, -1)
local lower = 0
for _, id in ipairs(ids) do
	if id < ARGV[1] then
		lower = lower + 1
	end
end
return {#ids, lower}
