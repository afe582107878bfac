-- cleanup_old_monitoring_data with a number of days: what is old of records goes when asked for.

begin;
select plan(17);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

-- What a call removes, without what there was none of.
create function pg_temp.removed(
    p_days integer, p_dataset text default null, p_is_dry_run boolean default false
) returns text
language sql
as $$
    select string_agg(c.key || ' ' || c.value, ', ' order by c.key)
    from jsonb_each(
        monitoring.cleanup_old_monitoring_data(p_days, p_dataset, p_is_dry_run)
    ) as c
    where c.value <> '0'
$$;

-- What becomes of two records on a day, one of which stays invalid.
create function pg_temp.a_day(p_dataset text, p_day date, p_key text) returns void
language plpgsql
as $$
declare
    v_at timestamptz := (p_day + time '10:00') at time zone 'UTC';
begin
    perform pg_temp.set_clock(v_at::text);
    perform monitoring.track_status_changes(
        p_dataset, format('[{"record_key": "%s", "status": "OPEN"}]', p_key)::jsonb
    );
    perform monitoring.log_invalid_records(
        p_dataset, jsonb_build_array(p_key, p_key || '-open'), 'SEUNO'
    );
    perform monitoring.sync_invalid_records(
        p_dataset, 'SEUNO', jsonb_build_object('keys', jsonb_build_array(p_key)), '[]',
        p_at => v_at
    );
    perform monitoring.track_record_products(
        p_dataset,
        format('[{"record_key": "%s", "products": ["tea", "salt"]}]', p_key)::jsonb
    );
    perform monitoring.log_program_execution(p_dataset, p_day, '{"total_records_queried": 7}', 1.5);
    perform monitoring.update_daily_summary(p_dataset, p_day);
end
$$;

select monitoring.ensure_partitions();
select pg_temp.a_day('apr', '2026-01-01', 'old');
select pg_temp.a_day('other', '2026-01-01', 'old');
select pg_temp.a_day('apr', '2026-01-14', 'new');
select pg_temp.set_clock('2026-01-15 09:59:59+00');

select is(
    pg_temp.removed(14, 'apr'), null,
    'nothing is removed that is not older, were it by a second'
);
select pg_temp.set_clock('2026-01-15 10:00:01+00');
select is(
    monitoring.cleanup_old_monitoring_data(15),
    '{"daily_summary": 0, "invalid_record_spells": 0, "invalid_records": 0, "processing_log": 0,
      "record_products": 0, "status_history": 0}',
    'each view is counted, were it nothing'
);
select is(
    pg_temp.removed(10, 'apr', true),
    'daily_summary 1, invalid_record_spells 1, invalid_records 1, processing_log 1, '
    'record_products 2, status_history 2',
    'a dry run counts what is older than so many days, though policies would keep it'
);
select is(
    pg_temp.removed(10, 'apr'), pg_temp.removed(10, 'other', true),
    'which is what goes'
);
select is(pg_temp.removed(10, 'apr'), null, 'once');
select is(
    pg_temp.removed(10, null, true), pg_temp.removed(10, 'other', true),
    'another dataset keeps its own'
);
select set_eq(
    $$select record_key from monitoring.invalid_records where dataset = 'apr'$$,
    $$values ('old-open'), ('new'), ('new-open')$$,
    'what is open stays, however old'
);
select set_eq(
    $$select record_key, status from monitoring.v_record_status where dataset = 'apr'$$,
    $$values ('old', 'OPEN'), ('new', 'OPEN')$$,
    'and so do the statuses that records have'
);
select set_eq(
    $$select distinct record_key from monitoring.status_history where dataset = 'apr'$$,
    $$values ('new')$$,
    'history begins later'
);
select pg_temp.a_day('apr', '2026-01-01', 'again');
select pg_temp.set_clock('2026-01-15 10:00:01+00');
select is(
    (
        select array[s.runs, s.records_queried, s.products]::text
        from monitoring.daily_summary as s
        where s.dataset = 'other'
    ),
    '{1,7,2}', 'a day has figures'
);
select isnt(pg_temp.removed(10), null, 'without a dataset all are cleaned up');
select is_empty(
    $$select from monitoring.processing_log where finished_at < '2026-01-05'$$,
    'whatever their names'
);

select pg_temp.a_day('third', '2026-01-01', 'old');
select pg_temp.set_clock('2026-01-14 10:00+00');
select monitoring.update_daily_summary('third', '2026-01-01');
select monitoring.cleanup_old_monitoring_data(10);
select is(
    (
        select concat_ws(' ', u ->> 'runs', u ->> 'invalid_resolved', u ->> 'products')
        from monitoring.update_daily_summary('third', '2026-01-01') as u
    ),
    '1 1 2', 'a day that is counted anew does not come to less'
);

-- Boundaries and refusals

select
    is(
        (pg_temp.refusal_of(format('monitoring.cleanup_old_monitoring_data(%s)', d.days))).code,
        'PV004', 'days are a number from 1 up, not ' || d.days
    )
from (values ('0'), ('-1'), ('36501'), ('null::bigint')) as d (days);
select * from finish(); -- noqa: AM04
rollback;
