-- Reserves slots of a rate limit: a token bucket without tokens (GCRA).
--
-- KEYS[1]  the state: "ahead last version idle replaced credit"
-- ARGV[1]  how many slots, 0 or more
-- ARGV[2]  the time between two slots, in µs
-- ARGV[3]  how far a rest may get the limit behind, in µs: burst-1 intervals
-- ARGV[4]  how far ahead a slot may be, in µs; negative: any
-- ARGV[5]  1 after an outage in which the caller kept to its share, otherwise 0
-- ARGV[6]  the pause after an outage, in µs
-- ARGV[7]  how far ahead a slot must be, in µs, for the response to be in time
-- ARGV[8]  how many slots the caller has lost, 0 or more
-- ARGV[9]  when the first of them was due, by the clock of this server
--
-- A lost slot was due while the process of the caller waited for a processor. It
-- is replaced by a slot for a time at which another caller may have one too:
--
--   - In a window with both, the new slot stands for the lost one.
--   - In a window that begins between them, it comes on top of one slot per
--     interval. That is within the limit if such slots are fewer than the burst,
--     and the window has no other burst. So the limit must have been used up
--     since the slot was lost: idle is when it last was not. And credit counts
--     the slots that are being replaced, until replaced, when all have been. It
--     gets to half of the burst: where slots are lost, calls are also late.
--
-- go-redis may repeat this script, which then replaces slots twice. The slots
-- of the first time are not used, so there must be as many of them.
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
local idle, replaced, credit = now + lead, 0, 0
local state = redis.call('GET', KEYS[1])
if state then
	local a, last, v, i, r, c = string.match(state, '^(-?%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
	if not a then
		return redis.error_reply('ERR the key of the rate limit has another content')
	end
	-- A clock that was set back counts as no time. What is stored is relative
	-- to the clock, so the limit goes on at once.
	elapsed, version = math.max(now - last, 0), tonumber(v)
	ahead = math.max(a - elapsed, -full)
	idle, replaced, credit = tonumber(i), tonumber(r), tonumber(c)
	if ahead <= lead or now < tonumber(last) then
		idle = math.max(now, tonumber(last)) + lead
	end
end

-- The processes kept to their shares, so the limit is not full, whatever the
-- key says. The pause lets all of them leave their shares. A key that others
-- have used in the meantime needs none.
if ARGV[5] == '1' and ahead <= 0 and elapsed > 300000 then
	ahead = tonumber(ARGV[6])
end

-- grantable returns how many slots the caller can get.
local function grantable()
	if limit < 0 then
		return n
	elseif limit < lead then
		return 0
	end
	return math.max(0, math.min(n, math.floor((limit - ahead) / interval) + 1))
end
ahead = math.max(ahead, lead - full)

local lost, first = tonumber(ARGV[8]), tonumber(ARGV[9])
if lost > 0 and first > idle and first <= now then
	if first > replaced then
		credit = 0
	end
	local most = math.floor(full / interval / 2 + 0.25) -- half of the burst
	local again = math.min(lost, grantable(), most - credit, math.floor((ahead - lead) / interval))
	if again > 0 then
		credit, replaced = credit + again, math.max(replaced, now + ahead)
		ahead = ahead - math.floor(again * interval)
	end
end

local granted = grantable()
local after = ahead + math.ceil(granted * interval)
if granted > 0 then
	version = version + 1
end
-- The key expires a second after it would be full again.
redis.call('SET', KEYS[1], string.format('%.0f %.0f %.0f %.0f %.0f %.0f', after, now, version, idle, replaced, credit),
	'PX', string.format('%.0f', math.ceil((after + full) / 1000) + 1000))
return {now, ahead, granted, version}
