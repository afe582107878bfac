"""How records get from a program to the database: queue, batches, spool."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pgvigil.client.sending.batch import Batch
from pgvigil.client.sending.queue import Record
from pgvigil.client.sending.sender import AwayError, RefusedError, Sender
from pgvigil.client.sending.spool import Spool
from tests.python.support.batch_database import DSN, Database, metric, values
from tests.python.support.running import wait_until

AT = '"2026-01-15T12:00:00+00:00"'
LATER = '"2026-01-15T12:01:00+00:00"'


# Batches


def test_records_come_in_order_and_in_batches(
    make: Callable[..., Sender], database: Database
) -> None:
    sender = make()
    for number in range(2000):
        assert sender.put(metric(number))
    assert sender.flush(10)
    assert values(database) == list(range(2000))
    assert len(database.batches) <= 20
    assert [batch["number"] for batch in database.batches] == list(
        range(1, len(database.batches) + 1)
    )
    assert {batch["sender"] for batch in database.batches} == {database.batches[0]["sender"]}


def test_records_come_without_being_asked_for(
    make: Callable[..., Sender], database: Database
) -> None:
    sender = make()
    sender.put(metric(1))
    wait_until(lambda: values(database) == [1], 5)


def test_threads_lose_nothing_and_double_nothing(
    make: Callable[..., Sender], database: Database
) -> None:
    sender = make()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: sender.put(metric(number)), range(5000)))
    assert sender.flush(10)
    assert sorted(values(database)) == list(range(5000))


def test_an_idle_sender_has_no_thread_and_begins_another(
    make: Callable[..., Sender], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil.client.sending.sender._IDLE", 0.05)
    sender = make()
    sender.put(metric(1))
    thread = sender._thread
    assert thread is not None
    thread.join(5)
    assert not thread.is_alive()
    sender.put(metric(2))
    assert sender.flush(5)
    assert values(database) == [1, 2]


# Runs


def begin(sender: Sender, name: str, **told: str) -> Any:
    """Tell that a task has begun."""
    return sender.begin(
        name, "start_task_tracking", {"task_id": json.dumps(name), "started_at": AT, **told}
    )


def finish(sender: Sender, run: Any, **told: str) -> None:
    """Tell that it has ended."""
    told = {"task_id": json.dumps(run.task_id), "finished_at": LATER, **told}
    sender.finish(run, "complete_task_tracking", told)


def test_a_task_that_ends_before_its_start_is_sent_is_one_record(
    make: Callable[..., Sender], database: Database
) -> None:
    sender = make(interval=5)
    run = begin(sender, "t", metadata='{"a": 1}')
    sender.update(run, {"task_id": '"t"', "items_done": "1", "at": AT, "counters": '{"x": 1}'})
    sender.update(run, {"task_id": '"t"', "items_done": "2", "at": AT, "counters": '{"y": 2}'})
    finish(sender, run, status='"failed"', metadata='{"b": 2}', counters='{"y": 3}')
    assert sender.flush(5)
    assert database.found("calls") == []
    assert database.found("runs") == [
        {
            "task_id": "t",
            "status": "failed",
            "start_time": "2026-01-15T12:00:00+00:00",
            "end_time": "2026-01-15T12:01:00+00:00",
            "items_done": 2,
            "counters": {"x": 1, "y": 3},
            "metadata": {"a": 1, "b": 2},
        }
    ]


def test_a_task_that_goes_on_is_told_of_call_by_call(
    make: Callable[..., Sender], database: Database
) -> None:
    sender = make(interval=5)
    run = begin(sender, "t")
    assert run.attempt is None
    assert sender.flush(5)
    assert run.attempt == 1
    sender.update(run, {"task_id": '"t"', "items_done": "1", "at": AT})
    finish(sender, run)
    assert sender.flush(5)
    calls = database.found("calls")
    assert [call["function"] for call in calls] == [
        "start_task_tracking", "update_task_progress", "complete_task_tracking",
    ]  # fmt: skip
    assert {call["run"] for call in calls} == {run.number}


def test_runs_of_one_name_that_wait_together_keep_their_order(
    make: Callable[..., Sender], database: Database
) -> None:
    sender = make(interval=5)
    finish(sender, begin(sender, "t"), status='"failed"')
    begin(sender, "t")
    finish(sender, begin(sender, "other"))
    assert sender.flush(5)
    assert [call["function"] for call in database.found("calls")] == [
        "start_task_tracking", "complete_task_tracking", "start_task_tracking",
    ]  # fmt: skip
    assert [run["task_id"] for run in database.found("runs")] == ["other"]


# When the database is away


def test_what_is_told_meanwhile_waits_on_disk_and_comes_in_order(
    make: Callable[..., Sender], database: Database, spools: Path
) -> None:
    sender = make()
    sender.put(metric(0))
    assert sender.flush(5)
    database.trouble = AwayError("away")
    for number in range(1, 50):
        sender.put(metric(number))
        time.sleep(0.005)
    wait_until(lambda: any(spools.glob("*.spool")), 10)
    assert not sender.flush(0.2)
    database.trouble = None
    sender.put(metric(50))
    wait_until(lambda: len(values(database)) == 51, 20)
    assert values(database) == list(range(51))
    assert sender.lost == 0
    sender.close(1)
    assert not any(spools.iterdir())


def test_a_batch_whose_answer_was_lost_is_recorded_once(
    make: Callable[..., Sender], database: Database
) -> None:
    sender = make()
    database.loses_answers = True
    sender.put(metric(1))
    sender.flush(5)
    assert sender.flush(5)
    assert values(database) == [1]


def test_without_a_disk_records_wait_in_memory_within_their_bound(
    make: Callable[..., Sender], database: Database
) -> None:
    database.trouble = AwayError("away")
    sender = make(directory=None, most_bytes=20_000)
    for number in range(2000):
        sender.put(metric(number))
        if number % 100 == 0:
            sender.flush(0.2)
    assert sender.lost > 0
    database.trouble = None
    assert sender.flush(20)
    came = values(database)
    assert came == sorted(set(came))
    assert len(came) + sender.lost == 2000
    (told,) = database.found("errors")
    assert told["details"]["records"] == sender.lost
    assert (told["component"], told["error_type"]) == ("pgvigil.client", "RecordsLost")
    assert told["details"]["from"] <= told["details"]["until"]


def test_a_full_spool_loses_what_comes_and_counts_it(
    make: Callable[..., Sender], database: Database
) -> None:
    database.trouble = AwayError("away")
    sender = make(spool_bytes=5000)
    for number in range(1000):
        sender.put(metric(number))
        if number % 50 == 0:
            sender.flush(0.2)
    database.trouble = None
    assert sender.flush(20)
    assert len(values(database)) + sender.lost == 1000
    assert sum(error["details"]["records"] for error in database.found("errors")) == sender.lost


def test_what_is_worth_least_makes_room_for_the_rest(make: Callable[..., Sender]) -> None:
    sender = make(most_bytes=2000, interval=60)
    sender._see_to_thread = lambda: None  # type: ignore[method-assign]
    while sender.put(metric(1)):
        pass
    assert sender.put(Record("errors", "{}"))
    assert not sender.put(Record("logs", "{}" * 200))


def test_a_directory_that_cannot_be_used_breaks_nothing(
    make: Callable[..., Sender], database: Database, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    database.trouble = AwayError("away")
    sender = make(directory=tmp_path / "file")
    for number in range(10):
        sender.put(metric(number))
        sender.flush(0.2)
    database.trouble = None
    assert sender.flush(20)
    assert values(database) == list(range(10))


def test_a_batch_that_is_refused_is_lost_and_holds_up_nothing(
    make: Callable[..., Sender], database: Database
) -> None:
    sender = make()
    database.trouble = RefusedError("no")
    sender.put(metric(1))
    assert sender.flush(5)
    database.trouble = None
    sender.put(metric(2))
    assert sender.flush(5)
    assert values(database) == [2]
    assert sender.lost == 1
    assert [error["details"]["records"] for error in database.found("errors")] == [1]


# Ends of programs


def test_closing_takes_no_longer_than_it_may_and_leaves_the_rest_on_disk(
    make: Callable[..., Sender], database: Database, spools: Path
) -> None:
    is_frozen = threading.Event()
    goes_on = threading.Event()

    def freeze(text: str) -> Mapping[str, Any]:
        is_frozen.set()
        goes_on.wait(30)
        raise AwayError("frozen")

    sender = Sender(
        freeze, dsn=DSN, interval=0.02, most_bytes=1 << 20, directory=spools, spool_bytes=1 << 20
    )
    sender.put(metric(1))
    assert is_frozen.wait(5)
    sender.put(metric(2))
    began_at = time.monotonic()
    sender.close(0.3)
    assert time.monotonic() - began_at < 2
    assert any(spools.glob("*.spool"))
    heir = make()
    heir.put(metric(3))
    wait_until(lambda: sorted(values(database)) == [1, 2, 3], 10)
    goes_on.set()


PROGRAM = """
import sys, time
from pathlib import Path
from pgvigil.client.sending.sender import AwayError, Sender
from pgvigil.client.sending.queue import Record

