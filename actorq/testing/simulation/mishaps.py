"""Mishaps: what may go wrong with a handler, an exchange and a machine, and how likely it is."""

from __future__ import annotations

import msgspec


class Handlers(msgspec.Struct, frozen=True, kw_only=True):
    """How likely each end of a handler is; what is left is that it does its job."""

    fails: float = 0.1
    fails_for_now: float = 0.03
    rejects: float = 0.02
    hands_back: float = 0.03
    hangs: float = 0.0
    dies: float = 0.0
    says_no_token: float = 0.01


class Exchanges(msgspec.Struct, frozen=True, kw_only=True):
    """How likely each mishap of a request or its answer is."""

    lost_request: float = 0.0
    lost_answer: float = 0.0
    doubled: float = 0.0
    slow: float = 0.0


class Troubles(msgspec.Struct, frozen=True, kw_only=True):
    """How likely each kind of trouble is, whenever there is some; what is left is that nothing happens."""

    server_crash: float = 0.0
    server_pause: float = 0.0
    server_cut_off: float = 0.0
    server_deploy: float = 0.0
    server_clock: float = 0.0
    worker_crash: float = 0.0
    worker_pause: float = 0.0
    worker_deploy: float = 0.0
    client_crash: float = 0.0
    store_clock: float = 0.0
    store_cut: float = 0.0
    store_freeze: float = 0.0
    store_restart: float = 0.0
    store_power: float = 0.0
    store_fail_over: float = 0.0
