"""Calls about business records: what is invalid, statuses, products, runs of programs, days."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from pgvigil.client.recording.recorder import Recorder
from pgvigil.client.recording.values import as_rows, how_many

Records = Iterable[str | Mapping[str, Any]]
Counts = dict[str, Any]

_CHANGES = ("new", "changed", "gone", "late")


class RecordCalls(Recorder):
    """The methods of `MonitoringClient` that tell about records, named by dataset and key.

    They return what was counted, by name, or None where nothing could be recorded. With
    ``is_dry_run`` they return what would be counted, and nothing is kept.
    """

    def log_invalid_records(
        self,
        dataset: str,
        records: Records,
        validation_type: str,
        alerted_count: int = 0,
        *,
        target_date: date | None = None,
        task_id: str | None = None,
        detected_at: datetime | None = None,
        is_dry_run: bool = False,
    ) -> Counts | None:
        """Tell which records failed a validation.

        Args:
            dataset: what they are records of.
            records: their keys, or mappings with record_key; value, group, message, details,
                target_date, detected_at and alerted where known.
            validation_type: which validation.
            alerted_count: so many of them, from the first, people were told of.
            target_date: day that was looked at; today in the dataset's time zone when None.
            task_id: task that found them.
            detected_at: when they were found; now when None.
            is_dry_run: keep nothing.

        Returns:
            How many were opened, reopened, touched, accepted (by people, and found as they were), …
        """
        rows = as_rows(records)
        return self._counts(
            "log_invalid_records",
            at_stake=how_many(rows),
            dataset=dataset,
            records=rows,
            validation_type=validation_type,
            alerted_count=alerted_count,
            target_date=target_date,
            task_id=task_id,
            detected_at=detected_at,
            is_dry_run=is_dry_run,
        )

    def sync_invalid_records(
        self,
        dataset: str,
        validation_type: str,
        scope: Mapping[str, Any],
        failing: Records,
        *,
        task_id: str | None = None,
        at: datetime | None = None,
        is_dry_run: bool = False,
    ) -> Counts | None:
        """Tell what a validation of some records found: who fails is invalid, who does not, is not.

        Args:
            dataset: what they are records of.
            validation_type: which validation.
            scope: what was examined: ``{"keys": […]}``, ``{"target_date": day}``,
                ``{"from": day, "to": day}``, ``{"group": name}``, several of these, or
                ``{"all": True}``. Records outside it stay as they are.
            failing: those that failed, as for `log_invalid_records`.
            task_id: task that examined them.
            at: when it did; now when None. What was found later stays invalid.
            is_dry_run: keep nothing.

        Returns:
            How many were opened, reopened, touched, resolved, …
        """
        rows = as_rows(failing)
        return self._counts(
            "sync_invalid_records",
            at_stake=how_many(rows),
            dataset=dataset,
            validation_type=validation_type,
            scope=scope,
            failing_keys=rows,
            task_id=task_id,
            at=at,
            is_dry_run=is_dry_run,
        )

    def auto_resolve_invalid_records(
        self,
        dataset: str,
        target_date: date,
        *,
        checked_since: datetime | None = None,
        validation_type: str | None = None,
        is_dry_run: bool = False,
    ) -> Counts | None:
        """Resolve the invalid records of a day that a complete check did not find again.

        Args:
            dataset: what they are records of.
            target_date: day that was checked.
            checked_since: when the check began; the beginning of the newest complete run that
                was told of (`log_program_execution`) when None.
            validation_type: only those of this validation; all when None.
            is_dry_run: keep nothing.
        """
        return self._counts(
            "auto_resolve_invalid_records",
            dataset=dataset,
            target_date=target_date,
            checked_since=checked_since,
            validation_type=validation_type,
            is_dry_run=is_dry_run,
        )

    def resolve_invalid_records(
        self,
        dataset: str,
        record_keys: Iterable[str],
        resolution: str = "manual",
        reason: str | None = None,
        *,
        validation_type: str | None = None,
        is_dry_run: bool = False,
    ) -> Counts | None:
        """Resolve invalid records by decision; this takes the rights of an operator.

        Args:
            dataset: what they are records of.
            record_keys: which ones.
            resolution: manual, superseded or gone.
            reason: why.
            validation_type: only those of this validation; all when None.
            is_dry_run: keep nothing.
        """
        rows = [record_keys] if isinstance(record_keys, str | int) else as_rows(record_keys)
        return self._counts(
            "resolve_invalid_records",
            at_stake=how_many(rows),
            dataset=dataset,
            record_keys=rows,
            resolution=resolution,
            reason=reason,
            validation_type=validation_type,
            is_dry_run=is_dry_run,
        )

    def track_status_changes(
        self,
        dataset: str,
        records: Iterable[Mapping[str, Any]] | date | str,
        change_source: str | None = None,
        *,
        actor: str | None = None,
        task_id: str | None = None,
        is_dry_run: bool = False,
    ) -> Counts | None:
        """Tell the statuses of records; what differs from what is known becomes history.

        Args:
            dataset: what they are records of.
            records: mappings with record_key and status; effective_at, actor, change_source and
                details where known. Or a day, as a date or written as 2026-01-15, whose records are
                read from all their sources, as `track_all_status_changes_from_source` reads one.
            change_source: SYSTEM, BOT, AUTO_RESOLVE, MONITOR, MANUAL or one of your own; MONITOR
                when None, and for a day what its sources say.
            actor: who changed those that name nobody; not for a day.
            task_id: task that tells of it.
            is_dry_run: keep nothing.

        Returns:
            How many were compared, unchanged, new, changed, …
        """
        if isinstance(records, date | str):
            return self._counts(
                "track_status_changes",
                at_stake=0,
                dataset=dataset,
                target_date=records,
                change_source=change_source,
                task_id=task_id,
                is_dry_run=is_dry_run,
            )
        rows = as_rows(records)
        return self._counts(
            "track_status_changes",
            at_stake=how_many(rows),
            dataset=dataset,
            records=rows,
            change_source=change_source or "MONITOR",
            actor=actor,
            task_id=task_id,
            is_dry_run=is_dry_run,
        )

    def track_all_status_changes_from_source(
        self,
        source_name: str,
        target_date: date | None = None,
        change_source: str | None = None,
        *,
        task_id: str | None = None,
        is_dry_run: bool = False,
    ) -> int | None:
        """Compare all records of a registered source with their known statuses.

        Where the rows come with a query in another database, this runs it there, as ``pgvigil
        sync`` does: it takes the role monitoring_admin, the address of that database in the
        environment or in the file that ``PGVIGIL_SECRETS`` names, and as long as the query.

        Args:
            source_name: which source.
            target_date: only its records of this day; all when None.
            change_source: of what the source does not say it of; the source's own when None.
            task_id: task that compares.
            is_dry_run: keep nothing.

        Returns:
            How many changes were recorded, new records and those that are gone among them; None
            when the source could not be read.
        """
        return self._ask(
            "track_all_status_changes_from_source",
            taken_as=lambda counts: sum(counts[kind] for kind in _CHANGES),
            at_stake=0,
            source_name=source_name,
            target_date=target_date,
            change_source=change_source,
            task_id=task_id,
            is_dry_run=is_dry_run,
        )

    def sync_record_source(
        self,
        source_name: str,
        target_date: date | None = None,
        change_source: str | None = None,
        *,
        task_id: str | None = None,
        is_dry_run: bool = False,
    ) -> Counts | None:
        """Do what `track_all_status_changes_from_source` does, and return all that was counted.

        Returns:
            How many records were compared, unchanged, new, changed, gone, late, …
        """
        return self._counts(
            "track_all_status_changes_from_source",
            at_stake=0,
            source_name=source_name,
            target_date=target_date,
            change_source=change_source,
            task_id=task_id,
            is_dry_run=is_dry_run,
        )

    def track_record_products(
        self,
        dataset: str,
        records: Iterable[Mapping[str, Any]],
        *,
        task_id: str | None = None,
        is_dry_run: bool = False,
    ) -> Counts | None:
        """Tell which products records have; those of the named records that are missing go.

        Args:
            dataset: what they are records of.
            records: mappings with record_key and products: names, or mappings with product,
                quantity, amount and details.
            task_id: task that tells of it.
            is_dry_run: keep nothing.
        """
        rows = as_rows(records)
        return self._counts(
            "track_record_products",
            at_stake=how_many(rows),
            dataset=dataset,
            records=rows,
            task_id=task_id,
            is_dry_run=is_dry_run,
        )

    def log_program_execution(
        self,
        dataset: str,
        target_date: date,
        stats: Mapping[str, float],
        execution_time: timedelta | float | None = None,
        run_mode: str = "full",
        *,
        task_id: str | None = None,
        finished_at: datetime | None = None,
        status: str = "completed",
        error_message: str | None = None,
        is_dry_run: bool = False,
    ) -> str | None:
        """Tell of a run, now ended, of a program that watches records.

        Args:
            dataset: what it watches.
            target_date: day that it looked at.
            stats: total_records_queried, valid_records, ``invalid_*``, records_stored,
                ``alerts_sent_*`` and numbers of your own.
            execution_time: how long it took, as such or in seconds.
            run_mode: full when it looked at all records of the day, else partial, dry_run or a
                word of your own.
            task_id: running task that this was; when None, the run gets a name of its own.
            finished_at: when it ended; now when None.
            status: completed, failed, cancelled, timeout or lost.
            error_message: why it failed.
            is_dry_run: keep nothing.

        Returns:
            The run's task_id; in a dry run, as JSON, the row of ``processing_log`` that there
            would be and whether it ``is_new``.
        """
        return self._text(
            "log_program_execution",
            dataset=dataset,
            target_date=target_date,
            stats=stats,
            execution_time=execution_time,
            run_mode=run_mode,
            task_id=task_id,
            finished_at=finished_at,
            status=status,
            error_message=error_message,
            is_dry_run=is_dry_run,
        )

    def update_daily_summary(
        self, dataset: str, target_date: date, *, is_dry_run: bool = False
    ) -> Counts | None:
        """Count a day of a dataset anew, late data included.

        Returns:
            The row of ``daily_summary``.
        """
        return self._counts(
            "update_daily_summary", dataset=dataset, target_date=target_date, is_dry_run=is_dry_run
        )

    def cleanup_old_monitoring_data(
        self, retention_days: int = 30, *, dataset: str | None = None, is_dry_run: bool = False
    ) -> dict[str, int]:
        """Remove what is old of records, whatever the policies say; for operators.

        What is open stays, and so do the statuses that records have. About 100,000 rows go at a
        time: what is left goes with the next call.

        Args:
            retention_days: remove what is older than so many days, from 1 up.
            dataset: of these records; of all when None.
            is_dry_run: keep everything.

        Returns:
            How many rows were removed, by view; empty when nothing could be.
        """
        given = {"retention_days": retention_days, "dataset": dataset, "is_dry_run": is_dry_run}
        return self._asking.ask(
            "cleanup_old_monitoring_data", given, taken_as=dict[str, int], at_stake=0, otherwise={}
        )
