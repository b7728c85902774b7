-- Compares, then writes: everything or nothing. What is written was decided outside, from records as
-- they were read; it holds only if they have not changed since.
-- KEYS: body, state, queues, then those that are named by their number.
-- ARGV: shift, channel, sender, instant of the decision, how old it may be, '1' if this must be possible
--   with memory that is full;
--   the number of records, then for each: id, expected head of its state ('' none, '-' no job);
--   the number of fields, then for each: key, field, expected value ('' none);
--   the number of depths, then for each: list of pending, list of delayed, how many they may hold;
--   the number of queues that get ready jobs, then their names;
--   the number of queues that lose running ones, then their names;
--   the number of steps, then for each: command, key, how many values, values.
-- Answers 1, or 0 if something did not compare.
local at = 6
local function take()
  at = at + 1
  return ARGV[at]
end

if clock() - ARGV[4] > tonumber(ARGV[5]) then
  return 0
end

local ids, marks = {}, {}
for i = 1, take() do
  ids[i], marks[i] = take(), take()
end
local states = get_many(KEYS[2], ids)
local stateless = {}
for i, mark in ipairs(marks) do
  local state = states[i]
  if #mark > 1 then
    if not state or string.sub(state, 1, #mark) ~= mark then
      return 0
    end
  elseif state then
    return 0
  else
    stateless[#stateless + 1] = i
  end
end
for _, i in ipairs(stateless) do
  if (redis.call('HEXISTS', KEYS[1], ids[i]) == 0) ~= (marks[i] == '-') then
    return 0
  end
end
for _ = 1, take() do
  local key, field, expected = take(), take(), take()
  if (redis.call('HGET', KEYS[tonumber(key)], field) or '') ~= expected then
    return 0
  end
end
for _ = 1, take() do
  local pending, delayed, most = take(), take(), tonumber(take())
  local waiting = redis.call('ZCARD', KEYS[tonumber(pending)]) + redis.call('ZCARD', KEYS[tonumber(delayed)])
  if waiting > most then
    return 0
  end
end

local ready = {}
for i = 1, take() do
  ready[i] = take()
end
local freed = {}
for i = 1, take() do
  freed[i] = take()
end

if ARGV[6] == '1' then
  -- Redis looks at its memory before a script's first write only, and lets this one pass.
  redis.call('HDEL', KEYS[2], '')
end
for _ = 1, take() do
  local command, key, count = take(), KEYS[tonumber(take())], tonumber(take())
  if command == 'HDELIF' then
    -- Frees fields that still have the value which is expected.
    for i = at + 1, at + count, 2 do
      if redis.call('HGET', key, ARGV[i]) == ARGV[i + 1] then
        redis.call('HDEL', key, ARGV[i])
      end
    end
  elseif command == 'WIDEN' then
    widen(key, ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
  else
    redis.call(command, key, unpack(ARGV, at + 1, at + count))
  end
  at = at + count
end

for _, queue in ipairs(freed) do
  if is_bounded(KEYS[3], queue) then
    ready[#ready + 1] = queue
  end
end
tell(ARGV[2], ARGV[3], ready)
return 1