def send(text):
    raise AwayError("away")

sender = Sender(send, dsn=sys.argv[1], interval=0.02, most_bytes=1 << 20,
                directory=Path(sys.argv[2]), spool_bytes=1 << 20)
for number in range(100):
    sender.put(Record("metrics", '{"metric_name": "m", "value": %d}' % number))
if sys.argv[3] == "stay":
    while not (sender._backlog._spool and len(sender._backlog._spool)):
        time.sleep(0.01)
    print("ready", flush=True)
    time.sleep(60)
"""


def program(spools: Path, how: str) -> "subprocess.Popen[str]":
    """Start a program whose database is away."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, DSN, str(spools), how], stdout=subprocess.PIPE, text=True
    )


def test_the_next_program_sends_what_one_has_left_behind(
    make: Callable[..., Sender], database: Database, spools: Path
) -> None:
    with program(spools, "end") as past:
        assert past.wait(20) == 0
    sender = make()
    sender.put(metric(1000))
    wait_until(lambda: len(values(database)) == 101, 10)
    assert sorted(values(database)) == [*range(100), 1000]
    assert len({batch["sender"] for batch in database.batches}) == 2
    sender.close(1)
    assert not any(spools.iterdir())


def test_the_spool_of_a_program_that_lives_is_left_alone_until_it_is_killed(
    make: Callable[..., Sender], database: Database, spools: Path
) -> None:
    with program(spools, "stay") as living:
        assert living.stdout is not None
        assert living.stdout.readline() == "ready\n"
        first = make()
        first.put(metric(1000))
        assert first.flush(5)
        assert values(database) == [1000]
        living.send_signal(signal.SIGKILL)
        living.wait()
        second = make()
        second.put(metric(1001))
        wait_until(lambda: len(values(database)) == 102, 10)


