"""The demonstration does real work, ends cleanly, and leaves no server behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from pgvigil.demo.sales import Damage, read_sales, write_sales
from pgvigil.demo.server_state import read_running_server
from pgvigil.demo.service import RATES, RateService, fetch_rates

COMMAND = [sys.executable, "-c", "from pgvigil.commands.cli import main; main()", "demo"]


def run_once(home: Path) -> tuple[str, float]:
    """Run one round and return what was printed and the seconds it took."""
    began_at = time.monotonic()
    result = subprocess.run(
        [*COMMAND, "--once", "--data-dir", home], capture_output=True, text=True, check=True
    )
    assert result.stderr == ""
    return result.stdout, time.monotonic() - began_at


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a demonstration that has run once."""
    home = tmp_path_factory.mktemp("demo")
    text, seconds = run_once(home)
    assert seconds < 120
    assert "Importing a file of each of six shops" in text
    return home


@pytest.fixture
def live(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A demonstration that goes on until it is stopped."""
    process = subprocess.Popen(
        [*COMMAND, "--data-dir", str(home)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=30)
        assert process.stdout is not None
        process.stdout.close()


def read_dsn(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("postgresql://"):
            return line.strip()
    raise AssertionError("it printed no DSN")


def read_page(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return where the page is, and the token for it."""
    assert process.stdout is not None
    told = {}
    for line in process.stdout:
        name, _, rest = line.strip().partition(": ")
        told[name] = rest
        if "Token to acknowledge alerts there" in told:
            return told["Page"], told["Token to acknowledge alerts there"]
    raise AssertionError("it printed no page")


def wait_until_gone(home: Path) -> None:
    deadline = time.monotonic() + 20
    while read_running_server(home / "postgresql" / "data") is not None:
        assert time.monotonic() < deadline, "the server is still there"
        time.sleep(0.05)


def test_a_round_shows_every_kind_of_work_and_trouble_and_its_data_are_used_again(
    home: Path,
) -> None:
    text, seconds = run_once(home)
    assert seconds < 120
    for seen in (
        "demo.invoice ",
        "demo.import_file ",
        "demo.import ",
        "TimeoutError ",
        "UnicodeDecodeError ",
        "urllib.error.URL",  # a busy machine has longer times beside it, which cut it short
        "database postgres ",
        "service exchange",
        "host disk ",
        "demo.invoices ",
        "OPEN ALERTS ",
        "task type demo.import_file: ",
    ):
        assert f"\n{seen}" in text
    assert "Page: " not in text
    for rest in ("dashboard --watch", "alerts"):
        hint = re.search(rf"^(\S*pgvigil) {rest}$", text, re.MULTILINE)
        assert hint is not None
        assert shutil.which(hint[1]), f"{hint[1]} is not found by another terminal"
    imports = re.search(r"\ndemo\.import +(\d+)", text)
    assert imports is not None
    assert int(imports[1]) >= 2  # the first run's are still there
    wait_until_gone(home)


def test_ctrl_c_ends_it_cleanly(home: Path, live: subprocess.Popen[str]) -> None:
    dsn = read_dsn(live)
    with psycopg.connect(dsn) as connection:
        row = connection.execute("select count(*) from demo.sales").fetchone()
    assert row is not None
    assert row[0] > 1000
    wait_for_scheduler(dsn)
    live.send_signal(signal.SIGINT)
    text = live.communicate(timeout=30)[0]
    assert live.returncode == 0
    assert text.rstrip().endswith(f"The server has ended; its data are in {home}.")
    wait_until_gone(home)


def test_it_serves_a_page_while_it_goes_on(home: Path, live: subprocess.Popen[str]) -> None:
    url, token = read_page(live)
    assert url.startswith("http://127.0.0.1:")
    dsn = read_dsn(live)
    wait_for_scheduler(dsn)
    assert httpx.get(f"{url}api/tasks").json()["rows"]
    number = httpx.get(f"{url}api/active-alerts").json()["rows"][0]["alert_id"]
    path = f"{url}api/acknowledge-alert/{number}"
    assert httpx.post(path).status_code == 401
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.post(path, headers=headers).status_code in (200, 409)
    live.send_signal(signal.SIGINT)
    live.communicate(timeout=30)
    assert live.returncode == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_second_one_in_the_same_directory_points_to_the_first(
    home: Path, live: subprocess.Popen[str]
) -> None:
    dsn = read_dsn(live)
    result = subprocess.run(
        [*COMMAND, "--once", "--data-dir", home], capture_output=True, text=True
    )
    assert result.returncode == 1
    assert f"Hint: Look at it: pgvigil dashboard --watch --dsn {dsn}" in result.stderr
    assert live.poll() is None


def test_a_kill_leaves_no_server_and_what_it_was_doing_counts_as_lost(
    home: Path, live: subprocess.Popen[str]
) -> None:
    dsn = read_dsn(live)
    wait_for_running_task(dsn)
    os.killpg(live.pid, signal.SIGKILL)
    wait_until_gone(home)
    text, _ = run_once(home)
    assert "\nNo task is running." in text


def wait_for_scheduler(dsn: str) -> None:
    query = "select from monitoring.v_jobs where job_name = 'roll_up' and runs > 0"
    deadline = time.monotonic() + 20
    with psycopg.connect(dsn, autocommit=True) as connection:
        while connection.execute(query).fetchone() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def wait_for_running_task(dsn: str) -> None:
    query = "select from monitoring.v_realtime_processing_status"
    deadline = time.monotonic() + 20
    with psycopg.connect(dsn, autocommit=True) as connection:
        while connection.execute(query).fetchone() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_it_survives_its_own_server(home: Path, live: subprocess.Popen[str]) -> None:
    """Ended sessions are what a restarted server looks like from the outside."""
    dsn = read_dsn(live)
    query = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = 'demo' and pid <> pg_backend_pid()
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(query)
        time.sleep(1)
        wait_for_running_task(dsn)
    assert live.poll() is None


@pytest.mark.parametrize("damage", [Damage.NONE, Damage.TWICE, Damage.RETURNED])
def test_files_are_read_as_they_were_written(damage: Damage, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    write_sales(path, "north", "b", 300, damage)
    sales = list(read_sales(path))
    receipts = {sale.receipt for sale in sales}
    assert (len(sales), len(receipts)) == (300, 299 if damage is Damage.TWICE else 300)
    assert (min(sale.quantity for sale in sales) < 0) == (damage is Damage.RETURNED)


def test_a_garbled_file_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    write_sales(path, "north", "b", 300, Damage.GARBLED)
    with pytest.raises((ValueError, KeyError)):
        list(read_sales(path))


def test_the_service_is_really_down_and_really_slow() -> None:
    service = RateService()
    service.start()
    url = service.url
    assert fetch_rates(url) == RATES
    service.stop()
    with pytest.raises(OSError, match="refused"):
        fetch_rates(url)
    service.start()
    assert service.url == url
    service.delay = 1.0
    with pytest.raises(TimeoutError):
        fetch_rates(url)
    service.stop()


def test_its_work_is_a_business_day_and_its_invoices_are_records(
    live: subprocess.Popen[str],
) -> None:
    with psycopg.connect(read_dsn(live), autocommit=True) as connection:
        steps = connection.execute("select step_name from monitoring.v_batch_timeline").fetchall()
        failed = connection.execute(
            "select receipt from demo.invoices where state = 'failed'"
        ).fetchall()
        invalid = connection.execute(
            "select record_key from monitoring.invalid_records where dataset = 'invoices'"
        ).fetchall()
        known = connection.execute(
            "select record_key from monitoring.v_record_status where status = 'failed'"
        ).fetchall()
    assert steps == [("demo.import",), ("demo.invoice",)]
    assert failed
    assert set(failed) <= set(invalid)
    assert set(failed) <= set(known)
