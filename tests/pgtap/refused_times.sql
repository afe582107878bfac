-- Times that cannot be: PV006.

begin;
select plan(32);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

-- The message shows the time as the session would.
select set_config('timezone', 'UTC', true);
select set_config('datestyle', 'ISO', true);

select monitoring.start_task_tracking('t', 'load');

select pg_temp.remember_state();

create temporary view calls as
select call
from unnest(array[
        'start_task_tracking(''u'', ''load'', p_started_at => %s)',
        'update_task_progress(''t'', 1, p_at => %s)',
        'complete_task_tracking(''t'', p_finished_at => %s)',
        'complete_task_tracking(''unheard'', p_finished_at => %s)',
        'record_error(''t'', ''E'', ''low'', ''m'', p_occurred_at => %s)',
        'record_performance_metric(''m'', ''gauge'', 1, p_recorded_at => %s)',
        'record_log(''c'', ''INFO'', ''m'', p_logged_at => %s)',
        'update_system_health(''s'', ''api'', ''healthy'', p_checked_at => %s)',
        'record_queue_metrics(''q'', 1, p_recorded_at => %s)'
    ]) as call;

-- Refusals

select
    results_eq(
        format(
            $$
                select refusal.* from unnest(array[
                    'infinity', '-infinity', '0001-01-01 00:00:00+00', '9999-12-31 00:00:00+00',
                    '1969-12-31 23:59:59.999999+00', '2026-01-16 12:00:00.000001+00'
                ]) as instant,
                    pg_temp.refusal_of(format(%L, quote_literal(instant))) as refusal
            $$,
            call
        ),
        $$
            select 'PV006', 'time is impossible: ' || instant,
                'Give a time from 1970-01-01 up to a day from now, or leave it out to mean now.'
            from unnest(array[
                'infinity', '-infinity', '0001-01-01 00:00:00+00', '9999-12-31 00:00:00+00',
                '1969-12-31 23:59:59.999999+00', '2026-01-16 12:00:00.000001+00'
            ]) as instant
        $$,
        format('%s refuses a time without end, before 1970 or beyond a day ahead', call)
    )
from calls;

select
    is(
        (pg_temp.refusal_of(format(call, quote_literal('294276-12-31 23:59:59+00')))).code,
        'PV006',
        format('the last instant there is is refused, not tripped over: %s', call)
    )
from calls;

-- Afterwards

select is(
    pg_temp.state(),
    pg_temp.remembered_state(),
    'none of the refused calls wrote anything or made a partition'
);

-- Boundaries

select
    is(
        array[
            (pg_temp.refusal_of(format(call, quote_literal('1970-01-01 00:00:00+00')))).code,
            (pg_temp.refusal_of(format(call, quote_literal('2026-01-16 12:00:00+00')))).code
        ],
        array['none', 'none'],
        format('the first instant of 1970 and the last of a day ahead are fine: %s', call)
    )
from calls;

-- Refusals: groups of errors

select monitoring.record_error('t', 'E', 'low', 'm', p_fingerprint => 'known');

select
    is(
        pg_temp.refusal_of(format('mute_error_group(''known'', %L)', instant)),
        row(
            'PV006',
            'a mute cannot end in the past: ' || instant,
            'Give a time to come, or leave p_until out to mute without an end.'
        )::pg_temp.refusal,
        format('a mute cannot end at %s', instant)
    )
from unnest(
        array['2026-01-15 12:00:00+00', '2026-01-15 11:59:59.999999+00', '-infinity']
    ) as instant;

select is(
    (select status from monitoring.error_groups where fingerprint = 'known'),
    'open',
    'and the group stays open'
);

select * from finish(); -- noqa: AM04
rollback;
