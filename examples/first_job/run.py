"""The first job: hash the standard library with three workers, one of which is killed on the way.

Starts an actorq server on a SQLite file in a temporary folder, enqueues one job per file of the
running Python's standard library, kills a worker with SIGKILL while it holds jobs, and compares
the results with a direct computation.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

from api import Api
from worker import QUEUE, digest

HERE = Path(__file__).parent
WORKERS = 3
DEADLINE_S = 300


def main() -> int:
    """Run the whole example; return 0 if everything is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=None, help="use only the first N files")
    files = standard_library()[: parser.parse_args().files]
    with tempfile.TemporaryDirectory(prefix="actorq-demo-") as folder:
        server, url = start_server(Path(folder))
        try:
            return demonstrate(url, files)
        except KeyboardInterrupt:
            print("\nstopped")
            return 128 + signal.SIGINT
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=30)


def standard_library() -> list[str]:
    """Return the source files of the running Python's standard library."""
    root = Path(sysconfig.get_path("stdlib"))
    return sorted(
        str(path)
        for path in root.rglob("*.py")
        if not {"site-packages", "dist-packages"} & set(path.parts)
    )


def start_server(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Start ``actorq serve`` on a free port; return it and its URL, once it is ready."""
    environment = os.environ | {
        "BACKEND": "sqlite",
        "SQLITE_PATH": str(folder / "jobs.db"),
        "PORT": "0",
        "LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "actorq", "serve"]
    # In a session of its own: Control-C is for this program, which stops the others.
    server = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert server.stdout is not None
    for line in server.stdout:
        if "http://" in line:
            return server, "http://" + line.split("http://", 1)[1].split()[0]
    raise SystemExit(f"the server did not start: exit code {server.wait()}")


def demonstrate(url: str, files: list[str]) -> int:
    """Enqueue, work, kill, wait and compare."""
    api = Api(url)
    print(f"1. {len(files)} files of the standard library, one job each")
    for start in range(0, len(files), 500):
        jobs = [{"queue_name": QUEUE, "payload": path} for path in files[start : start + 500]]
        status, answer = api.call("POST", "/jobs/batch", {"jobs": jobs})
        assert status == HTTPStatus.OK, answer
        assert all(result["status"] == HTTPStatus.CREATED for result in answer["results"])

    print(f"2. {WORKERS} workers, each a process of its own, over plain HTTP")
    workers = [start_worker(url, f"worker-{n}") for n in range(1, WORKERS + 1)]
    try:
        wait_until_completed(api, len(files) // 4, len(files))
        held = kill_while_it_works(api, workers[0], "worker-1")
        print(f"\n3. worker-1 killed with SIGKILL while it held {len(held)} jobs")
        wait_until_completed(api, len(files), len(files))
        for worker in workers[1:]:
            worker.wait(timeout=60)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    print("\n4. every job is completed; comparing with a direct computation")
    return compare(list_jobs(api), files, held)


def start_worker(url: str, name: str) -> subprocess.Popen[bytes]:
    """Start one worker process."""
    command = [sys.executable, str(HERE / "worker.py"), url, name]
    return subprocess.Popen(command, start_new_session=True)


def wait_until_completed(api: Api, count: int, total: int) -> None:
    """Wait until ``count`` jobs are completed, drawing a progress bar."""
    deadline = time.monotonic() + DEADLINE_S
    shown = -1
    while True:
        _, queue = api.call("GET", f"/queues/{QUEUE}")
        done = queue["completed"]
        if done != shown and (sys.stdout.isatty() or done >= count):
            bar = "█" * (40 * done // total)
            print(f"\r   [{bar:<40}] {done}/{total}", end="", flush=True)
            shown = done
        if done >= count:
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"only {done} of {total} jobs were done in {DEADLINE_S} s: {queue}")
        time.sleep(0.05)


def kill_while_it_works(api: Api, worker: subprocess.Popen[bytes], name: str) -> set[str]:
    """Kill a worker at a moment at which it holds jobs; return their ids."""
    while worker.poll() is None:
        # Frozen first, so that what it holds cannot change between the look and the kill.
        worker.send_signal(signal.SIGSTOP)
        _, page = api.call("GET", f"/jobs?queue_name={QUEUE}&status=running&limit=200")
        held = {job["id"] for job in page["jobs"] if job["lease"]["worker_id"] == name}
        # Its last word may still be on its way: of two jobs at least one comes back.
        if len(held) > 1:
            worker.kill()
            worker.wait()
            return held
        worker.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    raise SystemExit("the worker had ended before it could be killed: use more files")


def list_jobs(api: Api) -> list[dict[str, Any]]:
    """Return all jobs of the example, page by page."""
    jobs: list[dict[str, Any]] = []
    path: str | None = f"/jobs?queue_name={QUEUE}&limit=200"
    while path is not None:
        _, page = api.call("GET", path)
        jobs += page["jobs"]
        cursor = page.get("next")
        path = None if cursor is None else f"/jobs?queue_name={QUEUE}&limit=200&cursor={cursor}"
    return jobs


def compare(jobs: list[dict[str, Any]], files: list[str], held: set[str]) -> int:
    """Check every promise; print what happened."""
    results = {job["payload"]: job["result"] for job in jobs}
    wrong = [path for path in files if results.get(path) != digest(path)]
    unfinished = [job["id"] for job in jobs if job["status"] != "completed"]
    redelivered = [job for job in jobs if job["id"] in held and job["expiries"] >= 1]
    last_words = len(held) - len(redelivered)
    print(f"   results that differ: {len(wrong)}")
    print(f"   jobs not completed:  {len(unfinished)}")
    print(f"   redelivered:         {len(redelivered)} of the {len(held)} that worker-1 held")
    if last_words:
        print("                        (the ack of the other one was already on its way)")
    lines = sum(job["result"]["lines"] for job in jobs)
    print(f"   lines in the standard library: {lines:,}")
    right = not wrong and not unfinished and len(redelivered) > 0 and last_words <= 1
    right = right and len(jobs) == len(files)
    print("All as promised." if right else "SOMETHING IS WRONG.")
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
