-- Reads members of some lists, the newest first, between two bounds.
-- KEYS: lists. ARGV: shift, upper bound (exclusive), lower bound (inclusive), how many of each, how many
--   priorities in a list are too many.
-- Answers for each list its members, 44 bytes each, in one string; '?' for a list of too many priorities.
local upper, count, most_groups = ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5])
local lex_upper, lex_lower = '(' .. upper, '[' .. ARGV[3]

-- Tells whether one text is before another, byte by byte: Lua's own comparison goes by the locale.
local function is_before(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = string.byte(one, i), string.byte(other, i)
    if a ~= b then
      return a < b
    end
  end
  return #one < #other
end

-- Returns how many of the members from `first` to `last`, which are in order, are before the upper bound.
local function count_before(list, first, last)
  local low, high = first, last + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_before(redis.call('ZRANGE', list, middle, middle)[1], upper) then
      low = middle + 1
    else
      high = middle
    end
  end
  return low - first
end

-- Returns the newest members of each priority: more than are wanted, and some below the lower bound.
local function newest_of_each(list)
  local found, groups = {}, 0
  each_group(list, function(_, first, last)
    groups = groups + 1
    local before = count_before(list, first, last)
    if before > 0 then
      local from = first + math.max(0, before - count)
      found[#found + 1] = table.concat(redis.call('ZRANGE', list, from, first + before - 1))
    end
    return groups < most_groups
  end)
  return groups < most_groups and table.concat(found) or '?'
end

local answers = {}
for i, list in ipairs(KEYS) do
  local first = redis.call('ZRANGE', list, 0, 0, 'WITHSCORES')[2]
  if first == redis.call('ZRANGE', list, -1, -1, 'WITHSCORES')[2] then
    answers[i] = table.concat(redis.call('ZREVRANGEBYLEX', list, lex_upper, lex_lower, 'LIMIT', 0, count))
  else
    answers[i] = newest_of_each(list)
  end
end
return answers
