-- name: free_windows
UPDATE jobs SET held_until = NULL, dedupe_key = NULL
WHERE seq IN (
    SELECT seq FROM jobs INDEXED BY jobs_held
    WHERE held_until IS NOT NULL AND held_until <= ?
    ORDER BY held_until
    LIMIT ?
)

-- name: next_window
SELECT min(held_until) FROM jobs INDEXED BY jobs_held WHERE held_until IS NOT NULL

-- name: ended_before
SELECT seq FROM jobs INDEXED BY jobs_ended
WHERE queue = ? AND status = ? AND status NOT IN (0, 1, 2) AND held_until IS NULL AND due_at <= ?
ORDER BY due_at
LIMIT ?

-- name: ended_first
SELECT seq FROM jobs INDEXED BY jobs_ended
WHERE queue = ? AND status = ? AND status NOT IN (0, 1, 2) AND held_until IS NULL
ORDER BY due_at
LIMIT ?

-- name: oldest_end
SELECT min(due_at) FROM jobs INDEXED BY jobs_ended
WHERE queue = ? AND status = ? AND status NOT IN (0, 1, 2) AND held_until IS NULL

-- name: live_of_status
SELECT seq, instr(state, ?) > 0 FROM jobs INDEXED BY jobs_listing
WHERE queue = ? AND status = ?
ORDER BY id
LIMIT ?

-- name: of_status
SELECT seq FROM jobs INDEXED BY jobs_listing
WHERE queue = ? AND status = ?
ORDER BY id
LIMIT ?
