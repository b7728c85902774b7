-- Reads records. KEYS: body, state. ARGV: shift, most bytes, ids.
-- Answers [now, [[id, body, state]...]]; it stops when it has enough bytes, and the rest is asked for again.
local most = tonumber(ARGV[2])
local pieces, size = {}, 0
local at = 3
while at <= #ARGV and size < most do
  local last = math.min(at + FEW - 1, #ARGV)
  local bodies = redis.call('HMGET', KEYS[1], unpack(ARGV, at, last))
  local states = redis.call('HMGET', KEYS[2], unpack(ARGV, at, last))
  for i = 1, #bodies do
    add_record(pieces, ARGV[at + i - 1], bodies[i], states[i])
    size = size + (bodies[i] and #bodies[i] or 0) + (states[i] and #states[i] or 0)
  end
  at = last + 1
end
return '\146' .. packed_int(clock()) .. packed_pieces(#pieces / 4, pieces)
