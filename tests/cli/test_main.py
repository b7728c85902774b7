"""The command line: what it prints, what it refuses, and with which exit code."""

from __future__ import annotations

import pytest

from actorq import __version__
from actorq.cli.main import main
from actorq.settings import SETTINGS


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run with wrong arguments; return what stands on stderr."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """``actorq --version`` prints the version and nothing else."""
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"actorq {__version__}\n"


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """``actorq`` alone shows what there is."""
    assert main([]) == 0
    assert "serve" in capsys.readouterr().out


def test_the_help_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    """``actorq serve --help`` shows flag, environment name and default of each, and exit codes."""
    with pytest.raises(SystemExit) as caught:
        main(["serve", "--help"])
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for setting in SETTINGS:
        default = setting.written(setting.default) or "none"
        assert f"{setting.flag} " in text
        assert f"[{setting.environment}, default {default}" in text
    assert "ACTORQ_CONFIG" in text
    assert "exit codes:" in text


def test_wrong_settings_are_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong value ends with exit code 2 and one line on stderr, without a traceback."""
    monkeypatch.setenv("PORT", "many")
    assert main(["serve"]) == 2
    seen = capsys.readouterr()
    assert seen.err.startswith("actorq: PORT: 'many' from environment variable PORT")
    assert seen.err.count("\n") == 1
    assert seen.out == ""


def test_an_unknown_flag_is_refused_without_its_value(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt flag may carry a password: neither form of its value is repeated."""
    for arguments in (["--postgres-dns=hunter2"], ["--postgres-dns", "hunter2"]):
        message = refused(["serve", *arguments], capsys)
        assert "unknown argument '--postgres-dns'" in message
        assert "hunter2" not in message


def test_flags_are_not_abbreviated(capsys: pytest.CaptureFixture[str]) -> None:
    """A prefix of a flag is not taken for it: a later flag must not change its meaning."""
    assert "unknown argument '--por'" in refused(["serve", "--por", "1"], capsys)


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """What is not a command is named, beside those that are."""
    message = refused(["server"], capsys)
    assert "'server'" in message
    assert "serve" in message
