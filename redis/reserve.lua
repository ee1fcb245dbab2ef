-- Reserves slots of a rate limit: a token bucket without tokens (GCRA).
--
-- KEYS[1]  the state: "ahead last version"
-- ARGV[1]  how many slots, 0 or more
-- ARGV[2]  the time between two slots, in µs
-- ARGV[3]  how far a rest may get the limit behind, in µs: burst-1 intervals
-- ARGV[4]  how far ahead a slot may be, in µs; negative: any
-- ARGV[5]  1 after an outage in which the caller kept to its share, otherwise 0
-- ARGV[6]  the pause after an outage, in µs
-- ARGV[7]  how far ahead a slot must be, in µs, for the response to be in time
--
-- Returns the time of this server, how far the first slot is ahead of it (a
-- negative number: that long ago), the number of slots, and the version of the
-- state. All times are whole µs.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local n, interval, full, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local lead = tonumber(ARGV[7])

-- A new key is full. Its version starts at the time, so that it is none that
-- the key had before it expired.
local ahead, elapsed, version = -full, math.huge, now
local state = redis.call('GET', KEYS[1])
if state then
	local a, last, v = string.match(state, '^(-?%d+) (%d+) (%d+)$')
	if not a then
		return redis.error_reply('ERR the key of the rate limit has another content')
	end
	-- A clock that was set back counts as no time. What is stored is relative
	-- to the clock, so the limit goes on at once.
	elapsed, version = math.max(now - last, 0), tonumber(v)
	ahead = math.max(a - elapsed, -full)
end

-- The processes kept to their shares, so the limit is not full, whatever the
-- key says. The pause lets all of them leave their shares. A key that others
-- have used in the meantime needs none.
if ARGV[5] == '1' and ahead <= 0 and elapsed > 300000 then
	ahead = tonumber(ARGV[6])
end

ahead = math.max(ahead, lead - full)
local granted = n
if limit >= 0 and limit < lead then
	granted = 0
elseif limit >= 0 then
	granted = math.max(0, math.min(n, math.floor((limit - ahead) / interval) + 1))
end
local after = ahead + math.ceil(granted * interval)
if granted > 0 then
	version = version + 1
end
-- The key expires a second after it would be full again.
redis.call('SET', KEYS[1], string.format('%.0f %.0f %.0f', after, now, version),
	'PX', string.format('%.0f', math.ceil((after + full) / 1000) + 1000))
return {now, ahead, granted, version}
