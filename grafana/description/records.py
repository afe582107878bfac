"""Records: what is invalid, what changed, and how the programs did that look at them."""

from grafana.description.board import Board, Row, choice, link_to, words
from grafana.description.panels import areas, columns, graph, listing, numbers, shares

CHOSEN = "dataset in ($dataset)"
RECORD_LINK = link_to("records", "record_key", "record_key")
DAYS = "$__timeFilter(target_date) and dataset in ($dataset)"

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
                    "Records that fail a validation now, those that people were told of, and for "
                    "how long the oldest has.",
                    f"""
                    select
                        coalesce(sum(open_records), 0) as invalid,
                        coalesce(sum(alerted_records), 0) as told,
                        extract(epoch from monitoring.clock() - min(oldest_opened_at))
                            as oldest_seconds
                    from monitoring.v_top_issues
                    where {CHOSEN}
                    """,
                    width=18,
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
                ),
                shares(
                    "Current status overview",
                    "Records by the status that they have now.",
                    f"""
                    select coalesce(status, 'gone') as status, count(*) as records
                    from monitoring.v_record_status
                    where {CHOSEN}
                    group by status
                    order by records desc
                    """,
                ),
                columns(
                    "Invalid records by type",
                    "Records that fail a validation now, by validation.",
                    f"""
                    select validation_type, sum(open_records) as records
                    from monitoring.v_top_issues
                    where {CHOSEN}
                    group by validation_type
                    order by records desc
                    limit 20
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
                graph(
                    "Processing trend",
                    "Records that the last complete run of each day looked at.",
                    f"""
                    select
                        target_date::timestamptz as time,
                        sum(records_queried) as queried,
                        sum(valid_records) as valid,
                        sum(invalid_records) as invalid
                    from monitoring.daily_summary
                    where {DAYS}
                    group by target_date
                    order by time
                    """,
                ),
                graph(
                    "Invalid records",
                    "Records found invalid and resolved during the day, and open when it ended.",
                    f"""
                    select
                        target_date::timestamptz as time,
                        sum(invalid_opened) as found,
                        sum(invalid_resolved) as resolved,
                        sum(invalid_open) as open
                    from monitoring.daily_summary
                    where {DAYS}
                    group by target_date
                    order by time
                    """,
                ),
                areas(
                    "Alert volume",
                    "Alerts that programs sent about records, by the day they looked at and type.",
                    """
                    select
                        l.target_date::timestamptz as time,
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
                ),
                graph(
                    "Status changes",
                    "Changes of status during the day, by dataset.",
                    f"""
                    select
                        target_date::timestamptz as time,
                        dataset as metric,
                        status_changes
                    from monitoring.daily_summary
                    where {DAYS}
                    order by time
                    """,
                    is_stacked=True,
                ),
            ],
        ),
        Row(
            "How long and how well",
            [
                listing(
                    "Resolution times",
                    "How long records stayed invalid, by validation and how it ended; of all that "
                    "is kept.",
                    f"""
                    select
                        dataset, validation_type, resolution, resolved_records, avg_seconds,
                        p50_seconds, p95_seconds, open_records, oldest_opened_at
                    from monitoring.v_resolution_times
                    where {CHOSEN}
                    order by p95_seconds desc nulls last
                    """,
                    width=12,
                ),
                graph(
                    "Execution performance",
                    "How long programs ran, when they ended, by dataset.",
                    f"""
                    select finished_at as time, dataset as metric, execution_seconds
                    from monitoring.processing_log
                    where $__timeFilter(finished_at) and {CHOSEN}
                    order by time
                    """,
                    unit="s",
                ),
                listing(
                    "Program runs",
                    "Runs of programs that ended in the time shown, newest first.",
                    f"""
                    select
                        finished_at, dataset, target_date::text as target_date, run_mode, status,
                        execution_seconds, total_records_queried, valid_records, invalid_records,
                        records_stored, alerts_sent, error_message
                    from monitoring.processing_log
                    where $__timeFilter(finished_at) and {CHOSEN}
                    order by finished_at desc
                    limit 200
                    """,
                ),
            ],
        ),
        Row(
            "Records",
            [
                listing(
                    "Top issues",
                    "Groups and validations with the most records that fail now.",
                    f"""
                    select
                        group_name, validation_type, dataset, open_records, alerted_records,
                        oldest_opened_at
                    from monitoring.v_top_issues
                    where {CHOSEN}
                    order by open_records desc, oldest_opened_at
                    limit 50
                    """,
                ),
                listing(
                    "Invalid records",
                    "Records that fail a validation now, found last first.",
                    f"""
                    select
                        record_key, dataset, validation_type, group_name, reported_value, message,
                        opened_at, last_detected_at, times_detected, times_reopened, is_alerted
                    from monitoring.invalid_records
                    where status = 'open' and {CHOSEN}
                    order by last_detected_at desc
                    limit 200
                    """,
                    links={"record_key": RECORD_LINK},
                ),
                listing(
                    "Recent status changes",
                    "Changes of status that were recorded on the last day shown, newest first.",
                    f"""
                    select
                        recorded_at, dataset, record_key, from_status, to_status, change_source,
                        actor, nullif(validation_type, '') as validation_type
                    from monitoring.status_history
                    where
                        $__timeFilter(recorded_at)
                        and recorded_at >= $__timeTo()::timestamptz - interval '1 day'
                        and {CHOSEN}
                    order by recorded_at desc
                    limit 200
                    """,
                    links={"record_key": RECORD_LINK},
                ),
                listing(
                    "One record",
                    "All that is known of the record named above, newest first.",
                    f"""
                    select t.happened_at, d.dataset, t.kind, t.summary, t.details
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
                ),
            ],
        ),
    ],
)
