-- Rows to measure with, the same in every run: each call sets its own seed.
-- Everything ends or happens in the order of time, spread evenly, as if recorded at once.
create schema bench;

create function bench.normal() returns double precision
language sql
volatile
return sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random());

-- Eight types and three statuses, so 24 groups; durations are log-normal, each type its own.
create function bench.add_tasks(p_from timestamptz, p_to timestamptz, p_rows bigint, p_seed integer)
returns void
language plpgsql
as $$
begin
    perform setseed(p_seed / 100000.0);
    insert into monitoring.finished_tasks (
        task_id, attempt, task_type, status, started_at, finished_at, duration_ms, input_size,
        output_size, worker_id
    )
    select
        'task-' || p_seed || '-' || r.n, 1, 'type-' || r.kind,
        case when r.dice < 0.95 then 'completed' when r.dice < 0.99 then 'failed' else 'timeout' end,
        r.finished_at - r.duration_ms * interval '1 millisecond', r.finished_at, r.duration_ms,
        5000 + r.n % 1000, 4000 + r.n % 1000, 'worker-' || r.n % 16
    from (
        select
            g.n,
            k.kind,
            random() as dice,
            p_from + (p_to - p_from) * ((g.n - 0.5) / p_rows) as finished_at,
            exp(4 + k.kind * 0.5 + (0.4 + k.kind * 0.1) * bench.normal()) as duration_ms
        from generate_series(1, p_rows) g (n)
        -- Looks at n, so that every row throws the dice anew.
        cross join lateral (select floor(random() * 8 + 0 * g.n)::integer as kind) k
    ) r;
end
$$;

-- Two hundred groups; the higher its number, the seldomer it happens.
create function bench.add_errors(p_from timestamptz, p_to timestamptz, p_rows bigint, p_seed integer)
returns void
language plpgsql
as $$
begin
    perform setseed(p_seed / 100000.0);
    insert into monitoring.errors (
        task_id, occurred_at, error_type, severity, message, component, fingerprint
    )
    select
        'task-' || p_seed || '-' || r.n,
        p_from + (p_to - p_from) * ((r.n - 0.5) / p_rows),
        (array['TimeoutError', 'ValueError', 'OSError', 'KeyError', 'ParseError'])[1 + r.kind % 5],
        (array['low', 'medium', 'medium', 'high', 'high', 'critical'])[1 + r.kind % 6],
        format('stage %s could not read document %s after %s ms', r.kind, r.n, r.n % 977),
        'component-' || r.kind % 7,
        md5('group ' || r.kind)
    from (
        select g.n, floor(200 * power(random() + 0 * g.n, 3))::integer as kind
        from generate_series(1, p_rows) g (n)
    ) r;
end
$$;

-- Twenty components and ten queues, looked at in turn.
create function bench.add_samples(
    p_from timestamptz, p_to timestamptz, p_rows bigint, p_seed integer
)
returns void
language plpgsql
as $$
begin
    perform setseed(p_seed / 100000.0);
    insert into monitoring.health_probes (
        component_name, component_type, checked_at, status, response_time_ms
    )
    select
        'component-' || g.n % 20, 'service', p_from + (p_to - p_from) * ((g.n - 0.5) / p_rows),
        case when random() < 0.98 then 'healthy' when random() < 0.5 then 'degraded' else 'unhealthy' end,
        exp(3 + 0.5 * bench.normal())
    from generate_series(1, p_rows) g (n);

    insert into monitoring.queue_samples (
        queue_name, recorded_at, pending, processing, completed, failed, oldest_ready_seconds
    )
    select
        'queue-' || g.n % 10, p_from + (p_to - p_from) * ((g.n - 0.5) / p_rows),
        floor(random() * 1000), floor(random() * 20),
        1000 * extract(epoch from p_from)::bigint / 60 + g.n * 10,
        g.n / 10, exp(bench.normal())
    from generate_series(1, p_rows) g (n);
end
$$;

-- What a scheduler has done by the time that people look: minutes kept for two days only.
create function bench.forget_old_minutes(p_now timestamptz) returns void
language plpgsql
as $$
begin
    delete from monitoring.rollups_minute where bucket_at < p_now - interval '2 days';
end
$$;
