-- Status changes by the thousand, for backfills. Writes status_changes, then record_states.

-- A change of status as a row. Its body is kept parsed, so that it makes such rows while
-- the table has a column more as well, where PL/pgSQL would miss one.
create or replace function monitoring._status_change(
    p_change_id bigint,
    p_dataset text,
    p_record_key text,
    p_recorded_at timestamptz,
    p_effective_at timestamptz,
    p_validation_type text,
    p_from_status text,
    p_to_status text,
    p_change_source text,
    p_actor text,
    p_source_name text,
    p_task_id text,
    p_details jsonb,
    p_login_name text
)
returns monitoring.status_changes
language sql
stable
return row(
    p_change_id, p_dataset, p_record_key, p_recorded_at, p_effective_at, p_validation_type,
    p_from_status, p_to_status, p_change_source, p_actor, p_source_name, p_task_id, p_details,
    p_login_name
)::monitoring.status_changes;

-- An array of status changes as rows, each checked; what does not say when it was recorded counts
-- as recorded when it happened, so that retention treats it by its age. In whose session it was
-- recorded is the word of an admin alone.
create or replace function monitoring._past_status_changes(p_rows jsonb)
returns monitoring.status_changes[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select monitoring._status_change(
            coalesce(
                monitoring._checked_own_id('change_id', r.change_id),
                nextval('monitoring.status_changes_change_id_seq')
            ),
            monitoring._checked_name('dataset', r.dataset),
            monitoring._checked_name('record_key', r.record_key),
            t.recorded_at,
            t.effective_at,
            coalesce(monitoring._checked_optional_name('validation_type', r.validation_type), ''),
            monitoring._checked_optional_name('from_status', r.from_status),
            monitoring._checked_optional_name('to_status', r.to_status),
            monitoring._checked_change_source(coalesce(r.change_source, 'SYSTEM')),
            monitoring._checked_optional_name('actor', r.actor),
            monitoring._checked_optional_name('source_name', r.source_name),
            monitoring._checked_optional_name('task_id', r.task_id),
            monitoring._capped_json(r.details),
            case
                when pg_has_role(session_user, current_user, 'member')
                    then coalesce(
                            monitoring._checked_optional_name('login_name', r.login_name), session_user
                        )
                else session_user::text
            end
        )
        from jsonb_to_recordset(p_rows) as r (
            change_id bigint,
            dataset text,
            record_key text,
            recorded_at timestamptz,
            effective_at timestamptz,
            validation_type text,
            from_status text,
            to_status text,
            change_source text,
            actor text,
            source_name text,
            task_id text,
            details jsonb,
            login_name text
        )
        -- Times are read once: a missing one is the present.
        cross join lateral (select monitoring._checked_time(r.effective_at) as effective_at) as e
        cross join lateral (
            select
                e.effective_at,
                -- No more than a day before, which is as far ahead as a time may be.
                greatest(
                    monitoring._checked_time(coalesce(r.recorded_at, e.effective_at)),
                    e.effective_at - interval '24 hours'
                ) as recorded_at
        ) as t
    );
end
$$;

-- Those of some status changes, in their order, that have not been loaded. Those with the numbers
-- p_complete say what the record was before, nothing if need be.
create or replace function monitoring._new_status_changes(
    p_changes monitoring.status_changes[], p_complete bigint[]
)
returns monitoring.status_changes[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select monitoring._status_change(
            c.change_id, c.dataset, c.record_key, c.recorded_at, c.effective_at, c.validation_type,
            c.from_status, c.to_status, c.change_source, c.actor, c.source_name, c.task_id,
            c.details, c.login_name
        )
        from unnest(p_changes) with ordinality c
        where not exists (
            select from monitoring.status_changes h
            where h.dataset = c.dataset and h.recorded_at = c.recorded_at
                and (
                    h.change_id = c.change_id
                    -- Where a record changed several times at once, one that says what it was
                    -- before cannot be told from one that says so again.
                    or (
                        h.record_key = c.record_key and h.validation_type = c.validation_type
                        and c.from_status is null and h.from_status = c.to_status
                        and c.change_id <> all (p_complete)
                    )
                )
        )
        and not exists (
            select from monitoring.late_status_changes h
            where h.dataset = c.dataset and h.recorded_at = c.recorded_at
                and (
                    h.change_id = c.change_id
                    or (
                        h.record_key = c.record_key and h.validation_type = c.validation_type
                        and c.from_status is null and h.from_status = c.to_status
                        and c.change_id <> all (p_complete)
                    )
                )
        )
        -- The join may go over history, and find them in another order.
        order by c.ordinality
    );
end
$$;

