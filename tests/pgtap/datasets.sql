-- What people say about datasets, and who changes statuses.

begin;
select plan(15);
\ir helpers/fixed_clock.psql

select is_empty('select * from monitoring.v_datasets', 'at first nobody has said anything');

select monitoring.change_dataset(
    'apr', '{"description": "Proposals", "time_zone": "America/Sao_Paulo",
        "pending_statuses": ["OPEN", "WAITING"], "bot_task_type": "apr.bot"}', 'ann'
);
select results_eq(
    'select * from monitoring.v_datasets',
    format($$
        values ('apr', 'Proposals', 'America/Sao_Paulo', '{OPEN,WAITING}'::text[], 'apr.bot',
            '{}'::jsonb, 'ann', '2026-01-15 12:00+00'::timestamptz, %L)
    $$, session_user),
    'what is said is there'
);

select monitoring.change_dataset('apr', '{"bot_task_type": "apr.robot"}', 'bob');
select results_eq(
    'select description, pending_statuses, bot_task_type, changed_by from monitoring.v_datasets',
    $$values ('Proposals', '{OPEN,WAITING}'::text[], 'apr.robot', 'bob')$$,
    'what is not named again stays'
);

select monitoring.change_dataset(
    'apr', '{"description": null, "time_zone": null, "pending_statuses": null,
        "bot_task_type": null}'
);
select results_eq(
    $$
        select description, time_zone, pending_statuses, bot_task_type, changed_by
        from monitoring.v_datasets
    $$,
    $$values (null, 'UTC', '{}'::text[], null, session_user::text collate "default")$$,
    'null takes it back'
);

-- Transitions

select is(
    monitoring.set_allowed_transitions('apr', '{"": ["OPEN"], "OPEN": ["DONE", "DONE", ""]}'), 3,
    'changes that are expected are counted, each once'
);
select is(
    (select allowed_transitions from monitoring.v_datasets),
    '{"": ["OPEN"], "OPEN": ["", "DONE"]}'::jsonb,
    'and listed'
);
select monitoring.set_allowed_transitions('new', '{"OPEN": ["DONE"]}');
select results_eq(
    $$select dataset, time_zone, changed_by from monitoring.v_datasets order by dataset$$,
    $$values ('apr', 'UTC', session_user::text collate "default"), ('new', 'UTC', null)$$,
    'a dataset may have nothing else'
);
select is(monitoring.set_allowed_transitions('new', null), 0, 'null allows everything again');
select is(
    (select count(*) from monitoring.v_datasets), 1::bigint, 'of which nothing is left'
);

-- Removal

select ok(monitoring.remove_dataset('apr'), 'a dataset can be forgotten');
select ok(not monitoring.remove_dataset('apr'), 'once');

-- Change sources

select set_eq(
    'select change_source from monitoring.v_change_sources',
    array['SYSTEM', 'BOT', 'AUTO_RESOLVE', 'MONITOR', 'MANUAL'],
    'five kinds of change sources are there from the start'
);
select monitoring.define_change_source('ERP', 'The old ERP');
select monitoring.define_change_source('ERP', 'The new ERP');
select results_eq(
    $$
        select s.description, r.result ->> 'new'
        from monitoring.v_change_sources as s,
            monitoring.track_status_changes('d', '[{"record_key": "1", "status": "A"}]', 'ERP')
                as r (result)
        where s.change_source = 'ERP'
    $$,
    $$values ('The new ERP', '1')$$,
    'another can be added, described anew and named'
);
select monitoring.define_change_source('ERP', null);
select is_empty(
    $$select change_source from monitoring.v_change_sources where change_source = 'ERP'$$,
    'and removed again'
);
select throws_ok(
    $$select monitoring.define_change_source('ERP', null)$$,
    'PV007', 'there is no change source "ERP"', 'once'
);

select * from finish(); -- noqa: AM04
rollback;
