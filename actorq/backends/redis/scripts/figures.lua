-- Reads the figures of some queues.
-- KEYS: queues, accepted, pruned, drift; then for each queue: its six lists, that of pending jobs first.
-- ARGV: shift, then the queues.
-- Answers [[settings or nil, accepted, pruned, oldest creation of a pending job or nil, six counts]...].

-- How many members one list is searched for its oldest job. Beyond it the clocks of those who mint ids must
-- have been far apart, or there are that many priorities.
local MOST = 10000

-- Returns the time in an id, in microseconds.
local function time_in(member)
  return (tonumber(string.sub(member, 1, 8) .. string.sub(member, 10, 13), 16) or 0) * 1000
end

-- Returns when the oldest pending job was made. Of each priority it is the one with the smallest id, or
-- one whose id tells a time that is hardly later.
local function oldest(list, least)
  local oldest_at, seen = nil, 0
  each_group(list, function(_, first, last)
    for at = first, last, 100 do
      for _, member in ipairs(redis.call('ZRANGE', list, at, math.min(at + 99, last))) do
        seen = seen + 1
        if oldest_at and (time_in(member) > oldest_at - least or seen > MOST) then
          return seen <= MOST
        end
        oldest_at = math.min(oldest_at or created_of(member), created_of(member))
      end
    end
  end)
  return oldest_at and packed_int(oldest_at) or NIL
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
