-- Reads the jobs whose time has come by one of some agendas, the earliest first, and notes of the outbox that
-- anybody may relay by now.
-- KEYS: body, state, outbox, then the agendas. ARGV: shift, how many jobs, most bytes, how many notes (below 0:
--   they are no concern).
-- Answers [now, next instant or nil, [[id, body, state]...], [note...]]: the next is the first instant after
--   those of the jobs and notes that are read, be it over or to come.
local now, limit, most, limit_of_notes = clock(), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local pieces, notes, size = {}, {}, 0
local first

-- Visits the members of an agenda whose time has come, as long as there is room for them.
local function each_due(agenda, count, visit)
  local dues = redis.call('ZRANGE', agenda, 0, count, 'WITHSCORES')
  for i = 1, #dues, 2 do
    local instant = tonumber(dues[i + 1])
    if instant > now or i > 2 * count or size >= most then
      first = math.min(first or instant, instant)
      return
    end
    visit(dues[i])
  end
end

for key = 4, #KEYS do
  each_due(KEYS[key], limit, function(id)
    local body, state = redis.call('HGET', KEYS[1], id), redis.call('HGET', KEYS[2], id)
    add_record(pieces, id, body, state)
    size = size + (body and #body or 0) + (state and #state or 0)
  end)
end
if limit_of_notes >= 0 then
  each_due(KEYS[3], limit_of_notes, function(note)
    notes[#notes + 1] = note
    size = size + #note
  end)
end
return '\148' .. packed_int(now) .. (first and packed_int(first) or NIL) .. packed_pieces(#pieces / 4, pieces)
  .. packed_array(notes)
