-- Completes running jobs that hold no dedupe key, if each is as it was when it was read.
-- KEYS: state, queues, leases; then for each queue: its lists of running and of completed jobs, and its
--   completed jobs by their end.
-- ARGV: shift, channel, sender; then for each queue: name, number of jobs, and for each job: id, head of
--   its state as it was, and its state as it shall be, but for the instant.
-- Answers that instant, or -1 if something did not compare.
local now = clock()
local batches, ids, marks = {}, {}, {}
local at = 4
for key = 4, #KEYS, 3 do
  local count = tonumber(ARGV[at + 1])
  batches[#batches + 1] = { key = key, name = ARGV[at], first = at + 2, last = at + 1 + 3 * count }
  for i = at + 2, at + 1 + 3 * count, 3 do
    ids[#ids + 1], marks[#marks + 1] = ARGV[i], ARGV[i + 1]
  end
  at = at + 2 + 3 * count
end
for i, state in ipairs(get_many(KEYS[1], ids)) do
  if not state or string.sub(state, 1, #marks[i]) ~= marks[i] then
    return -1
  end
end

-- First of all what frees memory: Redis lets a script go on that has begun to write.
call_many('ZREM', KEYS[3], ids)
local stamp = struct.pack('>I8', now)
local instant = string.format('%.0f', now)
local ready = {}
for _, batch in ipairs(batches) do
  local states, running, completed, ended = {}, {}, {}, {}
  for at = batch.first, batch.last, 3 do
    local id, state = ARGV[at], ARGV[at + 2]
    local member = id .. string.sub(state, 12, 19)
    states[#states + 1] = id
    states[#states + 1] = string.sub(state, 1, 20) .. stamp .. string.sub(state, 29)
    running[#running + 1] = member
    completed[#completed + 1] = '0'
    completed[#completed + 1] = member
    ended[#ended + 1] = instant
    ended[#ended + 1] = id
  end
  call_many('ZREM', KEYS[batch.key], running)
  call_many('HSET', KEYS[1], states)
  call_many('ZADD', KEYS[batch.key + 1], completed)
  call_many('ZADD', KEYS[batch.key + 2], ended)
  if is_bounded(KEYS[2], batch.name) then
    ready[#ready + 1] = batch.name
  end
end
tell(ARGV[2], ARGV[3], ready)
return now
