-- Finds the running jobs that are leased under some tokens, in a part of all leases.
-- KEYS: leases, body, state. ARGV: shift, first, last, length of a packed token, tokens (packed).
-- Answers [how many leases were looked at, [[id, body, state]...]].
local ids = redis.call('ZRANGE', KEYS[1], ARGV[2], ARGV[3])
local wanted = {}
for i = 5, #ARGV do
  wanted[ARGV[i]] = true
end
local states, found = get_many(KEYS[3], ids), {}
for i, id in ipairs(ids) do
  -- The token is the end of the state.
  if wanted[states[i] and string.sub(states[i], -ARGV[4])] then
    add_record(found, id, redis.call('HGET', KEYS[2], id), states[i])
  end
end
return '\146' .. packed_int(#ids) .. packed_pieces(#found / 4, found)
