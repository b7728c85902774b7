-- Reads the figures of some queues.
-- KEYS: queues, accepted, pruned, drift; then for each queue: its six lists, that of pending jobs first.
-- ARGV: shift, then the queues.
-- Answers [[settings or nil, accepted, pruned, oldest creation of a pending job or nil, six counts]...].

-- Returns a text below which there is no id of a job that was created before the instant.
local function head_of(instant)
  local ms = math.max(0, math.floor(instant / 1000) + 1)
  return string.format('%08x-%04x', math.floor(ms / 65536), ms % 65536)
end

local function created(member)
  -- In parentheses: only the first of its results, not where it stopped.
  return (struct.unpack('>I8', member, #member - 7))
end

-- Returns when the oldest pending job was made. The one with the smallest id is it, or one whose id is
-- hardly greater; of so many that the clocks must have been far apart, not all are looked at.
local function oldest(list, least)
  local first = redis.call('ZRANGE', list, 0, 0)[1]
  if not first then
    return NIL
  end
  local instant = created(first)
  local near = redis.call('ZRANGEBYLEX', list, '-', '(' .. head_of(instant - least), 'LIMIT', 0, 10000)
  for _, member in ipairs(near) do
    instant = math.min(instant, created(member))
  end
  return packed_int(instant)
end

local least = math.min(0, tonumber(redis.call('HGET', KEYS[4], 'least') or 0))
local answers = {}
for i = 2, #ARGV do
  local name, key = ARGV[i], 5 + (i - 2) * 6
  local settings = redis.call('HGET', KEYS[1], name)
  local counts = {}
  for status = 0, 5 do
    counts[status + 1] = packed_int(redis.call('ZCARD', KEYS[key + status]))
  end
  answers[i - 1] = '\149' .. (settings and packed_text(settings) or NIL)
    .. packed_int(redis.call('HGET', KEYS[2], name) or 0)
    .. packed_int(redis.call('HGET', KEYS[3], name) or 0)
    .. oldest(KEYS[key], least) .. packed_array(counts)
end
return packed_array(answers)
