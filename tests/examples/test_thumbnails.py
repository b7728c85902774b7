"""The example that makes thumbnails: real pictures in, real pictures out, with progress on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from actorq import DeadReason, JobFailed, Status
from examples.thumbnails import images, tasks
from examples.thumbnails.tasks import Thumbnail, shrink

if TYPE_CHECKING:
    from pathlib import Path

    from actorq import App
    from actorq.testing import AppUnderTest


@pytest.fixture
def actorq_app() -> App:
    """Test the example's app."""
    return tasks.app


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Draw a picture."""
    path = tmp_path / "picture.png"
    images.write(images.draw(60, 40, seed=3), path)
    return path


@pytest.fixture
def damaged(picture: Path) -> Path:
    """Cut the picture short."""
    picture.write_bytes(picture.read_bytes()[:70])
    return picture


def mean(image: images.Image) -> list[float]:
    """Return the mean of each colour."""
    return [sum(image.pixels[colour::3]) * 3 / len(image.pixels) for colour in range(3)]


async def test_a_picture_is_shrunk(app: AppUnderTest, picture: Path) -> None:
    """The thumbnail has the size that was asked for, and the colours of the picture."""
    target = picture.with_name("small.png")
    handle = await shrink.enqueue(str(picture), str(target), width=15)
    await app.drain()
    assert await handle.result() == Thumbnail(str(target), 15, 10)
    small = images.read(target)
    assert (small.width, small.height) == (15, 10)
    assert mean(small) == pytest.approx(mean(images.read(picture)), abs=1.0)


async def test_progress_is_told(app: AppUnderTest, picture: Path) -> None:
    """Whoever watches sees reports on the way, and the last of them is the whole."""
    handle = await shrink.enqueue(str(picture), str(picture.with_name("small.png")))
    seen: list[object] = []

    async def watch() -> None:
        seen.extend([report async for report in handle.progress()])

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        await app.drain()
    assert seen[-1] == {"percent": 100}


async def test_what_is_no_picture_is_not_tried_again(app: AppUnderTest, damaged: Path) -> None:
    """A file that is damaged is a dead letter at once; one that is not there yet is tried again (§5)."""
    broken = await shrink.enqueue(str(damaged), "x.png")
    missing = await shrink.enqueue(str(damaged.with_name("none.png")), "x.png")
    await app.drain(may_fail=True)
    with pytest.raises(JobFailed, match="damaged"):
        await broken.result()
    assert (await broken.job()).dead_reason is DeadReason.REJECTED
    assert await missing.status() is Status.DELAYED
    await app.drain(may_fail=True, delayed=True)
    assert (await missing.job()).dead_reason is DeadReason.RETRIES_EXHAUSTED
