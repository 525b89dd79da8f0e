from __future__ import annotations

import io
import sys
import types

import pytest

from neuroanp.training.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def train(**settings) -> None:
    with Progress(20, **settings) as progress:
        for update in range(20):
            progress.advance(loss=1 / (1 + update))


def test_a_terminal_sees_loss_and_speed(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    train()
    last = terminal.getvalue().split("\r")[-1]
    assert "20/20" in last
    assert "updates/s" in last
    assert "loss 0.448" in last


@pytest.mark.parametrize("stream", [io.StringIO(), None])
def test_silent_when_not_a_terminal(monkeypatch, stream, capfd):
    monkeypatch.setattr(sys, "stderr", stream)
    train()
    assert stream is None or stream.getvalue() == ""
    assert capfd.readouterr() == ("", "")


def test_silent_when_asked(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    train(show=False)
    assert terminal.getvalue() == ""


def test_a_notebook_gets_a_bar_without_a_terminal(monkeypatch, capsys):
    made = []
    bar = types.SimpleNamespace(
        set_postfix_str=lambda *_, **__: None, update=lambda: None, close=lambda: None
    )
    ipython = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    auto = types.SimpleNamespace(tqdm=lambda **settings: made.append(settings) or bar)
    monkeypatch.setitem(sys.modules, "tqdm.auto", auto)
    train()
    assert [settings["total"] for settings in made] == [20]
