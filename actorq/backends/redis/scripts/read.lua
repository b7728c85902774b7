-- Reads records. KEYS: body, state. ARGV: shift, most bytes, ids.
-- Answers [now, [[id, body, state]...]]; it stops when it has enough bytes, and the rest is asked for again.
local most = tonumber(ARGV[2])
local records, size = {}, 0
local at = 3
while at <= #ARGV and size < most do
  local last = math.min(at + FEW - 1, #ARGV)
  local bodies = redis.call('HMGET', KEYS[1], unpack(ARGV, at, last))
  local states = redis.call('HMGET', KEYS[2], unpack(ARGV, at, last))
  for i = 1, #bodies do
    local record = packed_record(ARGV[at + i - 1], bodies[i], states[i])
    records[#records + 1] = record
    size = size + #record
  end
  at = last + 1
end
return '\146' .. packed_int(clock()) .. packed_array(records)
