"""What people and programs see of a phase."""

import io

import pytest

from infra.progress import SECONDS_LEFT, LineSink, PhaseState, Progress, TerminalSink, console_progress, time_words


class Recorder:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def begin(self, phase: PhaseState) -> None:
        self.events.append(f"begin {phase.name} {phase.total}")

    def update(self, phase: PhaseState) -> None:
        self.events.append(f"{phase.done} {phase.figures}")

    def end(self, phase: PhaseState, failed: bool) -> None:
        self.events.append(f"end {phase.done} {failed}")


def test_every_sink_hears_every_step() -> None:
    first, second = Recorder(), Recorder()
    with Progress(first).with_sink(second).phase("collect", 3, "shards") as phase:
        phase.advance()
        phase.advance(2, loss=0.5)
    assert first.events == second.events == ["begin collect 3", "1 {}", "3 {'loss': 0.5}", "end 3 False"]


def test_a_phase_that_fails_is_ended_as_failed() -> None:
    recorder = Recorder()
    with pytest.raises(KeyboardInterrupt), Progress(recorder).phase("train", None, "steps") as phase:
        phase.advance(7)
        raise KeyboardInterrupt
    assert recorder.events[-1] == "end 7 True"


def test_plain_lines_are_few_and_say_the_end() -> None:
    stream = io.StringIO()
    with Progress(LineSink(stream, interval=60)).phase("collect d0", 1000, "episodes") as phase:
        for _ in range(1000):
            phase.advance(1, fps=123.456)
    lines = stream.getvalue().splitlines()
    assert lines == [
        "collect d0: 0/1000 episodes (0 %), 0 s",
        "collect d0: 1000/1000 episodes (100 %), 0 s, fps 123.5, done",
    ]


def test_the_time_left_is_said_in_words() -> None:
    times = [0.4, 59, 89.9, 91, 5000, 6000, 100_000, 200_000]
    assert [time_words(seconds) for seconds in times] == [
        *("0 s", "59 s", "90 s", "2 min", "83 min", "1.7 h", "27.8 h", "2.3 days")
    ]
    state = PhaseState("pretrain m0", 10, "steps", 1, {"loss": 0.25, SECONDS_LEFT: 7200.0})
    assert state.text() == "pretrain m0: 1/10 steps (10 %), 0 s, loss 0.25, 2.0 h left"


def test_plain_lines_come_as_often_as_asked() -> None:
    stream = io.StringIO()
    with Progress(LineSink(stream, interval=0)).phase("steps", None, "steps") as phase:
        phase.advance(5)
        phase.advance(5)
    assert [line.split(",")[0] for line in stream.getvalue().splitlines()] == [
        "steps: 0 steps",
        "steps: 5 steps",
        "steps: 10 steps",
        "steps: 10 steps",
    ]


def test_bars_end_clean_with_nested_phases(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(TerminalSink())
    with progress.phase("outer", 2, "runs") as outer, progress.phase("inner", None, "steps") as inner:
        inner.advance(4, loss=1.25)
        outer.advance(2)
    shown = capsys.readouterr().err
    assert "outer" in shown and "inner" in shown and "2/2" in shown and "loss 1.25" in shown


@pytest.mark.parametrize("columns", [80, 140, 200])
def test_the_bar_stays_beside_however_many_figures(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    figures = {f"latent_std_{k}": 0.123456 for k in range(12)}
    with Progress(TerminalSink()).phase("pretrain m0", 3000, "steps") as phase:
        phase.advance(3000, loss=0.0123, **figures)
    line = next(line for line in capsys.readouterr().err.splitlines() if "3000/3000" in line)
    assert line.startswith("pretrain m0") and "steps" in line and "loss 0.0123" in line and len(line) <= columns
    assert line.count("━") >= 8, "the bar"


def test_no_terminal_means_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with console_progress().phase("collect", 1, "shards") as phase:
        phase.advance()
    assert capsys.readouterr().err.splitlines()[-1].endswith("1/1 shards (100 %), 0 s, done")
