-- depends: 0015_indexed_ranges

-- What v_task_trends shows of spans that are over, so that nothing is merged when it is read. Work
-- that can be done again: whatever is not here is merged from roll-ups.

set local lock_timeout = '200ms';

create table monitoring.task_trends (
    resolution text not null,
    bucket_at timestamptz not null,
    task_type text not null,
    tasks bigint not null,
    completed bigint not null,
    failed bigint not null,
    durations bigint not null,
    duration_sum double precision not null,
    min_duration_ms double precision,
    max_duration_ms double precision,
    percentiles double precision[],
    constraint task_trends_pk primary key (resolution, bucket_at, task_type)
);

comment on table monitoring.task_trends is
'Attempts that ended, by hour, day, week and month, of spans that are over, by task type.';
comment on column monitoring.task_trends.resolution is
'hour, day, week or month.';
comment on column monitoring.task_trends.bucket_at is
'Beginning of the span in UTC; weeks begin on Monday.';
comment on column monitoring.task_trends.task_type is
'What kind of work it was.';
comment on column monitoring.task_trends.tasks is
'Attempts that ended.';
comment on column monitoring.task_trends.completed is
'Attempts that completed.';
comment on column monitoring.task_trends.failed is
'Attempts that failed, timed out or got lost.';
comment on column monitoring.task_trends.durations is
'Attempts whose duration is known.';
comment on column monitoring.task_trends.duration_sum is
'Sum of their milliseconds.';
comment on column monitoring.task_trends.min_duration_ms is
'Milliseconds that the shortest took.';
comment on column monitoring.task_trends.max_duration_ms is
'Milliseconds that the longest took.';
comment on column monitoring.task_trends.percentiles is
'Milliseconds that 50, 95 and 99 % of them did not exceed, within 2.5 %; null when there are none.';

create table monitoring.trend_progress (
    resolution text not null,
    settled_to_at timestamptz not null default '-infinity',
    constraint trend_progress_pk primary key (resolution),
    constraint trend_progress_resolution_is_known_ck check (
        resolution in ('hour', 'day', 'week', 'month')
    )
);

comment on table monitoring.trend_progress is
'How far task_trends goes.';
comment on column monitoring.trend_progress.resolution is
'hour, day, week or month.';
comment on column monitoring.trend_progress.settled_to_at is
'Spans that begin before this are in task_trends; those in unsettled_spans as they once were.';

insert into monitoring.trend_progress (resolution) values ('hour'), ('day'), ('week'), ('month');

create table monitoring.unsettled_spans (
    resolution text not null,
    bucket_at timestamptz not null,
    constraint unsettled_spans_pk primary key (resolution, bucket_at)
);

comment on table monitoring.unsettled_spans is
'Spans in task_trends whose roll-ups have changed since.';
comment on column monitoring.unsettled_spans.resolution is
'hour, day, week or month.';
comment on column monitoring.unsettled_spans.bucket_at is
'Beginning of the span in UTC.';

insert into monitoring.installed_migrations (migration_id) values ('0016_task_trends');
