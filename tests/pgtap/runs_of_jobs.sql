-- get_job_runs: the runs of one job that ended, page by page.

begin;
select plan(13);
\ir helpers/fixed_clock.psql

-- The clock says 2026-01-15 12:00 UTC; one run ended at each of these minutes ago.
select
    monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
        'task_id', 't' || m,
        'task_type', case when m % 2 = 0 then 'load' else 'send' end,
        'status', case when m in (2, 1442) then 'failed' else 'completed' end,
        'end_time', monitoring.clock() - make_interval(mins => m),
        'metadata', case when m = 2 then '{"error_message": "disk full"}'::jsonb else '{}' end
    )))
from unnest(array[1, 2, 3, 6, 30, 31, 90, 600, 1439, 1442, 6000]) as m;
select monitoring.roll_up();
select
    monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
        'task_id', 'n' || m, 'task_type', 'load',
        'end_time', monitoring.clock() - make_interval(mins => m)
    )))
from unnest(array[4, 120]) as m;
select
    monitoring.record_error(
        't1442', 'Timeout', 'high', 'no answer',
        p_occurred_at => monitoring.clock() - '1442 minutes'::interval
    );

create function pg_temp.ids(p_query text) returns text
language plpgsql
as $$
declare
    v_ids text;
begin
    execute format('select string_agg(q.task_id, '' '') from (%s) q', p_query) into v_ids;
    return v_ids;
end
$$;

select is(
    pg_temp.ids($$select * from monitoring.get_job_runs('load')$$),
    't2 n4 t6 t30 t90 n120 t600 t1442 t6000',
    'the runs of a type of 30 days, the newest first, rolled up or not'
);
select is(
    pg_temp.ids($$select * from monitoring.get_job_runs('load', '2026-01-14 12:00+00')$$),
    't2 n4 t6 t30 t90 n120 t600', 'or from a time on'
);
select is(
    pg_temp.ids(
        $$select * from monitoring.get_job_runs('load', p_to => '2026-01-15 11:30+00')$$
    ),
    't90 n120 t600 t1442 t6000', 'up to a time, which is left out'
);
select is(
    pg_temp.ids($$select * from monitoring.get_job_runs('load', p_status => 'failed')$$),
    't2 t1442', 'of a status'
);
select is(
    pg_temp.ids($$select * from monitoring.get_job_runs('load', p_limit => 3)$$),
    't2 n4 t6', 'no more than wanted'
);
select is_empty($$select * from monitoring.get_job_runs('load', p_limit => 0)$$, 'even none');
select is_empty($$select * from monitoring.get_job_runs('unheard of')$$, 'none of what never ran');
select is_empty(
    $$select * from monitoring.get_job_runs('load', '2026-01-15 11:30+00', '2026-01-15 11:30+00')$$,
    'a span without length has none'
);
select results_eq(
    $$select error_message from monitoring.get_job_runs('load', p_status => 'failed')$$,
    array['disk full', 'no answer'], 'why they failed is what they said, or their last error'
);
select is(
    (
        select string_agg(r.error_message, '')
        from monitoring.get_job_runs('load', p_status => 'completed') as r
    ),
    null, 'of one that completed there is nothing to say'
);
select is(
    pg_temp.ids(
        $$
            select * from monitoring.get_job_runs(
                'load', p_limit => 2, p_before_time => '2026-01-15 11:54+00',
                p_before_task_id => 't6', p_before_attempt => 1
            )
        $$
    ),
    't30 t90', 'a page begins after the last row of the page before'
);

-- Refusals

select throws_ok(
    $$select * from monitoring.get_job_runs('load', p_limit => null)$$, 'PV004', null,
    'no limit is refused'
);
select throws_ok(
    $$select * from monitoring.get_job_runs('load', 'infinity')$$, 'PV006', null,
    'and a time without end'
);

select * from finish(); -- noqa: AM04
rollback;
