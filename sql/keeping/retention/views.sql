-- Reading how long rows are kept, and whether they go in time.

create or replace view monitoring.v_retention as
select
    r.table_name,
    coalesce(p.category, '') as category,
    p.keep,
    k.kept_from_at,
    p.removed_before,
    case
        when p.keep is not null
            then greatest(
                    date_part(
                        'epoch',
                        k.kept_from_at
                        - greatest(d.oldest_ends_at, p.removed_before)
                    ),
                    0
                )
    end as seconds_behind,
    case when r.is_partitioned then coalesce(d.partitions, 0) end as partitions,
    d.oldest_day_at,
    t.days_ahead,
    p.changed_by,
    p.changed_at,
    t.changed_by as days_ahead_changed_by,
    t.changed_at as days_ahead_changed_at
from monitoring._retained_tables as r
left join monitoring.retention_policies as p on r.table_name = p.table_name
left join monitoring.partitioned_tables as t on r.table_name = t.table_name
left join monitoring._counted_days as d
    on r.is_partitioned and to_regclass('monitoring.' || r.table_name) = d.table_id
cross join (select monitoring.clock() as now) as n
cross join lateral (select monitoring._kept_from(p.keep, n.now) as kept_from_at) as k;

comment on view monitoring.v_retention is
'How long rows are kept, by table and category, and how far they have been removed.';
comment on column monitoring.v_retention.table_name is
'Table in schema monitoring.';
comment on column monitoring.v_retention.category is
'Severity of errors, type of tasks, level of log lines, resolution of roll-ups; empty for all rows '
'that no other policy names.';
comment on column monitoring.v_retention.keep is
'Age at which rows are removed; null when they are kept for ever.';
comment on column monitoring.v_retention.kept_from_at is
'Rows older than this are due; whole days go when their last row is.';
comment on column monitoring.v_retention.removed_before is
'Rows older than this have been removed, but for late ones; null when none were.';
comment on column monitoring.v_retention.seconds_behind is
'Seconds for which rows have been due that are still there; null when rows are kept for ever.';
comment on column monitoring.v_retention.partitions is
'Number of days that have a partition; null for a table without partitions by day.';
comment on column monitoring.v_retention.oldest_day_at is
'Beginning of the oldest of them.';
comment on column monitoring.v_retention.days_ahead is
'Number of days after today that partitions are made for.';
comment on column monitoring.v_retention.changed_by is
'Who set how long rows are kept; null as shipped.';
comment on column monitoring.v_retention.changed_at is
'When that was; null as shipped.';
comment on column monitoring.v_retention.days_ahead_changed_by is
'Who set how many days ahead there are partitions for; null as shipped.';
comment on column monitoring.v_retention.days_ahead_changed_at is
'When that was; null as shipped.';
