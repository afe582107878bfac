-- Rule duration_deviation: the mean duration against that of the same hour of past weeks.

begin;
select plan(15);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql

-- Interface

select results_eq(
    $$
        select t.low, t.medium, t.high, t.critical, r.comparison
        from monitoring.alert_rules as r
        inner join monitoring.alert_thresholds as t on r.rule_name = t.rule_name
        where r.rule_name = 'duration_deviation'
    $$,
    $$values (null::float8, 4::float8, 8::float8, null::float8, '>=')$$,
    'four standard deviations are much, eight very much'
);
select is_empty(
    $$select * from pg_temp.findings_of('duration_deviation')$$,
    'where nothing was recorded nothing is unusual'
);

-- Behaviour: in past weeks means of 90, 100 and 110 seconds; now 150, of five attempts.

create function pg_temp.hour_of(
    p_task_type text, p_week integer, p_mean float8, p_spread float8 default 0,
    p_at timestamptz default '2026-01-15 11:30+00'
) returns void
language sql
as $$
    select pg_temp.ended(
        p_task_type, 'completed', p_at - p_week * interval '7 days' + n * interval '1 second',
        p_mean + n * p_spread
    )
    from generate_series(-2, 2) as n
$$;

select pg_temp.hour_of('etl', w.week, w.mean, 1)
from (values (1, 90), (2, 100), (3, 110), (0, 150)) as w (week, mean);

select is_empty(
    $$select * from pg_temp.findings_of('duration_deviation')$$,
    'history counts as far as it is rolled up'
);
select pg_temp.roll_up_own('tasks');
select results_eq(
    $$select * from pg_temp.values_of('duration_deviation')$$,
    $$values ('etl', 5.000)$$,
    'the distance of the mean in standard deviations of the means of past weeks'
);
select results_eq(
    $$select labels, summary from pg_temp.findings_of('duration_deviation')$$,
    $$
        values (
            '{"task_type": "etl"}'::jsonb,
            'task type etl: 2 min 30 s on average, where 1 min 40 s was usual at this hour in 3 weeks'
        )
    $$,
    'the summary has both means'
);
select is_empty(
    $$select * from pg_temp.values_of('duration_deviation', '2026-01-15 12:31+00')$$,
    'past the middle of the hour another hour is compared with'
);
select is(
    (
        select value from pg_temp.values_of('duration_deviation', '2026-01-15 12:29:50+00')
    ),
    5.000,
    'before that it is the one in which most of the window lies'
);

select pg_temp.set_parameter('duration_deviation', 'min_weeks', '4');
select is_empty(
    $$select * from pg_temp.values_of('duration_deviation')$$, 'too short a history says nothing'
);
select pg_temp.set_parameter('duration_deviation', 'min_weeks', '3');
select pg_temp.set_parameter('duration_deviation', 'weeks', '2');
select is_empty(
    $$select * from pg_temp.values_of('duration_deviation')$$,
    'and further back than wanted none is looked at'
);
select pg_temp.set_parameter('duration_deviation', 'weeks', '8');
select pg_temp.set_parameter('duration_deviation', 'min_tasks', '6');
select is_empty(
    $$select * from pg_temp.values_of('duration_deviation')$$, 'too few attempts neither'
);
select pg_temp.set_parameter('duration_deviation', 'min_tasks', '5');
select pg_temp.set_parameter('duration_deviation', 'min_difference_percent', '51');
select is_empty(
    $$select * from pg_temp.values_of('duration_deviation')$$,
    'a small difference is none, however regular the task has been'
);
select pg_temp.set_parameter('duration_deviation', 'min_difference_percent', '25');
select pg_temp.forget_roll_ups();

-- Steadiness

select pg_temp.hour_of('steady', w, 0.010) from generate_series(1, 8) as w;
select pg_temp.hour_of('steady', 0, 0.0101);
select pg_temp.hour_of('slower', w, 0.010) from generate_series(1, 8) as w;
select pg_temp.hour_of('slower', 0, 0.020);
select pg_temp.hour_of('quicker', w, 10) from generate_series(1, 8) as w;
select pg_temp.hour_of('quicker', 0, 5);
-- Each week as the others, but no attempt as another: 40 to 160 seconds.
select pg_temp.hour_of('restless', w, 100, 30) from generate_series(1, 8) as w;
select pg_temp.hour_of('restless', 0, 150);
select pg_temp.hour_of('nothing', w, 0) from generate_series(0, 8) as w;
select pg_temp.hour_of(repeat('😀', 255), w, 1 + 9 * (w = 0)::integer)
from generate_series(0, 8) as w;
select pg_temp.roll_up_own('tasks');

select results_eq(
    $$
        select left(fingerprint, 8), value, left(summary, 26)
        from pg_temp.findings_of('duration_deviation')
        where fingerprint in ('steady', 'slower', 'quicker')
        order by 1
    $$,
    $$
        values ('quicker', 50::float8, 'task type quicker: 5 s on '),
            ('slower', 100, 'task type slower: 20 ms on')
    $$,
    'what never varied stands out by a hundredth of its length at most; quicker is unusual as well'
);
select is(
    (
        select round(value, 1)
        from pg_temp.values_of('duration_deviation')
        where fingerprint = 'restless'
    ),
    2.6,
    'where attempts differ, a mean of five may differ by as much as chance has it'
);
select ok(
    not exists (
        select from pg_temp.findings_of('duration_deviation') as f
        where f.labels ->> 'task_type' = 'nothing' and f.value > 0
    )
    and exists (
        select from pg_temp.findings_of('duration_deviation') as f
        where f.labels ->> 'task_type' = repeat('😀', 255) and length(f.summary) <= 500
    ),
    'tasks that take no time, and names of any length, are no trouble'
);

-- Clocks that were changed in between

select
    is(
        (monitoring._same_hours('2026-04-02 07:30+00', '1 hour', 2, 'Europe/Berlin')),
        array['2026-03-26 08:00+00', '2026-03-19 08:00+00']::timestamptz[],
        'the same hour is that of the clocks of the time zone'
    );

select * from finish(); -- noqa: AM04
rollback;
