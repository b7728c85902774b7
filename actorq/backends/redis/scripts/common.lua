-- This text is put in front of every script. ARGV[1] moves the clock, in tests only.

-- How many values one call may take: Lua unpacks no more than 8,000.
local CHUNK = 2000

-- How many records are read before it is looked at how large they are: one may have megabytes.
local FEW = 16

-- Returns the server's clock: microseconds since the Unix epoch.
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2] + ARGV[1]
end

-- Calls a command that takes any number of values after its key.
local function call_many(command, key, values, first)
  for at = first or 1, #values, CHUNK do
    redis.call(command, key, unpack(values, at, math.min(at + CHUNK - 1, #values)))
  end
end

-- Returns the values of some fields of a hash; false for one that is not there.
local function get_many(key, fields)
  if #fields <= CHUNK then
    return #fields > 0 and redis.call('HMGET', key, unpack(fields)) or {}
  end
  local values = {}
  for at = 1, #fields, CHUNK do
    local last = math.min(at + CHUNK - 1, #fields)
    local part = redis.call('HMGET', key, unpack(fields, at, last))
    for i = 1, #part do
      values[at + i - 1] = part[i]
    end
  end
  return values
end

-- Returns the id in a member of a list; the rest of it is the time of creation, in 8 bytes.
local function id_of(member)
  return string.sub(member, 1, -9)
end

local function created_of(member)
  -- In parentheses: only the first of its results, not where it stopped.
  return (struct.unpack('>I8', member, #member - 7))
end

local function ids_of(members, first, last)
  local ids = {}
  for i = first, last do
    ids[i - first + 1] = string.sub(members[i], 1, -9)
  end
  return ids
end

-- Calls `visit` with the score of each group of equal scores, in their order, and where it begins and
-- ends, until that answers false.
local function each_group(list, visit)
  local first = redis.call('ZRANGE', list, 0, 0, 'WITHSCORES')[2]
  local at = 0
  while first do
    local count = redis.call('ZCOUNT', list, first, first)
    if visit(first, at, at + count - 1) == false then
      return
    end
    at = at + count
    first = redis.call('ZRANGE', list, at, at, 'WITHSCORES')[2]
  end
end

-- MessagePack, as far as the scripts write it.
local NIL = '\192'

local function packed_int(number)
  return '\207' .. struct.pack('>I8', number)
end

local function packed_bool(yes)
  return yes and '\195' or '\194'
end

local function packed_text(text)
  return '\219' .. struct.pack('>I4', #text) .. text
end

-- An id has 36 characters: what stands before it is always the same.
local ID = '\217\36'

-- Adds a record to the pieces of an answer: id, body, state.
local function add_record(pieces, id, body, state)
  local at = #pieces
  pieces[at + 1] = #id == 36 and '\147' .. ID or '\147\219' .. struct.pack('>I4', #id)
  pieces[at + 2] = id
  pieces[at + 3] = body or NIL
  pieces[at + 4] = state or NIL
end

-- Returns an array of so many items, whose pieces are given.
local function packed_pieces(count, pieces)
  return '\221' .. struct.pack('>I4', count) .. table.concat(pieces)
end

local function packed_array(items)
  return '\221' .. struct.pack('>I4', #items) .. table.concat(items)
end

-- Tells the other servers that these queues may have ready jobs.
local function tell(channel, sender, queues)
  if #queues > 0 then
    redis.call('PUBLISH', channel, sender .. ' ' .. table.concat(queues, ' '))
  end
end

-- Tells whether the running jobs of a queue are bounded: then each that ends makes room for another,
-- which a server may be waiting for.
local function is_bounded(queues, name)
  local settings = redis.call('HGET', queues, name)
  return settings and string.find(settings, '"max_running"', 1, true)
end

-- Takes the ids of new jobs into account: how far the time in an id lies from the time of creation.
-- The earliest and the latest time in them are milliseconds.
local function widen(key, now, earliest, latest)
  local least, greatest = now - latest * 1000, now - earliest * 1000
  local known = redis.call('HMGET', key, 'least', 'greatest')
  if not known[1] or least < tonumber(known[1]) then
    redis.call('HSET', key, 'least', least)
  end
  if not known[2] or greatest > tonumber(known[2]) then
    redis.call('HSET', key, 'greatest', greatest)
  end
end
