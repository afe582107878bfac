"""Python calls functions of schema monitoring and selects from its views, and does nothing else.

Every string in the package that names the schema is looked at; so is every SQL file in it.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT

PACKAGE = ROOT / "python" / "pgvigil"
# Keeps the book of what is installed, and reads and rebuilds the schema itself.
INSTALLER = PACKAGE / "install"

ARGUMENTS = r"""\( \s*
    ( \{arguments\} | (p_(\w+|\{[\w.]+\})\s*=>\s*%\(\w+\)s(::\w+)?(,\s*)?)* )
\s* \)"""
CALL = re.compile(rf"(select|call)\s+monitoring\.(\w+|\{{[\w.]+\}}) {ARGUMENTS} \s*;?", re.VERBOSE)
SELECT = re.compile(
    rf"""select\s+[\w\s,.*()'\[\]:%{{}}]*?\s+from\s+monitoring\.(\w+|\{{[\w.]+\}}) ({ARGUMENTS})?
        (\s+(where|order\s+by|limit)\s.*)?""",
    re.VERBOSE | re.DOTALL,
)
MENTION = re.compile(r"monitoring\.(?=[\w{])")
PROSE = ("monitoring.now",)
# Has what a call is told refused rather than repaired.
SETTINGS = (" from set_config('monitoring.strict', 'on', true)",)
# Nothing but COPY brings a million rows in; who may write there is the owner of the schema.
COPIES = ("copy monitoring.staged_rows (load_id, row_number, cells) from stdin",)


def source_files() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if INSTALLER not in path.parents]


def strings_in(path: Path) -> Iterator[str]:
    """Yield the string constants and f-strings of a file, docstrings left out."""
    tree = ast.parse(path.read_text())
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if id(node) in documentation or id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            yield ast.unparse(node)[2:-1].replace("\\n", "\n")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


# Where statements may stand besides; each calls what nobody else does.
CALLERS = {
    # Recording.
    "client/recording/link.py", "client/backfill/loader.py",
    # What the runner alone may do.
    "runner/worker.py", "runner/supervisor.py", "runner/loader.py", "runner/notifying/outbox.py",
    "outside/sources/calls.py", "outside/sources/sync.py",
    # A page of a view, by its name; whole tables, by kinds; the business of the demonstration.
    "faces/web/listing.py", "faces/export/kinds.py", "demo/stage.py",
}  # fmt: skip


def is_part(text: str) -> bool:
    """Tell whether a text is a condition or an order, which stands within statements."""
    return not re.search(r"\b(select|with|call|insert|update|delete|merge|copy)\b", text)


def is_allowed(statement: str) -> bool:
    text = statement.strip()
    return bool(CALL.fullmatch(text) or (SELECT.fullmatch(text) and text.count(";") == 0))


def statements() -> list[tuple[str, str]]:
    return [
        (path.relative_to(PACKAGE).as_posix(), text)
        for path in source_files()
        for text in strings_in(path)
        if MENTION.search(text) and text not in (*PROSE, *SETTINGS)
    ]


# These tell people what they may type themselves, and send nothing.
ADVICE = {
    "commands/demo.py", "commands/loading.py", "commands/up.py", "faces/terminal/render.py",
}  # fmt: skip


def test_every_statement_is_a_call_with_named_arguments_or_a_select_from_a_view() -> None:
    wrong = [
        f"{name}: {text}"
        for name, text in statements()
        if name not in ADVICE and text not in COPIES and not is_part(text) and not is_allowed(text)
    ]
    assert wrong == []


def test_questions_stand_in_one_place() -> None:
    modules = {name for name, text in statements() if not is_part(text)} - ADVICE
    assert {name for name in modules if not name.startswith("database/queries/")} <= CALLERS


def test_each_statement_stands_once() -> None:
    texts = [" ".join(text.split()) for name, text in statements() if name not in ADVICE]
    assert [text for text, count in Counter(texts).items() if count > 1] == []


def test_modules_that_give_advice_send_nothing() -> None:
    assert [name for name in ADVICE if "execute" in (PACKAGE / name).read_text()] == []


def test_there_is_something_to_look_at() -> None:
    names = {name for name, _ in statements()}
    assert {"client/recording/link.py", "client/backfill/loader.py", "runner/worker.py"} <= names


def test_the_sql_files_of_the_package_do_not_touch_the_schema() -> None:
    files = [path for path in PACKAGE.rglob("*.sql") if INSTALLER not in path.parents]
    own = [path for path in files if "resources" not in path.relative_to(PACKAGE).parts]
    assert own, "the demonstration has one"
    assert [path for path in own if MENTION.search(path.read_text())] == []


@pytest.mark.parametrize(
    "statement",
    [
        "select monitoring.get_dashboard_summary()",
        "select monitoring.record_error(p_task_id => %(task_id)s, p_severity => %(severity)s)",
        "select monitoring.{function}({arguments})",
        "call monitoring.run_due_jobs(p_at_most => %(at_most)s)",
        "select check_name, status from monitoring.self_check()",
        "select * from monitoring.claim_notifications(p_runner => %(runner)s)",
        "select task_id from monitoring.v_active_alerts where not is_open order by 1 limit 3",
        "select * from monitoring.explain_alert(p_alert_id => %(alert_id)s)",
        "select *{more} from monitoring.{view} where {conditions} order by {order}",
    ],
)
def test_what_is_allowed(statement: str) -> None:
    assert is_allowed(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into monitoring.errors values (1)",
        "delete from monitoring.errors",
        "select monitoring.record_error(%s, %s)",
        "select * from monitoring.explain_alert(%s)",
        "select monitoring.record_error(p_task_id => 1); drop table monitoring.errors",
        "select 1 from monitoring.v_x; delete from monitoring.errors",
        "with x as (delete from monitoring.errors returning *) select * from x",
        "update monitoring.active_tasks set task_id = 'x'",
        "call monitoring.run_due_jobs(1)",
        "select * from monitoring.claim_notifications(1)",
        "select 1; select * from monitoring.self_check()",
    ],
)
def test_what_is_not_allowed(statement: str) -> None:
    assert not is_allowed(statement)
