-- How recording functions take what cannot be right: they record as much of it as can be, with a
-- WARNING that names the value and what would be right, and let it be seen as an error of component
-- pgvigil. With monitoring.strict = on they refuse it. Writes errors; waits for nobody.
-- A single call comes here only when its arguments are not plainly in order (checks.sql).

-- Whether this session wants bad values refused rather than repaired.
create or replace function monitoring._is_strict() returns boolean
language sql
stable
return coalesce(
    current_setting('monitoring.strict', true) ~* '^(on|true|yes|1)$', false
);

-- Raises a fault when this session wants bad values refused.
create or replace function monitoring._refuse_if_strict(p_fault text[]) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if monitoring._is_strict() then
        perform monitoring._raise(p_fault);
    end if;
end
$$;

-- Records that a value was repaired, once a minute for each kind of value.
create or replace function monitoring._show_repair(p_what text, p_message text, p_hint text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    -- No "on conflict" and no lock: two sessions may both tell of it, neither waits for the other.
    if exists (
        select from monitoring._all_errors e
        where e.task_id = 'pgvigil.repairs'
            and e.occurred_at > v_now - interval '1 minute'
            and e.occurred_at <= v_now
            and e.fingerprint = 'pgvigil.repaired:' || p_what
    ) or exists (
        select from monitoring.late_errors e
        where e.task_id = 'pgvigil.repairs'
            and e.occurred_at > v_now - interval '1 minute'
            and e.occurred_at <= v_now
            and e.fingerprint = 'pgvigil.repaired:' || p_what
    ) then
        return;
    end if;
    perform monitoring._record_error(
        'pgvigil.repairs', 'ValueRepaired', 'low', left(p_message, 8000), 'pgvigil',
        jsonb_build_object(
            'what', p_what, 'hint', p_hint, 'user', session_user,
            'application', current_setting('application_name')
        ),
        null, 'pgvigil.repaired:' || p_what, v_now
    );
exception
    -- Telling of a fault must not become one.
    when others then null;
end
$$;

-- Tells that a kind of value was not right, and what was done about it: a warning, in a bulk
-- call for the first five, and an error to be seen. With monitoring.strict = on it raises the
-- fault.
create or replace function monitoring._tell_repair(p_what text, p_fault text[], p_done text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_message text := p_fault[2] || '; ' || p_done;
    -- In a bulk call, how many were told before.
    v_told text := current_setting('monitoring.repairs', true);
begin
    perform monitoring._refuse_if_strict(p_fault);
    if v_told collate "C" ~ '^[0-9]{1,9}$' then
        perform set_config('monitoring.repairs', (v_told::integer + 1)::text, true);
        if v_told::integer >= 5 then
            return;
        end if;
    end if;
    raise warning using errcode = p_fault[1], message = v_message, hint = p_fault[3];
    perform monitoring._show_repair(p_what, v_message, p_fault[3]);
end
$$;

-- Begins a bulk call: from here on only the first repairs are told one by one.
create or replace function monitoring._begin_repairs() returns void
language sql
volatile
begin atomic
    select set_config('monitoring.repairs', '0', true);
end;

-- Ends a bulk call: tells how many repairs there were when not all were named.
create or replace function monitoring._end_repairs() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_told text := current_setting('monitoring.repairs', true);
begin
    perform set_config('monitoring.repairs', '', true);
    if v_told collate "C" ~ '^[0-9]{1,9}$' and v_told::integer > 5 then
        raise warning using
            message = format('%s values of this call were not right; the first 5 are named above',
                v_told),
            hint = 'set monitoring.strict = on makes the first one fail, to find where it is sent.';
    end if;
end
$$;
