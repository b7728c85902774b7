-- Removes ended jobs that retention lets go, the oldest of each kind first.
-- KEYS: body, state, pruned; then for each kind: ended, list.
-- ARGV: shift, how many jobs; then for each kind: queue, microseconds to keep, how many to keep.
-- Answers [id of each that went, the instant at which the next may go or nil].
local now, left = clock(), tonumber(ARGV[2])
local gone = {}
local next_at

local function remove(key, queue, ids)
  local states, members = get_many(KEYS[2], ids), {}
  for i, state in ipairs(states) do
    members[i] = ids[i] .. string.sub(state, 12, 19)
  end
  call_many('ZREM', KEYS[key], ids)
  call_many('ZREM', KEYS[key + 1], members)
  call_many('HDEL', KEYS[1], ids)
  call_many('HDEL', KEYS[2], ids)
  redis.call('HINCRBY', KEYS[3], queue, #ids)
  for _, id in ipairs(ids) do
    gone[#gone + 1] = packed_text(id)
  end
  left = left - #ids
end

for key = 4, #KEYS, 2 do
  local at = 3 + (key - 4) / 2 * 3
  local queue, age, most = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  if left > 0 then
    local ids = redis.call('ZRANGEBYSCORE', KEYS[key], '-inf', now - age, 'LIMIT', 0, left)
    local excess = math.min(redis.call('ZCARD', KEYS[key + 1]) - most, left)
    if excess > #ids then
      ids = redis.call('ZRANGE', KEYS[key], 0, excess - 1)
    end
    if #ids > 0 then
      remove(key, queue, ids)
    end
  end
  local first = redis.call('ZRANGE', KEYS[key], 0, 0, 'WITHSCORES')
  if first[2] then
    local instant = first[2] + age
    if redis.call('ZCARD', KEYS[key + 1]) > most then
      instant = now
    end
    next_at = math.min(next_at or instant, instant)
  end
end
return '\146' .. packed_array(gone) .. (next_at and packed_int(next_at) or NIL)
