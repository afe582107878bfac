-- What status triggers do with the rows that a statement has changed. Writes record_states, then
-- status_changes. Whatever goes wrong is recorded as an error, and the program goes on.

-- Records that a trigger failed, and warns; never raises.
create or replace function monitoring._record_trigger_error(
    p_table text, p_dataset text, p_sqlstate text, p_message text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    raise warning 'pgvigil could not record changes of status in %: %', p_table, p_message;
    perform monitoring._record_error(
        '', 'StatusTriggerFailed', 'high',
        format('changes of status in %s were not recorded: %s', p_table, p_message), 'pgvigil',
        jsonb_build_object('table', p_table, 'dataset', p_dataset, 'sqlstate', p_sqlstate),
        null, null, null
    );
exception
    when others then
        raise warning 'pgvigil could not record that either: %', sqlerrm;
end
$$;

-- Who changes statuses in this session: what its program says of itself, or else the given
-- change source and the user.
create or replace function monitoring._teller_of_changes(
    p_change_source text, out change_source text, out actor text, out details jsonb
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_said constant text := nullif(current_setting('monitoring.change_source', true), '');
begin
    change_source := p_change_source;
    actor := left(
        coalesce(nullif(current_setting('monitoring.actor', true), ''), session_user), 255
    );
    if v_said <> p_change_source then
        if exists (select from monitoring.change_sources s where s.change_source = v_said) then
            change_source := v_said;
        else
            details := jsonb_build_object('unknown_change_source', left(v_said, 255));
        end if;
    end if;
end
$$;

-- Records the rows whose record has a status that takes effect later, which somebody told ahead.
create or replace function monitoring._track_late_rows(
    p_dataset text,
    p_change_source text,
    p_now timestamptz,
    p_actor text,
    p_details jsonb,
    p_keys text[],
    p_statuses text[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The statement is one of ours:
-- @plpgsql_check_options: security_warnings = off
begin
    if exists (
        select from unnest(p_keys) r (record_key)
        inner join monitoring.record_states k
            on k.dataset = p_dataset and k.record_key = monitoring._fitted_name(r.record_key)
        where k.effective_at > p_now
    ) then
        execute monitoring._status_change_statement(monitoring._status_rows_query(
            'select u.record_key, u.status from unnest($9, $10) u (record_key, status)'
        ), false, p_now)
        using p_dataset, p_change_source, p_now, null::text, null::text, false, p_actor, p_details,
            p_keys, p_statuses;
    end if;
end
$$;

-- Records what differs from the known statuses, as _status_change_statement does, in a statement
-- that is planned once a session: of rows that have changed, at one time, by one teller.
create or replace function monitoring._track_rows(
    p_dataset text,
    p_change_source text,
    p_now timestamptz,
    p_keys text[],
    p_statuses text[],
    p_previous_statuses text[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Left to itself PostgreSQL plans for each number of rows anew, which takes longer than the rest.
set plan_cache_mode = force_generic_plan
-- The plan may be older than most of the records.
set enable_seqscan = off
as $$
declare
    v_teller record;
    v_is_late boolean := not monitoring._has_partition('status_changes', p_now);
    v_changes bigint;
begin
    select t.change_source, t.actor, t.details into v_teller
    from monitoring._teller_of_changes(p_change_source) t;
    with told as (
        select distinct on (f.record_key) f.record_key, f.status, f.previous_status
        from (
            select
                monitoring._fitted_name(r.record_key) as record_key,
                monitoring._capped_text(r.status, 255) as status,
                monitoring._capped_text(r.previous_status, 255) as previous_status,
                r.number
            from unnest(p_keys, p_statuses, p_previous_statuses)
                with ordinality r (record_key, status, previous_status, number)
            where btrim(r.record_key) <> ''
        ) f
        order by f.record_key, f.number desc
    ),
    applied as (
        insert into monitoring.record_states as s (
            dataset, record_key, status, previous_status, effective_at, recorded_at, change_source,
            actor
        )
        -- Where retention forgot a status, or nobody told it, the row before says what it was.
        -- What never had one cannot lose it.
        select p_dataset, t.record_key, t.status, t.previous_status, p_now, p_now,
            v_teller.change_source, v_teller.actor
        from told t
        where coalesce(t.status, t.previous_status, (
            select k.status from monitoring.record_states k
            where k.dataset = p_dataset and k.record_key = t.record_key
        )) is not null
        order by t.record_key
        on conflict (dataset, record_key) do update
            set
                previous_status = s.status,
                status = excluded.status,
                effective_at = excluded.effective_at,
                recorded_at = excluded.recorded_at,
                change_source = excluded.change_source,
                actor = excluded.actor
            where s.status is distinct from excluded.status
                and (
                    s.effective_at <= excluded.effective_at
                    -- Recorded by a clock that was ahead; others may be told ahead.
                    or s.recorded_at > excluded.recorded_at + interval '1 minute'
                )
        returning s.record_key, s.previous_status, s.status
    ),
    placed as (
        insert into monitoring.status_changes (
            dataset, record_key, recorded_at, effective_at, from_status, to_status, change_source,
            actor, details
        )
        select p_dataset, a.record_key, p_now, p_now, a.previous_status, a.status,
            v_teller.change_source, v_teller.actor, v_teller.details
        from applied a
        where not v_is_late
        order by a.record_key
    ),
    late as (
        insert into monitoring.late_status_changes (
            dataset, record_key, recorded_at, effective_at, from_status, to_status, change_source,
            actor, details
        )
        select p_dataset, a.record_key, p_now, p_now, a.previous_status, a.status,
            v_teller.change_source, v_teller.actor, v_teller.details
        from applied a
        where v_is_late
        order by a.record_key
    )
    select count(*) into v_changes from applied;
    if v_changes < cardinality(p_keys) then
        perform monitoring._track_late_rows(
            p_dataset, v_teller.change_source, p_now, v_teller.actor, v_teller.details, p_keys,
            p_statuses
        );
    end if;
end
$$;

-- Trigger function that records what a statement has done to the statuses in a table.
--
-- Arguments: dataset, status column, change source, key columns. Serves truncates, and tables
-- that were attached by a pgvigil that made no functions for them.
create or replace function monitoring._track_trigger() returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- A key must not depend on how the session of the program writes values.
set datestyle = 'ISO'
set timezone = 'UTC'
set extra_float_digits = 1
-- Rows that a policy hides are not rows that are not there.
set row_security = off
as $$
-- The queries are ours, with their names quoted.
-- @plpgsql_check_options: security_warnings = off
declare
    v_table constant text := format('%I.%I', tg_table_schema, tg_table_name);
    v_now timestamptz;
    v_rows text;
    v_keys text [];
    v_statuses text [];
    v_previous_statuses text [];
begin
    v_now := monitoring.clock();
    v_rows := monitoring._rows_of_trigger(tg_op, v_table, tg_argv[3:], tg_argv[1]);
    -- The rows of a truncated table are read from the table itself.
    if tg_op = 'TRUNCATE' and monitoring._reads_as_reader(v_table, tg_argv[3:] || tg_argv[1]) then
        v_rows := monitoring._query_as_reader(
            v_rows, array['record_key', 'status', 'previous_status'], array['text', 'text', 'text']
        );
    end if;
    execute monitoring._first_rows(v_rows)
    into v_keys, v_statuses, v_previous_statuses;
    if cardinality(v_keys) <= 1000 then
        perform monitoring._track_rows(
            tg_argv[0], tg_argv[2], v_now, v_keys, v_statuses, v_previous_statuses
        );
    elsif v_keys is not null then
        for v_keys, v_statuses, v_previous_statuses in
            execute monitoring._batches_of_rows(v_rows)
        loop
            perform monitoring._track_rows(
                tg_argv[0], tg_argv[2], v_now, v_keys, v_statuses, v_previous_statuses
            );
        end loop;
    end if;
    return null;
exception
    when others then
        perform monitoring._record_trigger_error(v_table, tg_argv[0], sqlstate, sqlerrm);
        return null;
end
$$;
