-- Returns slots that were not used, if none has been reserved since.
--
-- KEYS[1]  the state, see reserve.lua
-- ARGV[1]  the version after the reservation
-- ARGV[2]  the time that the slots take, in µs
--
-- The version changes, so that a repeat of this script returns nothing.
local state = redis.call('GET', KEYS[1])
if not state then
	return {0}
end
local ahead, last, version, rest = string.match(state, '^(-?%d+) (%d+) (%d+)(.*)$')
if version ~= ARGV[1] then
	return {0}
end
redis.call('SET', KEYS[1], string.format('%.0f %s %.0f%s', ahead - ARGV[2], last, version + 1, rest), 'KEEPTTL')
return {1}
