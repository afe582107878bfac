-- get_workflow_verdicts: how a business day went, against what is usual.

begin;
select plan(25);
\ir helpers/fixed_clock.psql
\ir helpers/batch.psql

-- A day of the billing workflow that was done, a few minutes later on each day.
create function pg_temp.usual_day(p_date date, p_minutes integer) returns void
language sql
as $$
    select monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
        'task_id', d.step || p_date, 'task_type', d.step, 'items_done', d.items,
        'start_time', d.end_at - interval '10 minutes', 'end_time', d.end_at
    )))
    from (
        select
            s.step, s.items,
            (p_date + s.minutes * interval '1 minute')::timestamp at time zone 'Europe/Berlin'
            as end_at
        from (
            values
            ('CM-DMRU', 1000 + p_minutes, 1100),
            ('D1-IMD', 1000, 1130),
            ('C1-PPBTR', null, 1160),
            ('CM_BSGGN', 500, 1380),
            ('BILLRESTSMS', null, 1440 + p_minutes)
        ) as s (step, items, minutes)
    ) as d
$$;
-- A column of the verdict about a day, as text.
create function pg_temp.of_day(p_date date, p_column text) returns text
language sql
as $$
    select to_jsonb(v) ->> p_column from monitoring.get_workflow_verdicts(p_date) as v
$$;

select is_empty('select * from monitoring.get_workflow_verdicts()', 'none without any workflow');

select pg_temp.set_clock('2026-01-05 05:10+01');
select monitoring.ensure_partitions();
select pg_temp.apply_billing();
select pg_temp.set_clock('2026-01-08 06:00+01');
select pg_temp.usual_day('2026-01-05', 5);
select pg_temp.usual_day('2026-01-06', 10);
select is(
    pg_temp.of_day('2026-01-06', 'summary'), 'done at 00:10',
    'a day that is done says when; without three days before it nothing is usual'
);
select pg_temp.usual_day('2026-01-07', 15);
select is(
    pg_temp.of_day('2026-01-07', 'business_date') || ' ' || pg_temp.of_day(null, 'business_date'),
    '2026-01-07 2026-01-07',
    'of a morning it is about the business day before'
);
select pg_temp.set_clock('2026-01-09 06:00+01');
select pg_temp.usual_day('2026-01-08', 10);
select is(
    pg_temp.of_day('2026-01-08', 'summary'), 'done at 00:10, usually 00:06 to 00:14',
    'from three days on it says what is usual: eight days of ten'
);
select is(
    (
        select v.summary || ' ' || v.time_zone
        from monitoring.get_workflow_verdicts('2026-01-08', 'Asia/Tokyo') as v
    ),
    'done at 08:10, usually 08:06 to 08:14 Asia/Tokyo',
    'in the time zone that is asked for'
);
select is(pg_temp.of_day('2026-01-08', 'is_good'), 'true', 'that is good');
select is(
    (
        select
            string_agg(
                concat_ws(' ', d.day ->> 'day', d.day ->> 'verdict'), ', ' order by d.place
            )
        from monitoring.get_workflow_verdicts('2026-01-08') as v
        cross join jsonb_array_elements(v.days) with ordinality as d (day, place)
        where d.place >= 3
    ),
    '2026-01-04 unknown, 2026-01-05 done, 2026-01-06 done, 2026-01-07 done, 2026-01-08 done',
    'the week before is told day by day, and days that nobody watched are not known'
);
select is(
    (
        select r.records
        from monitoring.get_workflow_verdicts('2026-01-08') as v
        cross join jsonb_array_elements(v.records) as r (records)
        where r.records ->> 'step_name' = 'CM-DMRU'
    ),
    '{"step_name": "CM-DMRU", "records": 1010, "usual_from": 1006, "usual_to": 1014,
        "is_unusual": false}',
    'records of steps are told against what is usual'
);

-- Later, and less

select pg_temp.set_clock('2026-01-10 06:00+01');
select pg_temp.usual_day('2026-01-09', 90);
select is(
    pg_temp.of_day('2026-01-09', 'summary'), 'done at 01:30, later than usual (00:06 to 00:13)',
    'later than usual is said, and is no failure'
);
select pg_temp.set_clock('2026-01-11 06:00+01');
select pg_temp.usual_day('2026-01-10', 10);
select monitoring.record_finished_tasks('[
    {"task_id": "b", "task_type": "CM_BSGGN", "items_done": 7,
        "start_time": "2026-01-10 23:30+01", "end_time": "2026-01-10 23:40+01"}]');
