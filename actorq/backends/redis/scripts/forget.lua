-- Lets idempotency records go whose time is over. KEYS: replays, forgets. ARGV: shift, how many.
-- Answers [how many went, the instant at which the next may go or nil].
local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', clock(), 'LIMIT', 0, ARGV[2])
call_many('ZREM', KEYS[2], over)
call_many('HDEL', KEYS[1], over)
local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
return '\146' .. packed_int(#over) .. (first[2] and packed_int(tonumber(first[2])) or NIL)
