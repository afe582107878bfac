-- What a day came to is counted from its rows each time, and outlives them.

begin;
select plan(17);
\ir helpers/fixed_clock.psql
select set_config('monitoring.strict', 'on', true);

select set_config('timezone', 'UTC', true);

create function pg_temp.day(p_columns text, p_day date default '2026-01-15') returns text
language plpgsql
as $$
declare
    v_found text;
begin
    execute format(
        'select concat_ws(%L, %s) from monitoring.daily_summary where dataset = %L and target_date = %L',
        ' ', p_columns, 'apr', p_day
    )
    into v_found;
    return v_found;
end
$$;

-- Interface

select is(
    monitoring.update_daily_summary('apr', '2026-01-15'),
    '{"dataset": "apr", "target_date": "2026-01-15", "runs": 0, "records_queried": 0,
        "valid_records": 0, "invalid_records": 0, "records_stored": 0, "alerts_sent": 0,
        "invalid_opened": 0, "invalid_resolved": 0, "invalid_open": 0, "invalid_by_type": {},
        "status_changes": 0, "status_changes_by_source": {}, "products": 0,
        "updated_at": "2026-01-15T12:00:00+00:00"}'::jsonb,
    'a day on which nothing happened is all zeros'
);

-- Behaviour

select monitoring.log_invalid_records(
    'apr', '["a", "b", "c"]', 'V', p_detected_at => '2026-01-14 20:00+00'
);
select monitoring.log_invalid_records('apr', '["d", "e"]', 'V');
select monitoring.log_invalid_records('apr', '["d"]', 'OTHER');
select monitoring.sync_invalid_records('apr', 'V', '{"keys": ["a", "d"]}', '[]');
select monitoring.resolve_invalid_records('apr', '{b}');
select monitoring.track_record_products('apr', '[{"record_key": "a", "products": ["X", "Y"]}]');
select monitoring.log_program_execution(
    'apr', '2026-01-15', '{"total_records_queried": 50, "valid_records": 40, "invalid_x": 10,
        "records_stored": 5, "alerts_sent_mail": 1}', 1, 'full', p_finished_at => '2026-01-15 10:00+00'
);
select monitoring.log_program_execution(
    'apr', '2026-01-15', '{"total_records_queried": 60, "valid_records": 52, "invalid_x": 8,
        "records_stored": 7, "alerts_sent_mail": 2}', 1, 'full', p_finished_at => '2026-01-15 11:00+00'
);
select monitoring.log_program_execution(
    'apr', '2026-01-15', '{"total_records_queried": 3, "records_stored": 1}', 1, 'partial'
);
select monitoring.log_program_execution(
    'apr', '2026-01-15', '{"total_records_queried": 9, "records_stored": 9}', 1, 'dry_run'
);
select is(
    monitoring.update_daily_summary('apr', '2026-01-15', true) ->> 'invalid_opened', '3',
    'a dry run tells what the day comes to'
);
select is(pg_temp.day('invalid_opened'), '0', 'and changes nothing');
select monitoring.update_daily_summary('apr', '2026-01-15');
select is(
    pg_temp.day(
        'runs, records_queried, valid_records, invalid_records, records_stored, alerts_sent'
    ),
    '3 60 52 8 13 3',
    'what the newest complete run found, and what all runs stored and sent, dry ones left out'
);
select is(
    pg_temp.day('invalid_opened, invalid_resolved, invalid_open, invalid_by_type'),
    '3 3 3 {"V": 2, "OTHER": 1}',
    'records that were opened and resolved during the day, and those left open'
);
select is(
    pg_temp.day('status_changes, status_changes_by_source, products'),
    '3 {"MANUAL": 1, "AUTO_RESOLVE": 2} 2',
    'changes of status by their source, and products that came'
);
select monitoring.update_daily_summary('apr', '2026-01-14');
select is(
    pg_temp.day('invalid_opened, invalid_resolved, invalid_open', '2026-01-14'), '3 0 3',
    'a day that is over says what was open at its end, whatever has been resolved since'
);
select is(
    monitoring.update_daily_summary('apr', '2026-01-15') - 'updated_at',
    monitoring.update_daily_summary('apr', '2026-01-15', true) - 'updated_at',
    'counting again comes to the same'
);
select monitoring.log_invalid_records(
    'apr', '["late"]', 'V', p_detected_at => '2026-01-14 21:00+00'
);
select monitoring.update_daily_summary('apr', '2026-01-14');
select is(
    pg_temp.day('invalid_opened, invalid_open', '2026-01-14'), '4 4',
    'what is told late is folded into its day'
);
insert into monitoring.datasets (dataset, time_zone, changed_by, changed_at)
values ('apr', 'America/Sao_Paulo', 'test', monitoring.clock());
select pg_temp.set_clock('2026-01-16 02:00+00');
select monitoring.log_invalid_records('apr', '["night"]', 'V');
select monitoring.update_daily_summary('apr', '2026-01-15');
select is(
    pg_temp.day('invalid_opened'), '4', 'days begin and end in the time zone of the dataset'
);

