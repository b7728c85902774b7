"""A worker: takes jobs over plain HTTP, computes, and hands the results back.

Usage: ``python worker.py http://127.0.0.1:8080 worker-1``.
"""

from __future__ import annotations

import hashlib
import sys
from http import HTTPStatus
from pathlib import Path

from api import Api

QUEUE = "first_job"
VISIBILITY_TIMEOUT_S = 2
"""How long the server waits for a word from this worker before it gives its jobs to another."""


def digest(path: str) -> dict[str, object]:
    """Return a file's SHA-256 and its number of lines."""
    data = Path(path).read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "lines": data.count(b"\n")}


def work(url: str, worker_id: str) -> None:
    """Take jobs until the queue has been empty for a second."""
    api = Api(url)
    wish = {
        "worker_id": worker_id,
        "visibility_timeout": VISIBILITY_TIMEOUT_S,
        "max": 8,
        "wait": VISIBILITY_TIMEOUT_S + 1,
    }
    while True:
        status, jobs = api.call("POST", f"/queues/{QUEUE}/dequeue", wish)
        if status == HTTPStatus.NO_CONTENT:
            return
        for job in jobs:
            token = job["lease"]["token"]
            try:
                result = digest(job["payload"])
            except OSError as error:
                api.call("POST", f"/jobs/{job['id']}/fail", {"lease": token, "reason": str(error)})
                continue
            api.call("POST", f"/jobs/{job['id']}/ack", {"lease": token, "result": result})


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2])
