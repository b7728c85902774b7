-- Writes new jobs that ask for nothing special: no key to compare, no bound to keep. For any other batch
-- it answers -1 and writes nothing.
-- KEYS: body, queues, accepted, due, lapse, drift; then for each queue: its lists of pending and of
--   delayed jobs.
-- ARGV: shift, channel, sender, the earliest and the latest time in an id; then for each queue: name,
--   '1' if it is to be told of in any case, number of jobs, and for each job: id, -priority, due ('' at once, below 0: after that many
--   microseconds), expires_at ('' never), body.
-- Answers the instant of creation.
local now = clock()
local batches, ids = {}, {}
local at = 6
for key = 7, #KEYS, 2 do
  local name, loud, count = ARGV[at], ARGV[at + 1] == '1', tonumber(ARGV[at + 2])
  local settings = redis.call('HGET', KEYS[2], name)
  if settings and string.find(settings, '"max_depth"', 1, true) then
    return -1
  end
  batches[#batches + 1] = {
    key = key, name = name, loud = loud, count = count, first = at + 3, known = settings,
  }
  for i = 0, count - 1 do
    ids[#ids + 1] = ARGV[at + 3 + 5 * i]
  end
  at = at + 3 + 5 * count
end
for at = 1, #ids, CHUNK do
  for _, body in ipairs(redis.call('HMGET', KEYS[1], unpack(ids, at, math.min(at + CHUNK - 1, #ids)))) do
    if body then
      return -1
    end
  end
end

local stamp = struct.pack('>I8', now)
local head = '\146\207' .. stamp
local due, lapse, ready = {}, {}, {}
for _, batch in ipairs(batches) do
  local bodies, pending, delayed = {}, {}, {}
  for at = batch.first, batch.first + 5 * (batch.count - 1), 5 do
    local id, when, expires = ARGV[at], ARGV[at + 2], ARGV[at + 3]
    bodies[#bodies + 1] = id
    bodies[#bodies + 1] = head .. ARGV[at + 4]
    local instant = now
    if when ~= '' then
      instant = tonumber(when)
      if instant < 0 then
        instant = now - instant
      end
    end
    if instant > now then
      delayed[#delayed + 1] = '0'
      delayed[#delayed + 1] = id .. stamp
      due[#due + 1] = instant
      due[#due + 1] = id
    else
      pending[#pending + 1] = ARGV[at + 1]
      pending[#pending + 1] = id .. stamp
    end
    if expires ~= '' then
      lapse[#lapse + 1] = expires
      lapse[#lapse + 1] = id
    end
  end
  -- First of all what Redis refuses when its memory is full: then nothing at all is written.
  call_many('HSET', KEYS[1], bodies)
  if not batch.known then
    redis.call('HSET', KEYS[2], batch.name, '{}')
  end
  if #pending > 0 then
    if batch.loud or redis.call('EXISTS', KEYS[batch.key]) == 0 then
      ready[#ready + 1] = batch.name
    end
    call_many('ZADD', KEYS[batch.key], pending)
  end
  call_many('ZADD', KEYS[batch.key + 1], delayed)
  redis.call('HINCRBY', KEYS[3], batch.name, batch.count)
end
call_many('ZADD', KEYS[4], due)
call_many('ZADD', KEYS[5], lapse)
widen(KEYS[6], now, ARGV[4], ARGV[5])
tell(ARGV[2], ARGV[3], ready)
return now