-- After retention

select pg_temp.set_clock('2026-03-01 12:00+00');
select monitoring.resolve_invalid_records('apr', '{c,e,night,late}');
create temporary table before_cleaning as
select d.* from monitoring.daily_summary as d where d.target_date = '2026-01-15'; -- noqa: AM04
delete from monitoring.finished_tasks;
delete from monitoring.late_finished_tasks;
delete from monitoring.invalid_record_spells where resolved_at < '2026-02-01';
delete from monitoring.status_changes where recorded_at < '2026-02-01';
delete from monitoring.late_status_changes where recorded_at < '2026-02-01';
delete from monitoring.products_of_records;
select is(
    monitoring.update_daily_summary('apr', '2026-01-15', true) ->> 'products', '0',
    'whoever removes rows otherwise finds them not counted'
);
update monitoring.retention_policies set removed_before = '2026-01-30'
where table_name in (
        'finished_tasks', 'invalid_record_spells', 'status_changes', 'products_of_records'
    );
select monitoring.update_daily_summary('apr', '2026-01-15');
select is(
    (
        select to_jsonb(d) - 'updated_at' from monitoring.daily_summary as d
        where d.target_date = '2026-01-15'
    ),
    (select to_jsonb(b) - 'updated_at' from before_cleaning as b),
    'once retention has removed rows of a day nothing that was counted is lowered'
);
select
    monitoring.log_invalid_records(
        'apr', jsonb_agg('more ' || n), 'V', p_detected_at => '2026-01-15 20:00+00'
    )
from generate_series(1, 9) as n;
select monitoring.update_daily_summary('apr', '2026-01-15');
select is(
    pg_temp.day('invalid_opened, invalid_by_type'), '12 {"V": 11, "OTHER": 1}',
    'though more than was counted counts'
);

select
    monitoring.log_program_execution(
        'vast', '2026-01-15', '{"invalid_x": 9e18, "invalid_y": 9e18, "records_stored": 9e18}',
        p_run_mode => run_mode
    )
from unnest(array['full', 'partial']) as run_mode;
select monitoring.update_daily_summary('vast', '2026-01-15');
select results_eq(
    $$
        select invalid_records, records_stored from monitoring.daily_summary
        where dataset = 'vast'
    $$,
    'values (9223372036854775807::bigint, 9223372036854775807::bigint)',
    'and sums beyond all numbers are the highest, as such statistics are'
);

-- Refusals

select throws_ok(
    $$select monitoring.update_daily_summary('apr', null)$$,
    'PV005', 'target_date has the wrong shape: null', 'a summary is of a day'
);
select throws_ok(
    $$select monitoring.update_daily_summary('apr', '294276-12-31')$$,
    'PV006', 'target_date is impossible: 294276-12-31', 'and not of one that no record can be of'
);
select throws_ok(
    $$select monitoring.update_daily_summary(' ', '2026-01-15')$$,
    'PV001', 'dataset is empty: " "', 'and of a dataset'
);

select * from finish(); -- noqa: AM04
rollback;
