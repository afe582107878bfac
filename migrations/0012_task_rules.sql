-- depends: 0011_alerts
-- squawk-ignore-file require-concurrent-index-creation

-- The built-in rules about tasks, and which runs are expected when. The table that gets an index is
-- small.

set local lock_timeout = '5s';

-- What a rule asks of tasks that have not succeeded since, without reading history.
alter table monitoring.unsuccessful_attempts
add column task_type text;
alter table monitoring.unsuccessful_attempts
add column status text;

comment on column monitoring.unsuccessful_attempts.task_type is
'What kind of work it was; null for attempts that ended before this was noted.';
comment on column monitoring.unsuccessful_attempts.status is
'failed, cancelled, timeout or lost; null for attempts that ended before this was noted.';

-- Rules look back a day.
update monitoring.unsuccessful_attempts
set task_type = t.task_type, status = t.status
from monitoring.finished_tasks as t
where unsuccessful_attempts.finished_at > now() - interval '2 days'
    and t.finished_at > now() - interval '2 days'
    and t.task_id = unsuccessful_attempts.task_id
    and t.finished_at = unsuccessful_attempts.finished_at
    and t.attempt = unsuccessful_attempts.attempt;

-- Serves the rule about failed tasks, and retention.
create index unsuccessful_attempts_time_ix on monitoring.unsuccessful_attempts (finished_at);

-- It is given type and status as well. Until the new code is loaded the old calls it without these:
-- no task may fail to end in between.
do $$
begin
    if to_regprocedure('monitoring._remember_attempt(text,integer,timestamptz)') is not null then
        drop function monitoring._remember_attempt (text, integer, timestamptz);
        create function monitoring._remember_attempt(
            p_task_id text,
            p_attempt integer,
            p_finished_at timestamptz,
            p_task_type text default null,
            p_status text default null
        )
        returns void
        language plpgsql
        volatile
        set search_path = pg_catalog, pg_temp
        as $body$
        begin
            insert into monitoring.unsuccessful_attempts (
                task_id, attempt, finished_at, task_type, status
            )
            values (p_task_id, p_attempt, p_finished_at, p_task_type, p_status)
            on conflict (task_id) do update
                set
                    attempt = excluded.attempt,
                    finished_at = excluded.finished_at,
                    task_type = excluded.task_type,
                    status = excluded.status;
        end
        $body$;
    end if;
end
$$;

create table monitoring.expected_runs (
    task_type text not null,
    schedule text not null,
    time_zone text not null default 'UTC',
    grace_seconds double precision not null default 300,
    early_seconds double precision not null default 60,
    is_enabled boolean not null default true,
    expected_since_at timestamptz not null,
    changed_by text not null,
    changed_at timestamptz not null,
    constraint expected_runs_pk primary key (task_type),
    constraint expected_runs_wait_no_negative_time_ck check (
        grace_seconds >= 0 and early_seconds >= 0
    )
);

comment on table monitoring.expected_runs is
'When runs of a task type are to start, so that one that does not can be told.';
comment on column monitoring.expected_runs.task_type is
'What kind of work is expected.';
comment on column monitoring.expected_runs.schedule is
'Cron expression, or a time of day such as 02:30.';
comment on column monitoring.expected_runs.time_zone is
'Time zone by whose clocks it goes.';
comment on column monitoring.expected_runs.grace_seconds is
'Seconds by which a run may start late before it counts as missed.';
comment on column monitoring.expected_runs.early_seconds is
'Seconds by which a run may start early and still be the one that is due.';
comment on column monitoring.expected_runs.is_enabled is
'Whether runs are expected at present.';
comment on column monitoring.expected_runs.expected_since_at is
'What was due before is not expected.';
comment on column monitoring.expected_runs.changed_by is
'Who said so last.';
comment on column monitoring.expected_runs.changed_at is
'When they did.';

