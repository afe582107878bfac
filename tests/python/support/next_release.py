"""A release that comes after this one, made up of this one's files with a change of every kind.

As there is no older release to upgrade from, this is what is upgraded to.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from pgvigil.install.bundle import single_file
from pgvigil.install.files import Code, read_migrations
from pgvigil.resources import migrations_directory, sql_directory

JOB = "count_log_lines"
_TABLES = ("finished_tasks", "errors", "metric_samples", "log_lines", "status_changes")
_FORMER = "record_log(text,text,text,jsonb,text,double precision,timestamptz)"


@dataclass(frozen=True)
class NextRelease:
    """Where the files of the made-up release are."""

    migrations: Path
    manifest: Path

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let `pgvigil migrate` of this process be the made-up release's."""
        monkeypatch.setattr("pgvigil.install.files.migrations_directory", lambda: self.migrations)
        monkeypatch.setattr("pgvigil.install.files.sql_directory", lambda: self.manifest.parent)

    def pending(self) -> list[Path]:
        """Return its migrations that this release does not have, in order."""
        known = {item.migration_id for item in read_migrations()}
        files = read_migrations(self.migrations)
        return [item.path for item in files if item.migration_id not in known]

    def single_file(self) -> str:
        """Return its installation as one file."""
        return single_file(read_migrations(self.migrations), Code(self.manifest))


def make_next_release(directory: Path) -> NextRelease:
    """Write the files of a release whose tables, views and functions differ from ours.

    Its migrations add a column to tables that are partitioned by day, and indexes; its code has a
    function with one more parameter, a view with a column more in the middle and one at the end,
    and a function that is new, with a job that is due at once.
    """
    release = NextRelease(directory / "migrations", directory / "sql" / "install.sql")
    shutil.copytree(migrations_directory(), release.migrations)
    shutil.copytree(sql_directory(), release.manifest.parent)
    newest = read_migrations(release.migrations)[-1].migration_id
    for migration, statements in _migrations().items():
        text = (
            f"-- depends: {newest}\n\nset local lock_timeout = '200ms';\n\n{statements}\n"
            f"insert into monitoring.installed_migrations (migration_id) values ('{migration}');\n"
        )
        (release.migrations / f"{migration}.sql").write_text(text)
        newest = migration
    _give_a_function_a_parameter(release.manifest.parent)
    _give_a_view_columns(release.manifest.parent)
    _make_rows_of_all_columns(release.manifest.parent)
    _add_a_function(release.manifest)
    return release


def _migrations() -> dict[str, str]:
    # One for each table, as a program may have recorded in one and wait for another.
    return {f"09{number}_{table}": _column(table) for number, table in enumerate(_TABLES, 10)} | {
        "0990_log_lines_level": """
            create index late_log_lines_level_ix on monitoring.late_log_lines (level);
            create index log_lines_level_ix on monitoring.log_lines (level);
        """,
    }


def _column(table: str) -> str:
    # Whoever records reads the view, and must not wait until the code has been loaded. All that is
    # changed is locked in the order in which readers of the view lock it.
    return f"""
        do $$
        begin
            if to_regclass('monitoring._all_{table}') is not null then
                lock table monitoring._all_{table} in access exclusive mode;
            end if;
        end
        $$;
        alter table monitoring.{table} add column region text;
        alter table monitoring.late_{table} add column region text;
        comment on column monitoring.{table}.region is 'Where it was.';
        comment on column monitoring.late_{table}.region is 'Where it was.';
        -- Days that are there; those to come take it from the table.
        do $$
        declare
            v_day regclass;
        begin
            for v_day in
                select i.inhrelid::regclass from pg_inherits i
                where i.inhparent = 'monitoring.{table}'::regclass
            loop
                execute format('comment on column %s.region is %L', v_day, 'Where it was.');
            end loop;
        end
        $$;
        create or replace view monitoring._all_{table} as
        select t.* from monitoring.{table} t union all select l.* from monitoring.late_{table} l;
        comment on view monitoring._all_{table} is
        'Rows of {table}, those that wait to be placed included.';
    """


def _give_a_function_a_parameter(sql: Path) -> None:
    drop = f"do $$ begin perform monitoring._drop_former('{_FORMER}'); end $$;\n\n"
    begin = "create or replace function monitoring.record_log(\n"
    path = _file_with(sql, begin)
    before, after = path.read_text().split(begin)
    after = after.replace(
        "p_logged_at timestamptz default null\n",
        "p_logged_at timestamptz default null,\n    p_host text default null\n",
        1,
    )
    after = after.replace("p_level, p_message, p_details,", _WITH_HOST, 1)
    after = after.replace("double precision, timestamptz\n) is", _SIGNATURE, 1)
    assert _WITH_HOST in after
    assert _SIGNATURE in after
    path.write_text(before + drop + begin + after)


_SIGNATURE = "double precision, timestamptz, text\n) is"
_WITH_HOST = (
    "p_level, p_message,\n    case when p_host is null then p_details"
    " else coalesce(p_details, '{}') || jsonb_build_object('host', p_host) end,"
)


def _give_a_view_columns(sql: Path) -> None:
    begin = "create or replace view monitoring.v_application_logs as\nselect\n"
    path = _file_with(sql, begin)
    before, after = path.read_text().split(begin)
    select, rest = after.split("\nfrom ", 1)
    first, others = select.split(",\n", 1)
    path.write_text(
        f"{before}drop view if exists monitoring.v_application_logs;\n{begin}{first},\n"
        f"    l.region as log_region,\n{others},\n    l.region\nfrom {rest}"
    )


def _make_rows_of_all_columns(sql: Path) -> None:
    end = "\n)::monitoring.status_changes;"
    path = _file_with(sql, end)
    path.write_text(path.read_text().replace(end, f", null{end}"))


def _add_a_function(manifest: Path) -> None:
    (manifest.parent / "next_release.sql").write_text(
        f"create or replace function monitoring.{JOB}() returns bigint\nlanguage sql\nstable\n"
        "return (select count(region) from monitoring._all_log_lines);\n\n"
        f"comment on function monitoring.{JOB}() is 'Number of log lines that say where.';\n\n"
        f"call monitoring._ship_job('{JOB}', 'Counts.', '1 hour', 'monitoring.{JOB}');\n"
    )
    lines = manifest.read_text()
    assert "\\ir grants.sql\n" in lines
    manifest.write_text(lines.replace("\\ir grants", "\\ir next_release.sql\n\\ir grants"))


def _file_with(sql: Path, text: str) -> Path:
    paths = [path for path in sql.rglob("*.sql") if text in path.read_text()]
    assert len(paths) == 1, f"{len(paths)} files have what the made-up release changes: {text}"
    return paths[0]


def former_signatures(sql: Path) -> list[str]:
    """Return the signatures of functions that code drops before it makes them anew."""
    drop = re.compile(r"perform monitoring\._drop_former\((.*?)\);", re.DOTALL)
    calls = [call for path in sql.rglob("*.sql") for call in drop.findall(path.read_text())]
    return [signature for call in calls for signature in re.findall(r"'(\w+\([^']*\))'", call)]
