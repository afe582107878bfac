-- get_search_results: things of all kinds by a part of their name.

begin;
select plan(14);
\ir helpers/fixed_clock.psql

create function pg_temp.found(p_search text, p_limit integer default 5) returns text
language sql
as $$
    select string_agg(f.kind || ' ' || f.name, ', ')
    from monitoring.get_search_results(p_search, p_limit) as f
$$;

select
    monitoring.record_finished_tasks(
        jsonb_agg(
            jsonb_build_object(
                'task_id', 'Invoice-' || n, 'task_type', 'invoice.print',
                'start_time', '2026-01-15 11:00+00', 'end_time', '2026-01-15 11:01+00'
            )
        )
    )
from generate_series(1, 30) as n;
select monitoring.start_task_tracking('Invoice-now', 'invoice.print');
select monitoring.define_expected_runs('invoice.check', '0 3 * * *');
select monitoring.track_status_changes('orders', '[{"record_key": "A-7", "status": "PAID"}]');
select monitoring.log_invalid_records('meters', '["A-71"]', 'LOW');
select count(*) from monitoring.ensure_partitions();
select monitoring.raise_alert('tests', 'disk', 'critical', 'Archive is full');
select monitoring.evaluate_alerts();
-- What roll-ups know.
insert into monitoring.known_names (kind, name, component, label, first_seen_at, seen_at)
values
('tasks', 'invoice.print', '', 'completed', monitoring.clock(), monitoring.clock()),
('tasks', 'invoice.print', '', 'failed', monitoring.clock(), monitoring.clock()),
('queues', 'invoices', '', 'pending', monitoring.clock(), monitoring.clock());
insert into monitoring.component_states (
    component_name, component_type, checked_at, probe_id, status
)
values ('invoice-printer', 'service', monitoring.clock(), 1, 'healthy');
insert into monitoring.error_group_totals (
    fingerprint, error_type, severity, component, example, occurrences, first_seen_at,
    last_seen_at, last_error_id
)
values (
    'jam', 'PaperJam', 'high', 'printer', 'tray 2 of 100% empty', 1, monitoring.clock(),
    monitoring.clock(), 1
);

-- What is found

select is(
    pg_temp.found('INVOICE.', 3), 'job invoice.print, job invoice.check',
    'a part of a name is found in any case'
);
select is(
    pg_temp.found('-printe'), 'component invoice-printer', 'wherever it is in the name'
);
select is(
    pg_temp.found('Invoice-1', 3), 'run Invoice-1, run Invoice-10, run Invoice-11',
    'a run is found by how its name begins, the whole name first'
);
select is(pg_temp.found('Invoice-now'), 'run Invoice-now', 'also while it runs');
select is(pg_temp.found('nvoice-1'), null, 'but not by what is in the middle, which no index has');
select is(
    pg_temp.found('A-7'), 'record A-7, record A-71', 'records of all datasets, valid or not'
);
select is(pg_temp.found('meter'), 'dataset meters', 'and datasets');
select matches(pg_temp.found('archive is'), '^alert \d+$', 'an alert that fires, by its words');
select
    is(
        split_part(pg_temp.found(a.alert_id::text), ', ', 1),
        'alert ' || a.alert_id,
        'an alert in any state, by its number'
    )
from monitoring.alerts as a
where a.summary = 'Archive is full';
select is(pg_temp.found('queue_stalled'), 'rule queue_stalled', 'a rule');
select is(
    pg_temp.found('of 100%'), 'error jam',
    'a group of errors by its message; no sign stands for others'
);

-- Boundaries

select is(
    (select count(*) from monitoring.get_search_results('Invoice-', 30) as f where f.kind = 'run'),
    30::bigint,
    'as many of a kind as are asked for'
);
select is(pg_temp.found('  '), null, 'nothing is found by nothing');
select throws_ok(
    $$select monitoring.get_search_results('a', 0)$$, 'PV004', null, 'a limit is a number'
);

select * from finish(); -- noqa: AM04
rollback;
