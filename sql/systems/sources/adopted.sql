-- What views over adopted queues ask for: from when on they are to read, which runs are known to be
-- running, and how much had been done before. So a reading costs what is new since the last one,
-- however many jobs a system keeps. Reads sources, source_runs and queue_samples, writes nothing.

-- Whether a source reads a view that adopt() made.
create or replace function monitoring._is_adopted(p_relation_name text) returns boolean
language sql
stable
return starts_with(p_relation_name, 'monitoring.v_adopted_');

-- How many runs of an adopted system are read at a time: the oldest of what is new, and then more.
create or replace function monitoring._most_adopted_runs() returns integer
language sql
immutable
return 50000;

-- From when on runs that have ended are to be read: what ended since the last reading, with what
-- may have been committed late; the first time, the last hour.
create or replace function monitoring._adopted_since(p_source_name text) returns timestamptz
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := monitoring.clock();
    v_source monitoring.sources;
begin
    select s.* into v_source from monitoring.sources s
    where s.source_name = p_source_name and s.kind = 'run';
    if v_source.succeeded_at is null then
        return v_now - interval '1 hour';
    end if;
    return greatest(
        coalesce(
            -- More was new than is read at a time: on from there.
            (v_source.last_result ->> 'read_until')::timestamptz,
            v_source.succeeded_at - interval '5 minutes'
        ),
        v_now - monitoring._look_back(v_source)
    );
end
$$;

-- The runs of a source that were running when it was last read, to be looked for whatever has
-- become of them.
create or replace function monitoring._adopted_running(p_source_name text) returns text[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select k.run_id from monitoring.source_runs k
        where k.source_name = p_source_name and k.ended_at = 'infinity'
    );
end
$$;

-- The span of which ended jobs are still to be counted: from where the last reading of the queues
-- left off to a minute ago, so that those committed a little late are among them.
create or replace function monitoring._adopted_span(p_source_name text)
returns table (since timestamptz, until timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_until constant timestamptz := monitoring.clock() - interval '1 minute';
begin
    return query
    select
        greatest(
            least(max(s.succeeded_at) - interval '1 minute', v_until), v_until - interval '1 day'
        ),
        v_until
    from monitoring.sources s
    where s.source_name = p_source_name and s.kind = 'queue';
end
$$;

-- How many jobs of each queue had completed and failed at the last reading, of queues that had
-- any to do in the last hour.
create or replace function monitoring._adopted_totals(p_source_name text)
returns table (queue text, completed bigint, failed bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_now constant timestamptz := monitoring.clock();
begin
    return query
    select substr(t.name, length(s.settings ->> 'queue_name') + 2), n.completed, n.failed
    from monitoring.sources s
    cross join lateral unnest(s.told_queues) t (name)
    cross join lateral (
        select q.pending, q.processing, q.completed, q.failed
        from monitoring._all_queue_samples q
        where q.queue_name = t.name and q.recorded_at > v_now - interval '1 day'
            and q.recorded_at <= v_now
        order by q.recorded_at desc, q.sample_id desc
        limit 1
    ) n
    left join lateral (
        select q.completed, q.failed
        from monitoring._all_queue_samples q
        where q.queue_name = t.name and q.recorded_at > v_now - interval '1 day'
            and q.recorded_at <= v_now - interval '1 hour'
        order by q.recorded_at desc, q.sample_id desc
        limit 1
    ) o on true
    where s.source_name = p_source_name and s.kind = 'queue'
        -- One that has long been at rest is let go, and begins anew when there is work again.
        and not (
            n.pending + n.processing = 0
            and coalesce((n.completed, n.failed) = (o.completed, o.failed), false)
        );
end
$$;

-- Forgets runs of an adopted system that ended before any reading looks for them again: a busy
-- queue has millions a day.
create or replace function monitoring._forget_adopted_runs(p_source monitoring.sources)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from monitoring.source_runs k
    where k.source_name = p_source.source_name
        and k.ended_at < monitoring._adopted_since(p_source.source_name) - interval '1 hour';
end
$$;