def test_spools_of_other_databases_are_left_alone(
    make: Callable[..., Sender], database: Database, spools: Path
) -> None:
    other = Spool.create(spools, DSN.replace("nowhere", "elsewhere"), 1000)
    other.append(Batch("s", 1, 1, '"metrics": []'))
    other.close()
    sender = make()
    sender.put(metric(1))
    assert sender.flush(5)
    assert len(database.batches) == 1
    assert len(list(spools.glob("*.spool"))) == 1


def test_a_damaged_spool_holds_up_nobody(
    make: Callable[..., Sender], database: Database, spools: Path
) -> None:
    damaged = Spool.create(spools, DSN, 1000)
    damaged.append(Batch("s", 1, 1, '"metrics": []'))
    damaged.close()
    damaged.path.write_bytes(os.urandom(8192))
    sender = make()
    sender.put(metric(1))
    assert sender.flush(5)
    assert values(database) == [1]


def test_a_child_leaves_to_its_parent_what_that_has_told(
    make: Callable[..., Sender], database: Database, tmp_path: Path
) -> None:
    sender = make(interval=0.5)
    sender.put(metric(1))
    child = os.fork()
    if child == 0:
        waiting = len(sender.queue)
        (tmp_path / "waiting").write_text(str(waiting))
        os._exit(0)
    os.waitpid(child, 0)
    assert (tmp_path / "waiting").read_text() == "0"
    assert sender.flush(5)
    assert values(database) == [1]
