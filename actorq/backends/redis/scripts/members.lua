-- Reads members of some lists, the newest first, between two bounds.
-- KEYS: lists. ARGV: shift, upper bound, lower bound, how many of each.
-- Answers for each list its members, 44 bytes each, in one string.
local answers = {}
for i, key in ipairs(KEYS) do
  answers[i] = table.concat(redis.call('ZREVRANGEBYLEX', key, ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4]))
end
return answers
