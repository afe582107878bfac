-- What the recording functions of ETL refuse, and that a refused call writes nothing.

begin;
select plan(13);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

select monitoring.start_etl_execution('running');
select pg_temp.remember_state();

select
    is(
        (r.refusal).code || ' ' || (r.refusal).message,
        refused.expected,
        refused.call
    )
from (
    values
    ($$monitoring.start_etl_execution(null)$$, 'PV001 execution_id is empty: ""'),
    (
        $$monitoring.start_etl_execution('e', '[1]')$$,
        'PV005 config has the wrong shape: [1]'
    ),
    (
        $$monitoring.start_etl_execution('e', null, -1)$$,
        'PV004 total_fixtures is out of range: -1'
    ),
    (
        $$monitoring.start_etl_execution('e', null, 1, -2)$$,
        'PV004 total_chunks is out of range: -2'
    ),
    ($$monitoring.finish_etl_execution(' ')$$, 'PV001 execution_id is empty: " "'),
    (
        $$monitoring.finish_etl_execution('running', 'RUNNING')$$,
        'PV003 status is not known: "RUNNING"'
    ),
    (
        $$monitoring.finish_etl_execution('running', 'FAILED', 1, 1, 1, -3)$$,
        'PV004 failed_fixtures is out of range: -3'
    ),
    ($$monitoring.log_etl_event('LOUD', 'c', 'm')$$, 'PV003 level is not known: "LOUD"'),
    ($$monitoring.log_etl_event('INFO', null, 'm')$$, 'PV001 component is empty: ""'),
    (
        $$monitoring.record_etl_metric('e', 'm', 'NaN')$$,
        'PV004 value is out of range: NaN'
    ),
    (
        $$monitoring.record_etl_metric('e', 'm', 1, null, '[1]')$$,
        'PV005 tags has the wrong shape: [1]'
    )
) as refused (call, expected)
cross join lateral (select pg_temp.refusal_of(refused.call) as refusal) as r;

select is(
    (pg_temp.refusal_of($$monitoring.finish_etl_execution('running', 'DONE')$$)).hint,
    'Use one of: COMPLETED, FAILED, CANCELLED, TIMEOUT.',
    'a hint says what would be right'
);
select is(pg_temp.state(), pg_temp.remembered_state(), 'what is refused leaves nothing behind');

select * from finish(); -- noqa: AM04
rollback;
