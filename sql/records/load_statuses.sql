-- Status changes by the thousand, for backfills. Writes status_changes, then record_states.

create or replace function monitoring._past_status_changes(p_rows jsonb)
returns setof monitoring.status_changes
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        coalesce(
            monitoring._checked_own_id('change_id', r.change_id),
            nextval('monitoring.status_changes_change_id_seq')
        ),
        monitoring._checked_name('dataset', r.dataset),
        monitoring._checked_name('record_key', r.record_key),
        t.effective_at,
        t.effective_at,
        coalesce(monitoring._checked_optional_name('validation_type', r.validation_type), ''),
        monitoring._checked_optional_name('from_status', r.from_status),
        monitoring._checked_optional_name('to_status', r.to_status),
        monitoring._checked_change_source(coalesce(r.change_source, 'SYSTEM')),
        monitoring._checked_optional_name('actor', r.actor),
        monitoring._checked_optional_name('source_name', r.source_name),
        monitoring._checked_optional_name('task_id', r.task_id),
        monitoring._capped_json(r.details)
    from jsonb_to_recordset(p_rows) as r (
        change_id bigint,
        dataset text,
        record_key text,
        effective_at timestamptz,
        validation_type text,
        from_status text,
        to_status text,
        change_source text,
        actor text,
        source_name text,
        task_id text,
        details jsonb
    )
    -- Times are read once: a missing one is the present.
    cross join lateral (select monitoring._event_time(r.effective_at) as effective_at) as t;
end
$$;

comment on function monitoring._past_status_changes(jsonb) is
'An array of status changes as rows, each checked; what happened before counts as recorded when it '
'happened, so that retention treats it by its age.';

create or replace function monitoring._with_status_before(p_changes monitoring.status_changes[])
returns setof monitoring.status_changes
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with given as (
        select
            c.*,
            lag(c.to_status) over earlier as told_before,
            lag(c.effective_at) over earlier as told_before_at
        from unnest(p_changes) with ordinality c
        window earlier as (
            partition by c.dataset, c.record_key, c.validation_type
            order by c.effective_at, c.ordinality
        )
    ),
    -- Only what comes in after later changes must look into the history.
    history as (
        select distinct on (g.change_id) g.change_id, h.to_status, h.effective_at
        from given g
        inner join monitoring.record_states s
            on s.dataset = g.dataset and s.record_key = g.record_key
                and s.effective_at > g.effective_at
        inner join monitoring.status_changes h
            on h.dataset = g.dataset and h.record_key = g.record_key and h.validation_type = ''
                and h.effective_at <= g.effective_at and h.change_id <> g.change_id
        where g.validation_type = '' and g.from_status is null
        order by g.change_id, h.effective_at desc, h.recorded_at desc, h.change_id desc
    )
    select
        g.change_id, g.dataset, g.record_key, g.recorded_at, g.effective_at, g.validation_type,
        case
            when g.from_status is not null or g.validation_type <> '' then g.from_status
            when g.told_before_at >= coalesce(s.effective_at, h.effective_at, '-infinity')
                then g.told_before
            when s.effective_at is not null then s.status
            when h.effective_at is not null then h.to_status
            else g.told_before
        end,
        g.to_status, g.change_source, g.actor, g.source_name, g.task_id, g.details
    from given g
    left join monitoring.record_states s
        on s.dataset = g.dataset and s.record_key = g.record_key
            and s.effective_at <= g.effective_at
    left join history h on h.change_id = g.change_id
    order by g.ordinality;
end
$$;

comment on function monitoring._with_status_before(monitoring.status_changes[]) is
'Status changes, in the order given, with the status that the record had before, where the caller '
'did not say.';

create or replace function monitoring._insert_status_changes(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_written bigint;
begin
    with given as (
        select c.*
        from monitoring._with_status_before(
            array(select g from monitoring._past_status_changes(p_rows) g)
        ) with ordinality c
        where c.from_status is distinct from c.to_status
    ), written as (
        insert into monitoring.status_changes
        select
            g.change_id, g.dataset, g.record_key, g.recorded_at, g.effective_at, g.validation_type,
            g.from_status, g.to_status, g.change_source, g.actor, g.source_name, g.task_id,
            g.details
        from given g
        on conflict do nothing
        returning change_id, dataset, record_key, recorded_at
    ), newest as (
        select distinct on (g.dataset, g.record_key) g.*
        from given g
        inner join written w using (change_id, dataset, record_key, recorded_at)
        where g.validation_type = ''
        order by g.dataset, g.record_key, g.effective_at desc, g.ordinality desc
    ), known as (
        insert into monitoring.record_states as s (
            dataset, record_key, status, effective_at, recorded_at, change_source, actor
        )
        -- The status is known from now on, however old it is: retention goes by that.
        select n.dataset, n.record_key, n.to_status, n.effective_at, v_now, n.change_source, n.actor
        from newest n
        order by n.dataset, n.record_key
        on conflict (dataset, record_key) do update
            set
                status = excluded.status,
                effective_at = excluded.effective_at,
                recorded_at = excluded.recorded_at,
                change_source = excluded.change_source,
                actor = excluded.actor
            where excluded.effective_at >= s.effective_at
    )
    select count(*) into v_written from written;
    return v_written;
end
$$;

comment on function monitoring._insert_status_changes(jsonb) is
'Inserts an array of status changes, and makes the newest of each record its status; those already '
'there, and those that change nothing, are passed over.';

create or replace function monitoring.load_status_changes(p_changes jsonb) returns bigint
language sql
volatile
return monitoring._record_rows(
    'status_changes', 'status_history', 'effective_at', p_changes
);

comment on function monitoring.load_status_changes(jsonb) is
'Loads an array of past status changes, keys as the columns of status_history (dataset, record_key '
'and to_status needed), all or nothing, and returns how many were new. A missing from_status is '
'found in what is known; a row that carries its own, negative change_id is written once.';
