"""The source of randomness: tokens and ids come from it, and none may come twice."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from actorq.clock import mint_token, random_bits, wall_clock


def test_tokens_are_128_bits() -> None:
    """A token has 32 hexadecimal digits, and is never the same again (contract §4)."""
    tokens = [mint_token() for _ in range(2_000)]
    assert len(set(tokens)) == len(tokens)
    assert all(len(token) == 32 and int(token, 16) >= 0 for token in tokens)


@pytest.mark.parametrize("count", [1, 32, 73, 74, 128, 129, 1_000])
def test_bits_are_as_many_as_asked_for(count: int) -> None:
    """Every bit of the number comes up, and none beyond it (contract §1)."""
    drawn = [random_bits(count) for _ in range(300)]
    seen = 0
    for bits in drawn:
        seen |= bits
    assert max(drawn).bit_length() <= count
    assert seen == (1 << count) - 1


def test_threads_draw_different_tokens() -> None:
    """Runtimes in several threads of one program never get the same token (contract §4)."""
    drawn: list[list[str]] = [[] for _ in range(4)]

    def draw(own: list[str]) -> None:
        own.extend(mint_token() for _ in range(2_000))

    threads = [threading.Thread(target=draw, args=(own,)) for own in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({token for own in drawn for token in own}) == 8_000


FORKING = """
import os
from actorq.clock import mint_token
mint_token()
child = os.fork()
if child:
    os.waitpid(child, 0)
print(*(mint_token() for _ in range(600)), flush=True)
"""


def test_a_fork_draws_different_tokens() -> None:
    """A forked worker never gives out its parent's tokens (contract §4)."""
    # In a process without threads: one with them had better not be forked.
    command = [sys.executable, "-c", FORKING]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own
    tokens = done.stdout.split()
    assert len(tokens) == 1_200
    assert len(set(tokens)) == 1_200


def test_the_wall_clock_is_in_microseconds() -> None:
    """An instant of today has 16 digits (contract §3)."""
    assert len(str(wall_clock())) == 16
