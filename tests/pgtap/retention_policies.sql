-- set_retention and v_retention: how long rows are kept is data.

begin;
select plan(26);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/placed.psql
\ir helpers/refusals.psql

-- Interface

select results_eq(
    $$
        select table_name collate "default", category collate "default", keep, removed_before
        from monitoring.v_retention
        order by table_name, keep
    $$,
    $$
        values
        ('alert_rule_changes', '', '2 years'::interval, null::timestamptz),
        ('alert_silences', '', '90 days', null),
        ('alert_transitions', '', '90 days', null),
        ('component_states', '', '1 year', null),
        ('daily_summaries', '', '1 year', null),
        ('error_group_totals', '', '1 year', null),
        ('errors', 'low', '30 days', null),
        ('errors', 'medium', '45 days', null),
        ('errors', 'high', '60 days', null),
        ('errors', 'critical', '90 days', null),
        ('finished_tasks', '', '30 days', null),
        ('fleet_decisions', '', '90 days', null),
        ('fleet_rollups', 'hour', '14 days', null),
        ('fleet_rollups', 'day', '2 years', null),
        ('fleet_workflow_days', '', '90 days', null),
        ('health_probes', '', '30 days', null),
        ('invalid_record_spells', '', '30 days', null),
        ('invalid_record_states', '', '30 days', null),
        ('known_names', '', '30 days', null),
        ('log_lines', '', '30 days', null),
        ('metric_samples', '', '7 days', null),
        ('products_of_records', '', '30 days', null),
        ('program_runs', '', '30 days', null),
        ('queue_samples', '', '7 days', null),
        ('queued_notifications', '', '30 days', null),
        ('raised_alerts', '', '7 days', null),
        ('record_states', '', '1 year', null),
        ('records_to_read', '', '30 days', null),
        ('releases', '', '5 years', null),
        ('rollup_changes', '', '8 days', null),
        ('rollups', 'minute', '2 days', null),
        ('rollups', 'hour', '90 days', null),
        ('rollups', 'day', '5 years', null),
        ('running_totals', '', '1 year', null),
        ('senders', '', '30 days', null),
        ('source_loads', '', '30 days', null),
        ('source_runs', '', '30 days', null),
        ('source_troubles', '', '90 days', null),
        ('status_changes', '', '30 days', null),
        ('unsuccessful_attempts', '', '90 days', null)
    $$,
    'rows are kept for 7 to 90 days at first, roll-ups and releases for up to five years'
);

-- Behaviour: changing

select monitoring.set_retention('metric_samples', '2 months');

select is(
    (select keep from monitoring.v_retention where table_name = 'metric_samples'),
    '2 months'::interval,
    'rows of a table may be kept for longer'
);

select monitoring.set_retention('finished_tasks', '60 days', 'batch.nightly');
select monitoring.set_retention('finished_tasks', '90 days', 'batch.nightly');

select results_eq(
    $$
        select category, keep from monitoring.v_retention where table_name = 'finished_tasks'
        order by 1
    $$,
    $$values ('', '30 days'::interval), ('batch.nightly', '90 days')$$,
    'those of a category for longer than the rest'
);

select monitoring.set_retention('log_lines', null);

select results_eq(
    $$
        select keep, kept_from_at, seconds_behind from monitoring.v_retention
        where table_name = 'log_lines'
    $$,
    $$values (null::interval, null::timestamptz, null::double precision)$$,
    'or for ever'
);

-- Behaviour: v_retention

-- Long before any installation.
select pg_temp.set_clock('2020-06-15 12:00+00');
select monitoring.record_queue_metrics('q', 1, p_recorded_at => '2020-06-05 12:00+00');
select monitoring.record_queue_metrics('q', 1, p_recorded_at => '2020-06-08 12:00+00');
select pg_temp.place_all();

select results_eq(
    $$
        select kept_from_at, removed_before, seconds_behind, oldest_day_at
        from monitoring.v_retention where table_name = 'queue_samples'
    $$,
    $$
        values (
            '2020-06-08 12:00+00'::timestamptz, null::timestamptz, 216000::double precision,
            '2020-06-05 00:00+00'::timestamptz
        )
    $$,
    'the view tells from when on rows are kept and for how long older ones have been due'
);

