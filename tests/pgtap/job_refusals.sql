-- What nobody can mean when scheduling a job.

begin;
select plan(36);
\ir helpers/fixed_clock.psql
\ir helpers/jobs.psql

create function errands.greet(p_name text) returns text
language sql
as $$ select 'hello ' || p_name $$;

create function errands.on_change() returns trigger
language plpgsql
as $$ begin return null; end $$;

create procedure errands.tell(out p_answer integer)
language plpgsql
as $$ begin p_answer := 42; end $$;

create function errands."Odd name"(p_times integer default 1) returns integer -- noqa: RF05
language sql
as $$ select p_times $$;

create procedure errands.work()
language plpgsql
as $$ begin null; end $$;

-- Refusals

select
    throws_ok(
        format('select monitoring.define_job(%s)', arguments),
        code,
        message,
        'refused: ' || arguments
    )
from (
    values
    ($$null, '1 hour', 'errands.work'$$, 'PV001', 'job_name is missing: null'),
    ($$'', '1 hour', 'errands.work'$$, 'PV001', 'job_name is empty: ""'),
    ($$repeat('x', 256), '1 hour', 'errands.work'$$, 'PV002', null),
    ($$repeat('x', 250), '1 hour', 'errands.work'$$, 'PV002', null),
    ($$'j', null, 'errands.work'$$, 'PV001', 'schedule is missing: null'),
    ($$'j', 'now and then', 'errands.work'$$, 'PV003', 'schedule is not known: "now and then"'),
    ($$'j', '1 month', 'errands.work'$$, 'PV003', 'schedule is not known: "1 month"'),
    ($$'j', '1 month -1 day', 'errands.work'$$, 'PV003', null),
    ($$'j', '2 years', 'errands.work'$$, 'PV003', null),
    ($$'j', '99999999999 days', 'errands.work'$$, 'PV003', null),
    ($$'j', '0', 'errands.work'$$, 'PV004', 'schedule is out of range: 0'),
    ($$'j', '999 milliseconds', 'errands.work'$$, 'PV004', null),
    ($$'j', '-5 minutes', 'errands.work'$$, 'PV004', null),
    ($$'j', '4000 days', 'errands.work'$$, 'PV004', null),
    ($$'j', '1 hour', 'errands.work', null$$, 'PV001', 'time_zone is missing: null'),
    (
        $$'j', '1 hour', 'errands.work', 'Europe/Atlantis'$$, 'PV007',
        'there is no time zone "Europe/Atlantis"'
    ),
    ($$'j', '1 hour', 'errands.work', 'UTC', null$$, 'PV004', 'timeout is out of range: null'),
    ($$'j', '1 hour', 'errands.work', 'UTC', '0'$$, 'PV004', 'timeout is out of range: 00:00:00'),
    ($$'j', '1 hour', 'errands.work', 'UTC', '-1 second'$$, 'PV004', null),
    ($$'j', '1 hour', 'errands.work', 'UTC', '20 years'$$, 'PV004', null),
    ($$'j', '1 hour', null$$, 'PV001', 'procedure_name is missing: null'),
    (
        $$'j', '1 hour', 'errands.missing'$$, 'PV007',
        'there is no function or procedure without arguments "errands.missing"'
    ),
    ($$'j', '1 hour', 'work'$$, 'PV007', null),
    ($$'j', '1 hour', 'errands.work; drop schema errands'$$, 'PV007', null),
    ($$'j', '1 hour', 'errands.work(); select 1'$$, 'PV007', null),
    ($$'j', '1 hour', 'a.errands.work'$$, 'PV007', null),
    ($$'j', '1 hour', 'errands.greet'$$, 'PV007', null),
    ($$'j', '1 hour', 'errands.on_change'$$, 'PV007', null),
    ($$'j', '1 hour', 'errands.tell'$$, 'PV007', null),
    ($$'j', '1 hour', 'errands.Odd name'$$, 'PV007', null)
) as refused (arguments, code, message);

select is_empty('select * from monitoring.jobs', 'what was refused left nothing behind');

select throws_ok(
    $$select monitoring.request_job('nobody')$$,
    'PV007', 'there is no job "nobody"', 'what is not there cannot be requested'
);

select throws_ok(
    $$select monitoring.enable_job('nobody')$$,
    'PV007', 'there is no job "nobody"', 'nor enabled'
);

-- Boundaries

select
    lives_ok(
        format('select monitoring.define_job(%s)', arguments),
        'taken: ' || arguments
    )
from (
    values
    ($$repeat('x', 247), '1 second', 'errands.work()'$$),
    ($$'j', '1 hour', 'errands."Odd name"'$$),
    ($$'j', '3652 days', 'errands.work', 'Asia/Kathmandu', '0.001 seconds'$$)
) as taken (arguments);

select * from finish(); -- noqa: AM04
rollback;
