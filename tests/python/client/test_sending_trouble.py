"""What becomes of records in unlikely troubles: none is lost silently, none comes twice."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pgvigil.client.sending import sender as sender_module
from pgvigil.client.sending.batch import Batch, SpoolError
from pgvigil.client.sending.clock import Clock
from pgvigil.client.sending.queue import Record
from pgvigil.client.sending.sender import AwayError, RefusedError, Sender
from pgvigil.client.sending.spool import Spool
from tests.python.support.batch_database import DSN, Database, metric, values
from tests.python.support.running import wait_until

Make = Callable[..., Sender]


def error(number: int, size: int = 10) -> Record:
    """Return an error."""
    return Record("errors", json.dumps({"error_type": "E", "message": f"{number} {'x' * size}"}))


def errors(database: Database) -> list[int]:
    """Return the numbers of all errors that came, but for those about losses."""
    found = [record for record in database.found("errors") if record["error_type"] == "E"]
    return [int(record["message"].split()[0]) for record in found]


def told_losses(database: Database) -> int:
    """Return how many records the database was told to be lost."""
    found = [r for r in database.found("errors") if r["error_type"] == "RecordsLost"]
    return sum(record["details"]["records"] for record in found)


# On disk


def test_what_comes_while_the_database_is_silent_is_on_disk_within_a_moment(
    spools: Path, database: Database
) -> None:
    is_silent = threading.Event()
    goes_on = threading.Event()

    def send(text: str) -> Mapping[str, Any]:
        is_silent.set()
        goes_on.wait(30)
        return database.send(text)

    sender = Sender(
        send, dsn=DSN, interval=0.05, most_bytes=1 << 20, directory=spools, spool_bytes=1 << 20
    )
    sender.put(metric(0))
    assert is_silent.wait(5)
    for number in range(1, 20):
        sender.put(metric(number))
    wait_until(lambda: on_disk(spools) == 20, 5)
    goes_on.set()
    assert sender.flush(10)
    assert values(database) == list(range(20))
    sender.close(1)


def on_disk(spools: Path) -> int:
    """Return how many records are on disk."""
    found = 0
    for path in spools.glob("*.spool"):
        with closing(sqlite3.connect(path)) as file, suppress(sqlite3.OperationalError):
            (records,) = file.execute("select coalesce(sum(records), 0) from batches").fetchone()
            found += records
    return found


def test_a_disk_that_takes_no_more_in_an_outage_costs_nothing_that_it_has(
    make: Make, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = make()
    database.trouble = AwayError("away")
    for number in range(10):
        sender.put(metric(number))
        sender.flush(0.05)
    wait_until(lambda: sender._backlog.is_on_disk)
    append = Spool.append

    def full(spool: Spool, batch: Batch) -> int:
        raise SpoolError("database or disk is full")

    monkeypatch.setattr(Spool, "append", full)
    for number in range(10, 20):
        sender.put(metric(number))
        sender.flush(0.05)
    monkeypatch.setattr(Spool, "append", append)
    for number in range(20, 30):
        sender.put(metric(number))
        sender.flush(0.05)
    database.trouble = None
    assert sender.flush(20)
    assert values(database) == list(range(30))
    assert sender.lost == 0


def test_a_file_that_becomes_unreadable_costs_what_is_in_it_and_is_told(
    make: Make, database: Database, spools: Path
) -> None:
    sender = make()
    database.trouble = AwayError("away")
    sender.put(metric(0))
    wait_until(lambda: on_disk(spools) == 1)
    (path,) = spools.glob("*.spool")
    with closing(sqlite3.connect(path)) as file:
        file.execute("drop table batches")
    database.trouble = None
    sender.put(metric(1))
    assert sender.flush(20)
    assert values(database) == [1]
    assert sender.lost == 1
    assert told_losses(database) == 1


def test_a_damaged_file_is_put_aside_and_told_of(
    make: Make, database: Database, spools: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = Spool.create(spools, DSN, 1000)
    damaged.append(Batch("s", 1, 1, '"metrics": []'))
    damaged.close()
    damaged.path.write_bytes(b"x" * 8192)
    sender = make()
    sender.put(metric(1))
    assert sender.flush(5)
    wait_until(lambda: "cannot read the records in" in caplog.text)
    assert [path.suffix for path in spools.glob("*.damaged")] == [".damaged"]


def test_on_a_full_disk_metrics_make_room_for_errors(make: Make, database: Database) -> None:
    sender = make(spool_bytes=20_000)
    database.trouble = AwayError("away")
    for number in range(1000):
        sender.put(metric(number))
        if number % 100 == 0:
            sender.flush(0.05)
    for number in range(60):
        sender.put(error(number, 200))
        if number % 10 == 0:
            sender.flush(0.05)
    sender.flush(0.05)
    database.trouble = None
    assert sender.flush(20)
    assert errors(database) == list(range(60))
    came = values(database)
    assert came == sorted(set(came))
    assert 0 < len(came) < 1000
    assert sender.lost == 1000 - len(came)
    assert told_losses(database) == sender.lost


def test_a_sender_that_was_closed_with_something_left_can_go_on(
    make: Make, database: Database
) -> None:
    sender = make()
    database.trouble = AwayError("away")
    for number in range(5):
        sender.put(metric(number))
    sender.close(0.1)
    database.trouble = None
    for number in range(5, 10):
        sender.put(metric(number))
    assert sender.flush(10)
    wait_until(lambda: len(values(database)) == 10)
    assert sorted(values(database)) == list(range(10))
    assert sender.lost == 0


def test_sizes_on_disk_are_bytes(spools: Path) -> None:
    spool = Spool.create(spools, DSN, 100)
    assert spool.append(Batch("s", 1, 7, "é" * 60)) == 7
    assert spool.append(Batch("s", 1, 7, "e" * 60)) == 0
    spool.close()


def test_what_the_environment_says_tells_databases_apart(
    make: Make, database: Database, spools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDATABASE", "one")
    past = Spool.create(spools, "", 1000)
    past.append(Batch("s", 1, 1, '"metrics": [{"value": 7}]'))
    past.close()
    for name, came in (("other", []), ("one", [7])):
        monkeypatch.setenv("PGDATABASE", name)
        sender = Sender(
            database.send, dsn="", interval=0.02, most_bytes=1 << 20, directory=spools,
            spool_bytes=1 << 20,
        )  # fmt: skip
        sender.put(Record("logs", "{}"))
        assert sender.flush(5)
        sender.close(1)
        assert values(database) == came


def test_files_are_for_their_owner_alone(spools: Path) -> None:
    spools.mkdir(mode=0o755)
    spool = Spool.create(spools, DSN, 1000)
    spool.append(Batch("s", 1, 1, '"metrics": []'))
    modes = {path.stat().st_mode & 0o77 for path in spools.glob("*.spool*")}
    spool.close()
    assert modes == {0}


# In memory


def test_a_queue_takes_no_more_memory_than_it_may_whatever_the_letters(make: Make) -> None:
    sender = make(most_bytes=1 << 20, interval=60, directory=None)
    sender._see_to_thread = lambda: None  # type: ignore[method-assign]
    while sender.put(Record("errors", "\N{GRINNING FACE}" * 1000)):
        pass
    assert len(sender.queue) <= (1 << 20) // 4000
    assert len(sender.queue) >= (1 << 20) // 5000


def test_without_a_disk_nothing_but_the_queue_waits(make: Make, database: Database) -> None:
    sender = make(directory=None)
    database.trouble = AwayError("away")
    for number in range(3000):
        sender.put(metric(number))
    assert not sender.flush(0.3)
    assert sender._backlog.in_memory() <= 500
    assert sender.waiting() == 3000
    database.trouble = None
    assert sender.flush(20)
    assert values(database) == list(range(3000))


def test_a_resting_thread_does_not_spin(make: Make, database: Database) -> None:
    """Neither with a full queue and no disk, nor with a disk, nor with a request in between."""
    for options in ({"directory": None}, {}):
        sender = make(**options)
        database.trouble = AwayError("away")
        for number in range(1000):
            sender.put(metric(number))
        sender.flush(0.3)
        began_at = time.process_time()
        time.sleep(1)
        assert time.process_time() - began_at < 0.5
        database.trouble = None
        assert sender.flush(20)


# Losses, refusals, clocks


def test_losses_are_told_once_although_the_answer_is_lost(make: Make, database: Database) -> None:
    sender = make()
    database.trouble = RefusedError("no")
    sender.put(metric(0))
    assert sender.flush(5)
    database.trouble = None
    sent = database.send

    def lose_answer(text: str) -> Mapping[str, Any]:
        database.loses_answers = "RecordsLost" in text
        return sent(text)

    sender._send = lose_answer
    sender.put(metric(1))
    assert not sender.flush(0.3) or told_losses(database) == 1
    sender._send = sent
    assert sender.flush(10)
    assert told_losses(database) == 1


def test_losses_are_told_by_the_next_process(make: Make, database: Database) -> None:
    sender = make()
    database.trouble = RefusedError("no")
    sender.put(metric(0))
    assert sender.flush(5)
    sender.close(0.1)
    database.trouble = None
    heir = make()
    heir.put(metric(1))
    wait_until(lambda: told_losses(database) == 1)


def test_a_batch_says_what_time_it_is_until_the_clock_is_known_to_be_right(
    make: Make, database: Database
) -> None:
    answer = database.send

    def send(text: str) -> Mapping[str, Any]:
        return {**answer(text), "recorded_at": datetime.now(UTC).isoformat()}

    sender = make()
    sender._send = send
    for number in range(3):
        sender.put(metric(number))
        assert sender.flush(5)
    assert ["sent_at" in batch for batch in database.batches] == [True, False, False]


@pytest.mark.parametrize(
    ("ahead", "way", "is_told"),
    [(0, 0, False), (4, 0, False), (-4, 0, False), (60, 0, True), (-60, 0, True), (0, 10, True)],
)
def test_a_clock_is_right_when_an_answer_that_came_soon_says_so(
    ahead: float, way: float, is_told: bool
) -> None:
    clock = Clock()
    there = datetime.now(UTC) - timedelta(seconds=ahead)
    clock.compare(there.isoformat(), time.time() - way)
    assert bool(clock.told()) == is_told
    clock.compare(None, time.time())
    assert bool(clock.told()) == is_told


# Threads and ends


def test_a_process_that_can_have_no_thread_records_when_it_can(
    make: Make, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = make()

    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        assert sender.put(metric(1))
        assert not sender.flush(0.2)
    sender.put(metric(2))
    assert sender.flush(5)
    assert values(database) == [1, 2]


def test_an_idle_thread_that_ends_overlooks_no_record(
    make: Make, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_IDLE", 0.0)
    sender = make(interval=0.001)
    for number in range(300):
        sender.put(metric(number))
        time.sleep(0.0005 * (number % 5))
    wait_until(lambda: len(values(database)) == 300)


LATE = """
import atexit, sys
from pathlib import Path

def late():
    sender.put(Record("metrics", '{"metric_name": "m", "value": 2}'))

atexit.register(late)  # runs after what is registered later

from pgvigil.client.sending.sender import AwayError, Sender
from pgvigil.client.sending.queue import Record

def send(text):
    raise AwayError("away")

sender = Sender(send, dsn=sys.argv[1], interval=0.02, most_bytes=1 << 20,
                directory=Path(sys.argv[2]) if len(sys.argv) > 2 else None, spool_bytes=1 << 20)
sender.put(Record("metrics", '{"metric_name": "m", "value": 1}'))
"""


def test_what_is_told_at_the_very_end_is_kept(spools: Path) -> None:
    subprocess.run([sys.executable, "-c", LATE, DSN, str(spools)], check=True, timeout=30)
    assert on_disk(spools) == 2


def test_what_is_lost_at_the_end_for_want_of_a_disk_is_logged() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LATE, DSN], check=True, timeout=30, capture_output=True, text=True
    )
    assert "pgvigil lost 1 record at the end of the program" in done.stderr
    assert "pgvigil lost 2 records at the end of the program" in done.stderr