select pg_temp.take_all();
select monitoring.cleanup_old_monitoring_data();

select results_eq(
    $$
        select removed_before, seconds_behind, oldest_day_at
        from monitoring.v_retention where table_name = 'queue_samples'
    $$,
    $$
        values (
            '2020-06-06 00:00+00'::timestamptz, 216000::double precision,
            '2020-06-05 00:00+00'::timestamptz
        )
    $$,
    'and up to when they have been removed'
);

select set_config('timezone', 'America/St_Johns', true);

select is(
    monitoring._kept_from('1 month', '2020-03-31 12:00+00'),
    '2020-02-29 12:00+00'::timestamptz,
    'months and days are those of UTC, whatever the time zone of the session'
);

select set_config('timezone', 'UTC', true);

-- Boundaries

select
    lives_ok(
        format('select monitoring.set_retention(%L, %L)', table_name, keep),
        format('%s may be kept for %s', table_name, keep)
    )
from (
    values ('errors', '1 day'), ('errors', '100 years'), ('unsuccessful_attempts', '1 minute')
) as allowed (table_name, keep);

-- Refusals

select
    is(
        pg_temp.refusal_of(call),
        row(code, message, hint)::pg_temp.refusal,
        'refused: ' || call
    )
from (
    values
    (
        'monitoring.set_retention(''jobs'', ''1 day'')', 'PV007',
        'there is no retention for table "jobs"',
        'Take the name from v_retention.'
    ),
    (
        'monitoring.set_retention(null, ''1 day'')', 'PV007',
        'there is no retention for table null',
        'Take the name from v_retention.'
    ),
    (
        'monitoring.set_retention(''errors'', ''1 day'', ''fatal'')', 'PV003',
        'category is not known: "fatal"', 'Use one of: low, medium, high, critical.'
    ),
    (
        'monitoring.set_retention(''metric_samples'', ''1 day'', ''cpu'')', 'PV003',
        'category is not known: "cpu"', 'Use one of: ''''.'
    ),
    (
        'monitoring.set_retention(''finished_tasks'', ''1 day'', '' '')', 'PV001',
        'category is empty: " "',
        'Give category a name of 1 to 255 characters that are not all blank.'
    )
) as refused (call, code, message, hint);

select
    is(
        pg_temp.refusal_of(format('monitoring.set_retention(%L, %L)', table_name, keep)),
        row(
            'PV004', 'p_keep is out of range: ' || keep,
            'Give p_keep as an interval from ' || least_keep
            || ' to 100 years, or null to keep rows for ever.'
        )::pg_temp.refusal,
        format('refused: to keep %s for %s', table_name, keep)
    )
from (
    values
    ('errors', '23:59:59', '1 day'),
    ('errors', '00:00:00', '1 day'),
    ('errors', '-1 days', '1 day'),
    ('errors', '100 years 1 day', '1 day'),
    ('errors', '2 mons -30 days', '1 day'),
    ('errors', '60 days -24:00:00', '1 day'),
    ('unsuccessful_attempts', '00:00:59', '00:01:00')
) as refused (table_name, keep, least_keep);

select set_config('intervalstyle', 'iso_8601', true);

select matches(
    (pg_temp.refusal_of('monitoring.set_retention(''errors'', ''P0D'')')).message,
    'p_keep is out of range: PT0S',
    'an interval is named in the style of the session'
);

select set_config('intervalstyle', 'postgres', true);

-- The table itself

select throws_ok(
    $$update monitoring.retention_policies set shipped_keep = '-1 day'$$,
    '23514',
    null,
    'the table takes no keep that is not positive, whoever writes it'
);

select hasnt_function(
    'monitoring', 'set_retention', array['text', 'interval'],
    'the category may be left out without a second function'
);

select is(
    (select count(*) from monitoring.retention_policies where keep < '1 minute'),
    0::bigint,
    'nothing that was refused was written'
);

select * from finish(); -- noqa: AM04
rollback;
