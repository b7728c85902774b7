-- Claims and leases the best pending jobs of some queues.
-- KEYS: body, state, queues, leases, lapse; then for each claim: the lists of its queue of pending and of
--   running jobs.
-- ARGV: shift, most bytes; then for each claim: queue, worker (packed), microseconds and seconds of the
--   lease, whether the claim asked for them ('1'), number of tokens, tokens (packed).
-- Answers [now, [[paused, limited, [id of each lapsed job that was met], [[id, body, state]...]]...]].
local now = clock()
local most = tonumber(ARGV[2])
-- How far a claim looks beyond what it wants when jobs have lapsed.
local SPARE = 200
local lapsed_any = #redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now, 'LIMIT', 0, 1) > 0

-- Returns up to `want` members in the order of claims, and the ids of those before them that may not
-- start any more.
local function candidates(list, want)
  if not lapsed_any then
    return redis.call('ZRANGE', list, 0, want - 1), {}
  end
  local seen = redis.call('ZRANGE', list, 0, want + SPARE - 1)
  local good, late = {}, {}
  for at = 1, #seen, CHUNK do
    local last = math.min(at + CHUNK - 1, #seen)
    local ends = redis.call('ZMSCORE', KEYS[5], unpack(ids_of(seen, at, last)))
    for i = at, last do
      local score = ends[i - at + 1]
      if score and tonumber(score) <= now then
        late[#late + 1] = packed_text(id_of(seen[i]))
      elseif #good < want then
        good[#good + 1] = seen[i]
      end
    end
  end
  return good, late
end

-- The parts of a state that most claims have in common: those on jobs to which nothing has happened yet.
local stamp = packed_int(now)
local fresh_head, fresh_tail = '\149' .. packed_int(2) .. '\207', stamp .. NIL

-- Returns the state of a job that is claimed: its version raised, its lease at the end.
local function claimed(created, state, head, token)
  if not state then
    return fresh_head .. created .. fresh_tail .. head .. token
  end
  local version = struct.unpack('>I8', state, 3)
  return '\149' .. packed_int(version + 1) .. '\207' .. created .. stamp
    .. string.sub(state, 29, -2) .. head .. token
end

-- Leases these jobs; returns the pieces of the records. It stops when there are enough bytes.
local function lease_all(key, members, head, expires, token)
  local pieces, size = {}, 0
  local ids, taken, states, leases, running = {}, {}, {}, {}, {}
  for at = 1, #members, FEW do
    if size >= most then
      break
    end
    local last = math.min(at + FEW - 1, #members)
    local few = ids_of(members, at, last)
    local bodies = redis.call('HMGET', KEYS[1], unpack(few))
    local before = redis.call('HMGET', KEYS[2], unpack(few))
    for i = at, last do
      local place, member = i - at + 1, members[i]
      local id, body = few[place], bodies[place]
      local state = claimed(string.sub(member, -8), before[place], head, ARGV[token + i - 1])
      ids[i], taken[i] = id, member
      states[2 * i - 1], states[2 * i] = id, state
      leases[2 * i - 1], leases[2 * i] = expires, id
      running[2 * i - 1], running[2 * i] = '0', member
      add_record(pieces, id, body, state)
      size = size + #body + #state
    end
  end
  -- First of all what frees memory: Redis lets a script go on that has begun to write.
  call_many('ZREM', KEYS[key], taken)
  call_many('HSET', KEYS[2], states)
  call_many('ZADD', KEYS[4], leases)
  call_many('ZADD', KEYS[key + 1], running)
  if redis.call('EXISTS', KEYS[5]) == 1 then
    call_many('ZREM', KEYS[5], ids)
  end
  return pieces
end

local answers = {}
local at = 3
for key = 6, #KEYS, 2 do
  local worker, lease_us, seconds = ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local asked, wish, token = ARGV[at + 4], tonumber(ARGV[at + 5]), at + 6
  local settings = redis.call('HGET', KEYS[3], ARGV[at])
  local paused, want = false, wish
  if settings and settings ~= '{}' then
    settings = cjson.decode(settings)
    paused = settings.paused
    if settings.max_running then
      want = math.min(want, settings.max_running - redis.call('ZCARD', KEYS[key + 1]))
    end
    if settings.visibility_timeout and asked == '' then
      lease_us, seconds = settings.visibility_us, settings.visibility_timeout
    end
  end
  local pieces, late = {}, {}
  if settings and not paused and want > 0 then
    local members
    members, late = candidates(KEYS[key], want)
    if #members > 0 then
      local head = '\149' .. stamp .. packed_int(now + lease_us)
        .. worker .. '\203' .. struct.pack('>d', seconds)
      -- As text: it goes into one command many times.
      pieces = lease_all(key, members, head, string.format('%.0f', now + lease_us), token)
    end
  end
  local limited = not paused and want < wish and #pieces / 4 == math.max(0, want)
    and redis.call('EXISTS', KEYS[key]) == 1
  answers[#answers + 1] = '\148' .. packed_bool(paused) .. packed_bool(limited)
    .. packed_array(late) .. packed_pieces(#pieces / 4, pieces)
  at = token + tonumber(ARGV[at + 5])
end
return '\146' .. packed_int(now) .. packed_array(answers)