select is(
    pg_temp.of_day('2026-01-10', 'summary'),
    'done at 00:10, usually 00:07 to 01:00; CM_BSGGN processed 7 records, usually 500 to 500',
    'so are records well outside of what is usual'
);
select is(pg_temp.of_day('2026-01-10', 'is_good'), 'true', 'which are no failure either');

-- In trouble

select pg_temp.begin_step('CM-DMRU', '2026-01-13 18:00+01', 100);
select pg_temp.progress_step('CM-DMRU', '2026-01-13 18:10+01', 1010);
select pg_temp.end_step('CM-DMRU', '2026-01-13 18:20+01');
select pg_temp.set_clock('2026-01-13 18:30+01');
select is(
    pg_temp.of_day('2026-01-13', 'summary'),
    '1 of 6 steps done, next D1-IMD at 18:20, expected done at 00:15, usually 00:07 to 00:52',
    'of a day that is not over it says how far it is, and when it is expected to be done'
);
select is(pg_temp.of_day('2026-01-13', 'is_good'), null, 'which is neither good nor bad yet');
select pg_temp.begin_step('D1-IMD', '2026-01-13 18:30+01', 100);
select pg_temp.set_clock('2026-01-13 19:00+01');
select monitoring.record_error('D1-IMD', 'E', 'high', E'no space\nleft on device');
select pg_temp.end_step('D1-IMD', '2026-01-13 19:00+01', 'failed');
select is(
    pg_temp.of_day('2026-01-13', 'summary'),
    'D1-IMD failed at 19:00: no space left on device; '
    '3 steps wait for it: C1-PPBTR, CM_BSGGN, BILLRESTSMS',
    'a failure is told with its reason in one line, and what waits for it'
);
select is(pg_temp.of_day('2026-01-13', 'is_good'), 'false', 'that is bad');
select is(
    pg_temp.of_day('2026-01-13', 'troubled_steps') || pg_temp.of_day('2026-01-13', 'waiting_steps'),
    '["D1-IMD"]["C1-PPBTR", "CM_BSGGN", "BILLRESTSMS"]',
    'steps are told by name as well'
);
select pg_temp.set_clock('2026-01-14 06:00+01');
select is(
    pg_temp.of_day('2026-01-13', 'summary'),
    'D1-IMD failed at 19:00: no space left on device; '
    '3 steps after it did not run: C1-PPBTR, CM_BSGGN, BILLRESTSMS',
    'once the day is over, nothing waits any longer'
);
select pg_temp.set_clock('2026-01-14 18:20+01');
select is(
    (
        select concat_ws('; ', v.verdict, v.summary)
        from monitoring.get_workflow_verdicts('2026-01-14') as v
    ),
    'late; CM-DMRU has not begun, due at 18:00; '
    '4 steps wait for it: D1-IMD, C1-PPBTR, CM_BSGGN and 1 more',
    'what has not begun is late'
);
select pg_temp.begin_step('CM-DMRU', '2026-01-14 18:25+01', 100, p_task_id => 'slow');
select pg_temp.set_clock('2026-01-15 06:00+01');
select is(
    pg_temp.of_day('2026-01-14', 'summary'),
    'CM-DMRU still running since 18:25; '
    '4 steps after it did not run: D1-IMD, C1-PPBTR, CM_BSGGN and 1 more',
    'and where a step runs on, it is that which holds the others up'
);

-- Neither

select is(
    (
        select v.verdict || ': ' || v.summary
        from monitoring.get_workflow_verdicts('2026-01-01') as v
    ),
    'unknown: not known: it was not watched on that day',
    'a day that nobody watched is not known'
);
select monitoring.apply_workflow('{"workflow": "week", "steps": [
    {"step": "sunday", "schedule": "0 6 * * 0"}]}');
select is(
    (
        select concat_ws(' ', v.verdict, v.is_good, v.summary)
        from monitoring.get_workflow_verdicts('2026-01-14') as v
        where v.workflow_name = 'week'
    ),
    'off t nothing was due',
    'a day on which nothing is due is good'
);
select is(
    (select count(*) from monitoring.get_workflow_verdicts('2026-01-14')), 2::bigint,
    'there is one verdict a workflow'
);

-- Refusals

select throws_ok(
    $$select * from monitoring.get_workflow_verdicts('infinity')$$, 'PV004', null,
    'a day has to be one'
);
select throws_ok(
    $$select * from monitoring.get_workflow_verdicts(null, 'Mars')$$, 'PV007', null,
    'a time zone has to be one'
);
select throws_ok(
    $$select monitoring.get_daily_report(null, 'Mars')$$, 'PV007', null, 'for a report as well'
);

select * from finish(); -- noqa: AM04
rollback;
