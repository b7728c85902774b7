-- Reads the schedules that are due, the longest due first.
-- KEYS: schedules, ticks. ARGV: shift, how many.
-- Answers [now, the next instant or nil, [record of each...]]: the next is the first instant after those of the
--   schedules that are read, be it over or to come.
local now, limit = clock(), tonumber(ARGV[2])
local dues = redis.call('ZRANGE', KEYS[2], 0, limit, 'WITHSCORES')
local records, first = {}, nil
for i = 1, #dues, 2 do
  local instant = tonumber(dues[i + 1])
  if instant > now or i > 2 * limit then
    first = instant
    break
  end
  records[#records + 1] = redis.call('HGET', KEYS[1], dues[i])
end
return '\147' .. packed_int(now) .. (first and packed_int(first) or NIL) .. packed_array(records)
