"""Records: what is invalid, what changed, and how the programs did that look at them."""

from grafana.description.board import Board, Row, choice, link_to, words
from grafana.description.panels import by_day, columns, counts, listing, numbers, shares
from grafana.description.queries import OTHER, greatest, noon_of

CHOSEN = "dataset in ($dataset)"
RECORD_LINK = link_to("records", "record_key", "record_key")
DAYS = "$__timeFilter(target_date) and dataset in ($dataset)"
NOON = noon_of("target_date")

BOARD = Board(
    name="records",
    title="Records",
    about="Which records are invalid, how statuses change, and how the programs did that look.",
    since="now-30d",
    variables=[
        choice(
            "dataset",
            "Dataset",
            """
            select dataset from monitoring.daily_summary
            union
            select dataset from monitoring.v_datasets
            union
            select dataset from monitoring.v_top_issues
            order by dataset
            """,
        ),
        words("record_key", "Record"),
    ],
    rows=[
        Row(
            "Now",
            [
                numbers(
                    "Invalid records",
                    "Records that fail a validation now, and those that an alert went out for.",
                    f"""
                    select
                        coalesce(sum(open_records), 0) as invalid,
                        coalesce(sum(alerted_records), 0) as alerted
                    from monitoring.v_top_issues
                    where {CHOSEN}
                    """,
                ),
                numbers(
                    "Oldest invalid record",
                    "For how long the record has failed a validation that has for longest.",
                    f"""
                    select extract(epoch from monitoring.clock() - min(oldest_opened_at))
                        as oldest_seconds
                    from monitoring.v_top_issues
                    where {CHOSEN}
                    """,
                    width=3,
                ),
                numbers(
                    "Average resolution time",
                    "How long records stayed invalid on average, of all that is kept.",
                    f"""
                    select sum(avg_seconds * resolved_records) / nullif(sum(resolved_records), 0)
                        as average_seconds
                    from monitoring.v_resolution_times
                    where {CHOSEN}
                    """,
                    width=3,
                ),
                numbers(
                    "Programs, 24 h",
                    "Runs of programs that ended in the last 24 hours, and those that failed.",
                    f"""
                    select
                        count(*) as runs,
                        count(*) filter (where status <> 'completed') as failed
                    from monitoring.processing_log
                    where finished_at > monitoring.clock() - interval '1 day' and {CHOSEN}
                    """,
                ),
                numbers(
                    "Datasets",
                    "Datasets with records that fail a validation now.",
                    f"""
                    select count(distinct dataset) as datasets
                    from monitoring.v_top_issues
                    where {CHOSEN}
                    """,
                    width=3,
                ),
                numbers(
                    "Status changes, 24 h",
                    "Changes of status that were recorded in the last 24 hours.",
                    f"""
                    select count(*) as changes
                    from monitoring.status_history
                    where recorded_at > monitoring.clock() - interval '1 day' and {CHOSEN}
                    """,
                    width=3,
                ),
                shares(
                    "Current status overview",
                    "Records by the status that they have now: the nine with most by name.",
                    f"""
                    select
                        case when place < 10 then status else '{OTHER}' end as status,
                        sum(records)::bigint as records
                    from (
                        select
                            coalesce(status, 'gone') as status,
                            count(*) as records,
                            row_number() over (order by count(*) desc, status) as place
                        from monitoring.v_record_status
                        where {CHOSEN}
                        group by status
                    ) as counted
                    group by 1
                    order by records desc
                    """,
                ),
                columns(
                    "Invalid records by type",
                    "Records that fail a validation now, of the ten validations with most.",
                    f"""
                    select validation_type, sum(open_records) as records
                    from monitoring.v_top_issues
                    where {CHOSEN}
                    group by validation_type
                    order by records desc
                    limit 10
                    """,
                    by="validation_type",
                ),
                columns(
                    "Top issues by group",
                    "Groups, such as assignors or branches, with the most records that fail now.",
                    f"""
                    select coalesce(group_name, 'none') as group_name, sum(open_records) as records
                    from monitoring.v_top_issues
                    where {CHOSEN}
                    group by group_name
                    order by records desc
                    limit 10
                    """,
                    by="group_name",
                ),
            ],
        ),
        Row(
            "By day",
            [
                by_day(
                    "Processing trend",
                    "Records that the last complete run of each day looked at.",
                    f"""
                    select
                        {NOON} as time,
                        sum(records_queried) as queried,
                        sum(valid_records) as valid,
                        sum(invalid_records) as invalid
                    from monitoring.daily_summary
                    where {DAYS}
                    group by target_date
                    order by time
                    """,
                ),
                counts(
                    "Invalid records",
                    "Records found invalid and resolved during the day.",
                    f"""
                    select
                        {NOON} as time,
                        sum(invalid_opened) as invalid,
                        sum(invalid_resolved) as resolved
                    from monitoring.daily_summary
                    where {DAYS}
                    group by target_date
                    order by time
                    """,
                ),
                by_day(
                    "Open invalid records",
                    "Records that failed a validation when the day ended.",
                    f"""
                    select {NOON} as time, sum(invalid_open) as open
                    from monitoring.daily_summary
                    where {DAYS}
                    group by target_date
                    order by time
                    """,
                ),
                by_day(
                    "Alert volume",
                    "Alerts that programs sent about records, by the day they looked at and type.",
                    f"""
                    select
                        {noon_of("l.target_date")} as time,
                        upper(regexp_replace(s.key, '^alerts_sent_?', '')) as metric,
                        sum(s.value::numeric) as alerts
                    from monitoring.processing_log as l
                    cross join lateral jsonb_each_text(l.statistics) as s (key, value)
                    where
                        $__timeFilter(l.finished_at)
                        and l.dataset in ($dataset)
                        and starts_with(s.key, 'alerts_sent')
                    group by l.target_date, metric
                    order by time, metric
                    """,
                    is_area=True,
                ),
                counts(
                    "Status changes",
                    "Changes of status during the day, by dataset: the eight with most by name.",
                    greatest(f"""
                    select {NOON} as time, dataset as name, status_changes as value
                    from monitoring.daily_summary
                    where {DAYS}
                    """),
                ),
                by_day(
                    "Execution performance",
                    "How long programs ran, when they ended, by dataset.",
                    f"""
                    select finished_at as time, dataset as metric, execution_seconds
                    from monitoring.processing_log
                    where $__timeFilter(finished_at) and {CHOSEN}
                    order by time
                    """,
                    unit="dthms",
                ),
            ],
        ),
        Row(
            "Groups and validations",
            [
                listing(
                    "Top issues",
                    "Groups and validations with the most records that fail now.",
                    f"""
                    select
                        open_records, group_name, validation_type, oldest_opened_at, dataset
                    from monitoring.v_top_issues
                    where {CHOSEN}
                    order by open_records desc, oldest_opened_at
                    limit 50
                    """,
                    width=12,
                    empty="No record fails a validation",
                ),
                listing(
                    "Resolution times",
                    "How long records stayed invalid, by validation and how it ended; of all that "
                    "is kept.",
                    f"""
                    select
                        validation_type, resolution, p50_seconds, p95_seconds, resolved_records
                    from monitoring.v_resolution_times
                    where {CHOSEN}
                    order by p95_seconds desc nulls last
                    limit 50
                    """,
                    width=12,
                    empty="No record was resolved yet",
                ),
            ],
        ),
        Row(
            "Single records",
            [
                listing(
                    "Invalid records",
                    "Records that fail a validation now, found last first.",
                    f"""
                    select
                        record_key, validation_type, message, group_name, reported_value,
                        opened_at, last_detected_at, times_detected, is_alerted, dataset
                    from monitoring.invalid_records
                    where status = 'open' and {CHOSEN}
                    order by last_detected_at desc
                    limit 200
                    """,
                    links={"record_key": RECORD_LINK},
                    empty="No record fails a validation",
                ),
                listing(
                    "Recent status changes",
                    "Changes of status that were recorded on the last day shown, newest first.",
                    f"""
                    select
                        recorded_at, record_key, from_status, to_status, change_source, actor,
                        nullif(validation_type, '') as validation_type, dataset
                    from monitoring.status_history
                    where
                        $__timeFilter(recorded_at)
                        and recorded_at >= $__timeTo()::timestamptz - interval '1 day'
                        and {CHOSEN}
                    order by recorded_at desc
                    limit 200
                    """,
                    links={"record_key": RECORD_LINK},
                    empty="No status changed on the last day shown",
                ),
            ],
            is_folded=True,
        ),
        Row(
            "Runs of programs",
            [
                listing(
                    "Program runs",
                    "Runs of programs that ended in the time shown: those that failed first, then "
                    "the newest.",
                    f"""
                    select
                        status, dataset, error_message, target_date::text as target_date,
                        finished_at, execution_seconds, total_records_queried, invalid_records,
                        alerts_sent, run_mode
                    from monitoring.processing_log
                    where $__timeFilter(finished_at) and {CHOSEN}
                    order by status = 'completed', finished_at desc
                    limit 200
                    """,
                    empty="No program ran in the time shown",
                ),
            ],
            is_folded=True,
        ),
        Row(
            "One record",
            [
                listing(
                    "One record",
                    "All that is known of the record named above, newest first.",
                    f"""
                    select t.happened_at, t.kind, t.summary, t.details, d.dataset
                    from (
                        select dataset from monitoring.v_record_status
                        where record_key = ${{record_key:sqlstring}} and {CHOSEN}
                        union
                        select dataset from monitoring.invalid_records
                        where record_key = ${{record_key:sqlstring}} and {CHOSEN}
                    ) as d
                    cross join lateral monitoring.get_record_timeline(
                        d.dataset, ${{record_key:sqlstring}}
                    ) as t
                    order by t.happened_at desc
                    """,
                    empty="Give the name of a record above",
                ),
            ],
            is_folded=True,
        ),
    ],
)
