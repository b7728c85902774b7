-- Proves that a write would work now. KEYS: probe. ARGV: shift. Answers the clock.
redis.call('SET', KEYS[1], '1')
return clock()
