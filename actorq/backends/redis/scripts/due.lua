-- Reads the jobs whose time has come by one of some agendas, the earliest first.
-- KEYS: body, state, then the agendas. ARGV: shift, how many jobs, most bytes.
-- Answers [now, next instant or nil, [[id, body, state]...]]: the next is the first instant after those
--   of the jobs that are read, be it over or to come.
local now, limit, most = clock(), tonumber(ARGV[2]), tonumber(ARGV[3])
local pieces, size = {}, 0
local first
for key = 3, #KEYS do
  local dues = redis.call('ZRANGE', KEYS[key], 0, limit, 'WITHSCORES')
  for i = 1, #dues, 2 do
    local instant = tonumber(dues[i + 1])
    if instant > now or i > 2 * limit or size >= most then
      first = math.min(first or instant, instant)
      break
    end
    local id = dues[i]
    local body, state = redis.call('HGET', KEYS[1], id), redis.call('HGET', KEYS[2], id)
    add_record(pieces, id, body, state)
    size = size + (body and #body or 0) + (state and #state or 0)
  end
end
return '\147' .. packed_int(now) .. (first and packed_int(first) or NIL) .. packed_pieces(#pieces / 4, pieces)
