-- get_queues and get_queue_trends: queues as they are, how fast they move, and one over time.

begin;
select plan(17);
\ir helpers/fixed_clock.psql

-- The clock says 2026-01-15 12:00 UTC. Of draining, 30 items came and 60 were done in 15 minutes;
-- its total began anew in between. Of growing nobody tells what is done.
select
    monitoring.record_queue_metrics(
        q.name, q.pending, q.processing, q.completed, q.failed, q.oldest,
        monitoring.clock() - make_interval(mins => q.ago)
    )
from (
    values
    ('draining', 50, 500, 0, 900, 9, 60),
    ('draining', 15, 120, 2, 1000, 10, 300),
    ('draining', 7, 100, 2, 1020, 10, 240),
    ('draining', 0, 90, 0, 38, 2, 120),
    ('growing', 30, 10, 0, 0, 0, null),
    ('growing', 0, 40, 0, 0, 0, 900),
    ('empty', 20, 0, 0, 7, 0, null),
    ('empty', 0, 0, 0, 7, 0, null),
    ('once', 3, 4, 1, 0, 0, null)
) as q (name, ago, pending, processing, completed, failed, oldest);
select monitoring.roll_up();
select monitoring.record_queue_metrics('fresh', 2);
select
    monitoring.record_queue_metrics(
        'yesterday', 5000, p_recorded_at => monitoring.clock() - '25 hours'::interval
    );

select results_eq(
    $$select queue_name, pending, oldest_ready_seconds from monitoring.get_queues()$$,
    $$
        values
        ('draining', 90::bigint, 120::double precision), ('growing', 40, 900), ('once', 4, null),
        ('fresh', 2, null), ('empty', 0, null)
    $$,
    'queues of a day by their newest sample, those first in which most waits'
);
select results_eq(
    $$
        select
            rate_seconds, pending_per_minute, completed_per_minute, failed_per_minute,
            round(arrived_per_minute::numeric, 6)
        from monitoring.get_queues(p_queue_name => 'draining')
    $$,
    $$values (900::double precision, -2::double precision, 58::double precision / 15,
        2::double precision / 15, round(28 / 15.0, 6))$$,
    'rates of a quarter of an hour, from totals that may begin anew'
);
select is(
    (select q.seconds_to_empty from monitoring.get_queues(p_queue_name => 'draining') as q),
    45 * 60::double precision, 'it is empty once what waits has gone at that rate'
);
select results_eq(
    $$
        select rate_seconds, pending_per_minute, seconds_to_empty, completed_per_minute,
            arrived_per_minute
        from monitoring.get_queues(p_queue_name => 'growing')
    $$,
    $$
        values (1800::double precision, 1::double precision, null::double precision,
            null::double precision, null::double precision)
    $$,
    'one that grows is never empty, and what nobody tells is not known'
);
select is(
    (select q.seconds_to_empty from monitoring.get_queues(p_queue_name => 'empty') as q),
    0::double precision, 'one in which nothing waits is empty now'
);
select is(
    (select q.pending_per_minute from monitoring.get_queues(p_queue_name => 'once') as q),
    null, 'one sample tells no rate'
);
select is(
    (select q.pending from monitoring.get_queues(p_queue_name => 'yesterday') as q),
    5000::bigint, 'one that is silent is found by its name'
);
select is_empty(
    $$select * from monitoring.get_queues(p_queue_name => 'unheard of')$$, 'no other is'
);
select results_eq(
    $$select depths[22:24] from monitoring.get_queues(p_queue_name => 'draining')$$,
    $$values (array[null, 240, 90]::double precision[])$$,
    'mean depth by hour, the present one last, rolled up or not'
);
select is(
    (select cardinality(q.depths) from monitoring.get_queues(p_queue_name => 'fresh') as q),
    24, 'of 24 hours'
);
select monitoring.set_alert_thresholds('queue_oldest_ready_age', '{"high": 600}');
select monitoring.evaluate_alerts();
select results_eq(
    $$
        select queue_name, alerts, worst_severity, trouble
        from monitoring.get_queues(p_is_troubled => true)
    $$,
    $$values ('growing', 1::bigint, 'high', 3), ('draining', 1, 'low', 1)$$,
    'with the alerts that fire about them'
);
select results_eq(
    $$
        select queue_name
        from monitoring.get_queues(
            p_limit => 2, p_after_trouble => 3, p_after_pending => 40, p_after_name => 'growing'
        )
    $$,
    array['draining', 'once'],
    'those in trouble come first, and a page begins after the last row of the page before'
);
select results_eq(
    $$select queue_name from monitoring.get_queues('DRAIN', true)$$, array['draining'],
    'a part of a name finds them, in any case'
);
select throws_ok(
    $$select * from monitoring.get_queues(p_limit => -1)$$, 'PV004', null,
    'a number of rows below none is refused'
);
select results_eq(
    $$
        select bucket_at, samples, max_pending, completed
        from monitoring.get_queue_trends(
            '2026-01-15 00:00+00', '2026-01-15 13:00+00', 'hour', 'draining'
        )
        order by bucket_at
    $$,
    $$
        values
        ('2026-01-15 11:00+00'::timestamptz, 3::bigint, 500::double precision,
            120::double precision),
        ('2026-01-15 12:00+00', 1, 90, 0)
    $$,
    'one queue by the hour'
);
select
    results_eq(
        format(
            $$
                select t from monitoring.get_queue_trends(%1$L, %2$L, %3$L, 'growing') as t
                order by t.bucket_at
            $$,
            '2026-01-01 00:00+00', '2026-01-16 00:00+00', r.resolution
        ),
        format(
            $$
                select t from monitoring.get_queue_trends(%1$L, %2$L, %3$L) as t
                where t.queue_name = 'growing'
                order by t.bucket_at
            $$,
            '2026-01-01 00:00+00', '2026-01-16 00:00+00', r.resolution
        ),
        'is as it is among all of them, by the ' || r.resolution
    )
from unnest(array['day', 'week']) as r (resolution);

select * from finish(); -- noqa: AM04
rollback;
