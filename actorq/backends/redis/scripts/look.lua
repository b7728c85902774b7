-- Looks at everything that decides about new jobs with keys, or for queues with a bound.
-- KEYS: body, state, queues, holders, windows, replays; then for each queue: its lists of pending and
--   of delayed jobs.
-- ARGV: shift; the number of queues, then their names; of dedupe fields, then these; of idempotency
--   keys, then these; of ids, then these.
-- Answers [now, [[settings or nil, waiting]...], [[live holder or nil, window's holder or nil]...],
--   [replay or nil...], [[id, body, state]...]]: the last for the ids, the holders and the replayed
--   jobs, as far as they are there.
local at = 1
local function take_all()
  at = at + 1
  local items = {}
  for i = 1, tonumber(ARGV[at]) do
    items[i] = ARGV[at + i]
  end
  at = at + #items
  return items
end

local wanted, seen = {}, {}
local function want(id)
  if id and not seen[id] then
    seen[id] = true
    wanted[#wanted + 1] = id
  end
end

local queues = {}
for i, name in ipairs(take_all()) do
  local settings = redis.call('HGET', KEYS[3], name)
  local waiting = redis.call('ZCARD', KEYS[5 + 2 * i]) + redis.call('ZCARD', KEYS[6 + 2 * i])
  queues[i] = '\146' .. (settings and packed_text(settings) or NIL) .. packed_int(waiting)
end

local fields, holders = take_all(), {}
local live, windows = get_many(KEYS[4], fields), get_many(KEYS[5], fields)
for i = 1, #fields do
  want(live[i])
  want(windows[i])
  holders[i] = '\146' .. (live[i] and packed_text(live[i]) or NIL)
    .. (windows[i] and packed_text(windows[i]) or NIL)
end

local replays = get_many(KEYS[6], take_all())
for i, replay in ipairs(replays) do
  if replay then
    -- The id of its job is at the end.
    want(string.sub(replay, -36))
  else
    replays[i] = NIL
  end
end

for _, id in ipairs(take_all()) do
  want(id)
end
local bodies, states = get_many(KEYS[1], wanted), get_many(KEYS[2], wanted)
local records = {}
for i, id in ipairs(wanted) do
  if bodies[i] then
    add_record(records, id, bodies[i], states[i])
  end
end
return '\149' .. packed_int(clock()) .. packed_array(queues) .. packed_array(holders)
  .. packed_array(replays) .. packed_pieces(#records / 4, records)
