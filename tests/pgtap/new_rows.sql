-- What counts as new, by the transactions that recorded the rows, and how an index finds it.

begin;
select plan(14);
\ir helpers/fixed_clock.psql
\ir helpers/plans.psql

select monitoring.ensure_partitions(0);
select monitoring.prepare_backfill('metric_samples', '2026-01-14');

create function pg_temp.record_as(p_transactions bigint[]) returns void
language sql
as $$
    insert into monitoring.finished_tasks (
        task_id, attempt, task_type, status, finished_at, recorded_xid
    )
    select 'by ' || t.xid, 1, 'load', 'completed', '2026-01-15 11:00+00', t.xid
    from unnest(p_transactions) as t (xid)
$$;

create function pg_temp.set_claim(p_below bigint, p_still_open bigint[]) returns void
language sql
as $$
    update monitoring.rollup_progress
    set claimed_below = p_below, still_open = p_still_open
    where table_name = 'finished_tasks'
$$;

create temporary view new_transactions as
select t.recorded_xid from monitoring._marked_tasks as t
where t.is_new;

select pg_temp.record_as('{5,7,19999,20000,29990,29991,29999,30000,40000}');

-- Behaviour

select pg_temp.set_claim(30000, '{}');

select set_eq(
    'select recorded_xid from new_transactions', array[30000, 40000],
    'what later transactions recorded is new'
);

select pg_temp.set_claim(30000, '{29990}');

select set_eq(
    'select recorded_xid from new_transactions', array[29990, 30000, 40000],
    'and what one recorded that was open then, but not its neighbours'
);

select pg_temp.set_claim(30000, '{7,29990,29999}');

select set_eq(
    'select recorded_xid from new_transactions', array[7, 29990, 29999, 30000, 40000],
    'or one that had been open for long'
);

select set_eq(
    'select recorded_xid from monitoring._marked_tasks where not is_new',
    array[5, 19999, 20000, 29991],
    'the others are not new, and no row is neither'
);

-- Boundaries

select results_eq(
    $$
        select index_from, long_open from monitoring._claims where table_name = 'finished_tasks'
    $$,
    $$values (29990::bigint, '{7}'::bigint [])$$,
    'an index is searched from the first of those that were open for a short while'
);

select pg_temp.set_claim(30000, '{19999,20000}');

select results_eq(
    $$
        select index_from, long_open from monitoring._claims where table_name = 'finished_tasks'
    $$,
    $$values (20000::bigint, '{19999}'::bigint [])$$,
    'short is 10,000 transactions'
);

select set_eq(
    'select recorded_xid from new_transactions', array[19999, 20000, 30000, 40000],
    'on either side of which rows are found'
);

-- Finding them

select set_config('enable_seqscan', 'off', true);

select unalike(
    pg_temp.plan_of('select * from monitoring._samples_of_tasks where is_new'),
    '%Seq Scan on %2026%',
    'new rows are looked for in an index'
);

-- The last pages of a day

-- More than the first range of pages, which an index always knows
select
    monitoring.record_metrics(
        jsonb_agg(jsonb_build_object('metric_name', 'm', 'value', n, 'recorded_at', day))
    )
from
    generate_series(timestamptz '2026-01-14 12:00+00', '2026-01-15 12:00+00', '1 day') as day,
    generate_series(1, 4000) as n;

select monitoring.ensure_partitions(0);

select is(
    brin_summarize_new_values('monitoring.metric_samples_20260114_recorded_at_recorded_xid_idx'), 0,
    'after a day is over its index knows all of its pages'
);

select cmp_ok(
    brin_summarize_new_values('monitoring.metric_samples_20260115_recorded_at_recorded_xid_idx'),
    '>', 0,
    'those of today are left alone while rows are added to them'
);

select lives_ok(
    'select monitoring.ensure_partitions(0)', 'to do so again does no harm'
);

-- The pages of a day that goes on, which no vacuum has seen and no statistics tell of

select
    monitoring.record_metrics(
        jsonb_agg(jsonb_build_object('metric_name', 'm', 'value', n, 'recorded_at', day))
    )
from
    (values (timestamptz '2026-01-15 12:00+00')) as days (day),
    generate_series(1, 8000) as n;

-- Nothing is searched for in a transaction that is our own, so let another have recorded all.
update monitoring.metric_samples set recorded_xid = recorded_xid - 1000000;
update monitoring.rollup_progress set claimed_below = txid_current() - 1000000;
select monitoring.roll_up();

select is(
    brin_summarize_new_values('monitoring.metric_samples_20260115_recorded_at_recorded_xid_idx'), 1,
    'a roll-up lets an index know all pages but the last, which are being filled'
);

create temporary view searches as
select
    pg_stat_get_xact_numscans('monitoring.metric_samples_20260115'::regclass) as in_all_rows,
    (
        select count(*) from monitoring.rollups as r
        where r.source = 'metrics' and r.resolution = 'hour'
    ) as hours;
create temporary table before_searching as
select
    s.in_all_rows,
    s.hours
from searches as s;

select monitoring.roll_up();
select count(*)
from monitoring._read_samples(
        'metrics', true, 9223372036854775807, '{}', '-infinity', 'infinity'
    );

select results_eq(
    'select in_all_rows from searches', 'select in_all_rows from before_searching',
    'and nobody reads all rows to find out that none is new'
);

select results_eq(
    'select hours from searches', 'values (2::bigint)',
    'though each of them is known'
);

select * from finish(); -- noqa: AM04
rollback;
