-- Whether pgvigil says how fresh is what it knows, and never takes what nobody looked at for fine.

begin;
select plan(18);
\ir helpers/fixed_clock.psql
set local timezone = 'UTC';

delete from monitoring.alert_rule_states;
update monitoring.jobs set last_started_at = null, next_run_at = '2026-01-15 12:00+00';

prepare known as
select
    subject,
    state,
    is_known,
    detail
from monitoring.v_freshness
order by subject;

create function pg_temp.state_of(p_subject text, p_now text) returns text
language sql
as $$
    select set_config('monitoring.now', p_now, true);
    select f.state from monitoring.v_freshness as f where f.subject = p_subject
$$;

-- Interface

select results_eq(
    'execute known',
    $$
        values
        ('alerts', 'never', false, 'no alert rule has ever run'),
        ('roll-ups', 'never', false, 'nothing was ever rolled up'),
        ('scheduler', 'never', false, 'no job has ever begun')
    $$,
    'after an installation nothing is known'
);

set local role monitoring_reader;
select results_eq(
    'select distinct is_known from monitoring.v_freshness', 'values (false)', 'readers may ask'
);
reset role;

-- Behaviour

select lives_ok('select monitoring.evaluate_alerts()', 'the rules run');

select results_eq(
    $$select known_at, state, is_known, seconds_old, detail from monitoring.v_freshness
    where subject = 'alerts'$$,
    $$
        values (
            '2026-01-15 12:00+00'::timestamptz, 'current', true, 0::double precision,
            'alert rules ran 0 s ago'
        )
    $$,
    'once they have, it is known as of then'
);

select is(pg_temp.state_of('alerts', '2026-01-15 12:03+00'), 'current', 'and for three minutes');
select is(pg_temp.state_of('alerts', '2026-01-15 12:03:01+00'), 'old', 'but not for longer');

select is(
    (select f.detail from monitoring.v_freshness as f where f.subject = 'alerts'),
    'alert rules ran 3 min 1 s ago',
    'the words say since when'
);

select is(
    pg_temp.state_of('alerts', '2026-01-14 12:00+00'), 'ahead',
    'what was found at a time that is yet to come is not known either'
);

select set_config('monitoring.now', '2026-01-15 13:00+00', true);
select monitoring.check_error_rate_alerts();
select is(
    pg_temp.state_of('alerts', '2026-01-15 13:00+00'), 'old',
    'one family of rules that was looked at does not make the others known'
);

select monitoring.evaluate_alerts();
select monitoring.change_alert_rule('queue_backlog', '{"for_seconds": 1}');
select is(
    pg_temp.state_of('alerts', '2026-01-15 13:01+00'), 'current',
    'a rule that was changed since waits for its turn'
);

select monitoring.define_job('evaluate_alerts', '1 hour', 'monitoring.evaluate_alerts');
select is(
    pg_temp.state_of('alerts', '2026-01-15 14:02+00'), 'current',
    'rules that are to run every hour are known for that hour'
);
select is(
    pg_temp.state_of('alerts', '2026-01-15 14:02:01+00'), 'old', 'and no more than that'
);
select monitoring.define_job('evaluate_alerts', '0 15 * * *', 'monitoring.evaluate_alerts');
select is(
    pg_temp.state_of('alerts', '2026-01-15 15:02+00')
    || pg_temp.state_of('alerts', '2026-01-15 15:03+00'),
    'currentold',
    'by the clock as well'
);

select monitoring.disable_job('evaluate_alerts');
select results_eq(
    $$select state, is_known, detail from monitoring.v_freshness where subject = 'alerts'$$,
    $$values ('off', false, 'alert rules are not run: job evaluate_alerts is disabled')$$,
    'where nothing is to look, that is said'
);

select monitoring.evaluate_alerts();
select is(
    pg_temp.state_of('alerts', '2026-01-15 15:03+00'), 'current',
    'whoever evaluates without the job knows all the same'
);

update monitoring.alert_rules set decided = decided || '{"is_enabled": false}';
select is(
    (select f.detail from monitoring.v_freshness as f where f.subject = 'alerts'),
    'no alert rule is enabled',
    'without a rule nothing is known'
);

-- The scheduler and sources

update monitoring.jobs set last_started_at = '2026-01-15 12:00+00' where job_name = 'clean_up';
select is(
    pg_temp.state_of('scheduler', '2026-01-15 12:03+00')
    || pg_temp.state_of('scheduler', '2026-01-15 12:04+00'),
    'currentold',
    'the scheduler is known while any job has begun lately'
);

create schema shop;
grant usage on schema shop to monitoring_reader, monitoring_admin;
create table shop.runs (run_id text, status text, started_at timestamptz, finished_at timestamptz);
grant select on shop.runs to monitoring_reader, monitoring_admin;
select monitoring.register_run_source(
    'shop', 'shop.runs',
    '{"run_id": "run_id", "status": "status", "started_at": "started_at",
    "finished_at": "finished_at"}',
    '{"done": "completed"}', 'shop.run'
);
update monitoring.sources set succeeded_at = '2026-01-15 12:00+00';
select is(
    pg_temp.state_of('source shop', '2026-01-15 12:17+00')
    || pg_temp.state_of('source shop', '2026-01-15 12:18+00'),
    'currentold',
    'a source is known until it should have been read again'
);

select * from finish(); -- noqa: AM04
rollback;
