"""Draw pictures, and make thumbnails of them with a worker that runs beside: ``--help`` tells the rest."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import anyio

from actorq import ActorqError, JobHandle
from examples.thumbnails import images
from examples.thumbnails.tasks import Thumbnail, app, shrink

SIZE = (480, 320)


def draw(folder: Path, number: int) -> list[Path]:
    """Draw ``number`` pictures into ``folder``."""
    paths = [folder / f"picture-{n}.png" for n in range(number)]
    for seed, path in enumerate(paths):
        images.write(images.draw(*SIZE, seed), path)
    return paths


async def make(folder: Path, pictures: list[Path]) -> list[Thumbnail]:
    """Make thumbnails beside the pictures, and return what became of them."""
    async with app.worker(f"sqlite:///{folder}/jobs.db"):
        calls = [shrink.call(str(path), str(folder / f"small-{path.name}")) for path in pictures]
        handles = [_made(one) for one in await app.enqueue_many(calls)]
        async with anyio.create_task_group() as tasks:
            for path, handle in zip(pictures, handles, strict=True):
                tasks.start_soon(_watch, path.name, handle)
        return [await handle.result() for handle in handles]


async def _watch(name: str, handle: JobHandle[Any]) -> None:
    async for report in handle.progress():
        print(f"{name}: {report['percent'] if isinstance(report, dict) else report} %")


def _made(one: JobHandle[Thumbnail] | ActorqError) -> JobHandle[Thumbnail]:
    if isinstance(one, ActorqError):
        raise one
    return one


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(prog="python -m examples.thumbnails", description=__doc__)
    parser.add_argument("--number", type=int, default=6, help="how many pictures to draw [6]")
    parser.add_argument("--folder", type=Path, help="where to keep them [nowhere]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="actorq-thumbnails-") as temporary:
        folder = (arguments.folder or Path(temporary)).resolve()
        pictures = draw(folder, arguments.number)
        print(f"{len(pictures)} pictures of {SIZE[0]} x {SIZE[1]} in {folder}")
        for made in anyio.run(make, folder, pictures):
            print(f"{made.path}: {made.width} x {made.height}")


if __name__ == "__main__":
    main()