insert into monitoring.alert_rules (
    rule_name, family, description, finder_name, explainer_name, unit, comparison, parameters,
    is_enabled
)
values
(
    'slow_processing', 'processing',
    'Attempts of a type that ended in the window took long on average.',
    '_find_slow_processing', '_explain_attempts', 'seconds', '>',
    '{"window_minutes": 60, "min_tasks": 1}', true
),
(
    'long_running_task', 'processing',
    'A task has been running for long.',
    '_find_long_running_tasks', '_explain_task', 'seconds', '>', '{}', true
),
(
    'task_stuck', 'processing',
    'A running task has not got further for long: no items done, no counter changed. With '
    '{"by": "heartbeat"} any word from it counts.',
    '_find_stuck_tasks', '_explain_task', 'seconds', '>=', '{"by": "progress"}', true
),
(
    'task_too_fast', 'processing',
    'The quickest attempt of a type that completed in the window did so suspiciously soon. Asleep '
    'until somebody sets a threshold for a type.',
    '_find_fast_tasks', '_explain_attempts', 'seconds', '<', '{"window_minutes": 60}', true
),
(
    'low_throughput', 'processing',
    'Attempts of a type, those that completed in the window and those that run, get few items '
    'done. Asleep until somebody sets a threshold for a type.',
    '_find_low_throughput', '_explain_attempts', 'items/s', '<',
    '{"window_minutes": 60, "min_running_seconds": 60}', true
),
(
    'task_failed', 'processing',
    'Tasks whose last attempt failed, timed out or got lost, and that have not completed since. '
    'With {"by": "task"} an alert for each task instead of each type.',
    '_find_failed_tasks', '_explain_failed_tasks', 'tasks', '>=',
    '{"window_minutes": 1440, "by": "task_type"}', true
),
(
    'success_rate_low', 'processing',
    'Few of the attempts of a type that ended in the window completed.',
    '_find_low_success_rates', '_explain_unsuccessful_attempts', '%', '<',
    '{"window_minutes": 60, "min_tasks": 10}', true
),
(
    'error_rate_high', 'processing',
    'Many of the attempts of a type that ended in the window failed, timed out or got lost.',
    '_find_high_error_rates', '_explain_unsuccessful_attempts', '%', '>',
    '{"window_minutes": 60, "min_tasks": 10}', true
),
(
    'consecutive_failures', 'processing',
    'The newest attempts of a type all failed, timed out or got lost; those that were cancelled '
    'count neither way.',
    '_find_consecutive_failures', '_explain_unsuccessful_attempts', 'attempts', '>=',
    '{"window_days": 30}', true
),
(
    'duration_deviation', 'processing',
    'Completed attempts of a type took much longer, or shorter, on average than at the same hour '
    'and weekday of past weeks; the value is the distance in standard deviations.',
    '_find_unusual_durations', '_explain_attempts', 'standard deviations', '>=',
    '{"window_minutes": 60, "weeks": 8, "min_weeks": 3, "min_tasks": 5,'
    ' "min_difference_percent": 25, "time_zone": "UTC"}',
    true
),
(
    'backend_gone', 'processing',
    'The database session that last spoke for a running task has ended. Only for programs that '
    'keep one session a task; with a pool of sessions it says nothing.',
    '_find_gone_backends', '_explain_task', 'seconds', '>=', '{}', false
),
(
    'missed_run', 'processing',
    'A run that expect_runs() told of has not started in time.',
    '_find_missed_runs', '_explain_missed_run', 'seconds', '>=', '{}', true
);

insert into monitoring.alert_thresholds (rule_name, low, medium, high, critical)
values
('slow_processing', 180, 300, 600, 900),
('long_running_task', null, 3600, null, null),
('task_stuck', null, null, null, 3600),
('task_failed', null, null, null, 1),
('success_rate_low', null, null, 90, null),
('error_rate_high', null, 5, null, null),
('consecutive_failures', null, null, 3, null),
('duration_deviation', null, 4, 8, null),
('backend_gone', null, null, 0, null),
('missed_run', null, null, 0, null);

insert into monitoring.alert_inhibitions (source_rule, target_rule, equal_labels)
values
('task_stuck', 'long_running_task', '{task_id}'),
('success_rate_low', 'error_rate_high', '{task_type}');

insert into monitoring.installed_migrations (migration_id) values ('0012_task_rules');