-- Statuses that records had before changes that come in after later ones, by their history.
create or replace function monitoring._statuses_before(p_changes monitoring.status_changes[])
returns table (change_id bigint, status text, effective_at timestamptz)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with late as materialized (
        select c.*
        from unnest(p_changes) c
        inner join monitoring.record_states s
            on s.dataset = c.dataset and s.record_key = c.record_key
                and s.effective_at > c.effective_at
        where c.validation_type = '' and c.from_status is null
    ),
    -- Most records changed a few days before: a look into a few partitions instead of all.
    -- Of several at once, which numbers put in any order, the first came from nothing.
    recent as materialized (
        select l.change_id, b.*
        from late l
        cross join lateral (
            select h.to_status, h.effective_at
            from monitoring._all_status_changes h
            where h.dataset = l.dataset and h.record_key = l.record_key and h.validation_type = ''
                and h.effective_at between l.effective_at - interval '7 days' and l.effective_at
                and h.recorded_at
                    between l.effective_at - interval '8 days' and l.effective_at + interval '1 day'
            order by h.effective_at desc, h.recorded_at desc, h.from_status is null,
                h.change_id desc
            limit 1
        ) b
    )
    select r.* from recent r
    union all
    select l.change_id, b.*
    from late l
    cross join lateral (
        select h.to_status, h.effective_at
        from monitoring._all_status_changes h
        where h.dataset = l.dataset and h.record_key = l.record_key and h.validation_type = ''
            and h.effective_at <= l.effective_at
        order by h.effective_at desc, h.recorded_at desc, h.from_status is null, h.change_id desc
        limit 1
    ) b
    where l.change_id not in (select r.change_id from recent r);
end
$$;

-- Status changes, in the order given, with the status that the record had before, where the
-- caller did not say.
create or replace function monitoring._with_status_before(
    p_changes monitoring.status_changes[], p_complete bigint[]
)
returns monitoring.status_changes[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
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
        )
        select monitoring._status_change(
            g.change_id, g.dataset, g.record_key, g.recorded_at, g.effective_at, g.validation_type,
            case
                when
                    g.from_status is not null or g.validation_type <> ''
                    or g.change_id = any (p_complete)
                    then g.from_status
                when g.told_before_at >= coalesce(s.effective_at, h.effective_at, '-infinity')
                    then g.told_before
                when s.effective_at is not null then s.status
                else h.status
            end,
            g.to_status, g.change_source, g.actor, g.source_name, g.task_id, g.details, g.login_name
        )
        from given g
        left join monitoring.record_states s
            on s.dataset = g.dataset and s.record_key = g.record_key
                and s.effective_at <= g.effective_at
        left join monitoring._statuses_before(p_changes) h on h.change_id = g.change_id
        order by g.ordinality
    );
end
$$;

-- Makes the newest of some changes, those with these numbers, the status of each record, unless
-- a later one is known.
create or replace function monitoring._remember_statuses(
    p_changes monitoring.status_changes[], p_change_ids bigint[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    insert into monitoring.record_states as s (
        dataset, record_key, status, effective_at, recorded_at, change_source, actor
    )
    -- The status is known from now on, however old it is: retention goes by that.
    select distinct on (c.dataset, c.record_key)
        c.dataset, c.record_key, c.to_status, c.effective_at, v_now, c.change_source, c.actor
    from unnest(p_changes) with ordinality c
    where c.change_id = any(p_change_ids) and c.validation_type = ''
    order by c.dataset, c.record_key, c.effective_at desc, c.ordinality desc
    on conflict (dataset, record_key) do update
        set
            status = excluded.status,
            effective_at = excluded.effective_at,
            recorded_at = excluded.recorded_at,
            change_source = excluded.change_source,
            actor = excluded.actor
        where excluded.effective_at >= s.effective_at;
end
$$;

-- Inserts an array of status changes, and makes the newest of each record its status; those
-- already there, and those that change nothing, are passed over.
create or replace function monitoring._insert_status_changes(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_changes monitoring.status_changes [];
    v_complete bigint [];
    v_written bigint [];
begin
    v_changes := monitoring._past_status_changes(p_rows);
    -- As load_history() marks them.
    v_complete := array(
        select (r.value ->> 'change_id')::bigint from jsonb_array_elements(p_rows) r
        where r.value ? 'is_complete' and r.value ->> 'change_id' is not null
    );
    v_changes := monitoring._new_status_changes(v_changes, v_complete);
    v_changes := array(
        select c from unnest(monitoring._with_status_before(v_changes, v_complete)) c
        where c.from_status is distinct from c.to_status
    );
    with placed as (
        insert into monitoring.status_changes
        select c.* from unnest(v_changes) c
        where not monitoring._is_late('status_changes', c.recorded_at)
        on conflict do nothing
        returning change_id
    ),
    late as (
        insert into monitoring.late_status_changes
        select c.* from unnest(v_changes) c
        where monitoring._is_late('status_changes', c.recorded_at)
            and not exists (
                select from monitoring.status_changes h
                where h.dataset = c.dataset
                    and h.recorded_at = c.recorded_at
                    and h.change_id = c.change_id
            )
            and not exists (
                select from monitoring.late_status_changes h
                where h.dataset = c.dataset
                    and h.recorded_at = c.recorded_at
                    and h.change_id = c.change_id
            )
        on conflict do nothing
        returning change_id
    )
    select coalesce(array_agg(w.change_id), '{}') into v_written
    from (select p.change_id from placed p union all select l.change_id from late l) w;
    perform monitoring._remember_statuses(v_changes, v_written);
    return cardinality(v_written)::bigint;
end
$$;

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
