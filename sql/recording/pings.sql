-- Pings: one word a call about work that has a name, as programs send them that know nothing but
-- an address. What they mean is what Healthchecks, whose clients send them, makes of them: a start
-- and an end of the same run id belong together, an end without a run id ends what runs, and an
-- end of what did not start is a run all the same. Writes pings, and through other functions what
-- they say.

do $$
begin
    perform monitoring._drop_former(
        'record_ping(text,text,text,text,boolean)', '_runs_ended_by_ping(text,text,text)',
        '_start_pinged(text,text)'
    );
end
$$;

-- The name that a ping is about, whose id may stand for it; null when it is not known.
create or replace function monitoring._known_ping(p_name text) returns text
language sql
stable
return (
    select p.ping_name from monitoring.pings as p
    where p.ping_name = p_name or p.ping_id::text = lower(p_name collate "C")
    order by p.ping_name = p_name desc
    limit 1
);

-- What the action of a ping means: start, log, completed or failed.
create or replace function monitoring._meaning_of_ping(p_action text) returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_action constant text := coalesce(btrim(lower(p_action collate "C")), '');
begin
    if v_action in ('', 'success') then
        return 'completed';
    elsif v_action in ('start', 'log') then
        return v_action;
    elsif v_action ~ '^[0-9]{1,3}$' and v_action::integer <= 255 then
        return case v_action::integer when 0 then 'completed' else 'failed' end;
    end if;
    if v_action <> 'fail' then
        -- What cannot be known is never shown as fine.
        perform monitoring._tell_repair(
            'action',
            monitoring._fault_of_choice(
                'action', p_action, array['success', 'start', 'fail', 'log', '0 to 255']
            ),
            'recorded as fail'
        );
    end if;
    return 'failed';
end
$$;

-- Runs of a name that a ping ends: the one of its run id, or else all that are running; one that
-- begins only now, or as long ago as it took, when none is.
create or replace function monitoring._runs_ended_by_ping(
    p_name text, p_task_id text, p_run_id text, p_duration interval default null
)
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_running text[];
begin
    select array_agg(a.task_id order by a.started_at) into v_running
    from monitoring.active_tasks a
    where a.task_type = p_name and (p_run_id is null or a.task_id = p_task_id);
    if v_running is not null then
        return v_running;
    end if;
    perform monitoring._start_pinged(
        p_name, p_task_id, monitoring.clock() - p_duration, p_run_id is null
    );
    return array[p_task_id];
end
$$;

-- Begins a run; a later one of the name makes up for it, although their ids differ.
create or replace function monitoring._start_pinged(
    p_name text,
    p_task_id text,
    p_started_at timestamptz default null,
    p_is_start_told boolean default true
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring.start_task_tracking(
        p_task_id,
        p_name,
        p_metadata => jsonb_build_object('work', p_name)
        || case when p_is_start_told then '{}' else '{"is_start_told": false}' end::jsonb,
        p_started_at => p_started_at
    );
end
$$;

-- Whether the start of a run id tells of a run that is known: one that is at work, or one whose end
-- came here before its start did.
create or replace function monitoring._is_run_known(p_task_id text) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now constant timestamptz := monitoring.clock();
begin
    return monitoring.update_task_progress(p_task_id) or exists (
        select from monitoring._all_finished_tasks t
        where t.task_id = p_task_id
            and t.finished_at > v_now - interval '1 minute'
            and t.metadata @> '{"is_start_told": false}'
    );
end
$$;

-- How long a run took, null when nobody says so or it cannot be.
create or replace function monitoring._mended_duration(p_duration interval) returns interval
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_duration between interval '0' and interval '1 year') is not false then
        return p_duration;
    end if;
    perform monitoring._tell_repair(
        'duration',
        monitoring._fault_of_number('duration', p_duration::text, 'an interval from 0 to 1 year'),
        'left out'
    );
    return null;
end
$$;

-- Records what a run that failed has said last.
create or replace function monitoring._record_failed_ping(
    p_name text, p_task_id text, p_action text, p_body text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_has_status constant boolean := btrim(p_action) ~ '^[0-9]+$';
    v_said constant text := substring(p_body from E'[^\r\n]*[^[:space:]][^\r\n]*');
begin
    perform monitoring.record_error(
        p_task_id,
        case when v_has_status then 'ExitStatus' else 'PingFailed' end,
        'high',
        coalesce(
            left(btrim(v_said), 1000),
            case
                when v_has_status then 'exit status ' || btrim(p_action)
                else 'it said that it failed'
            end
        ),
        p_name,
        case
            when v_has_status then jsonb_build_object('exit_status', btrim(p_action)::integer)
        end,
        p_body
    );
end
$$;

create or replace function monitoring.record_ping(
    p_name text,
    p_action text default 'success',
    p_run_id text default null,
    p_body text default null,
    p_is_created boolean default true,
    p_duration interval default null
)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_name text := monitoring._known_ping(p_name);
    v_is_new constant boolean := v_name is null;
    v_meaning constant text := monitoring._meaning_of_ping(p_action);
    v_body constant text := nullif(left(p_body, 8000), '');
    v_run_id text := nullif(btrim(lower(p_run_id collate "C")), '');
    v_task_id text;
    v_ended text;
begin
    if v_is_new then
        if p_is_created is not true then
            return null;
        end if;
        v_name := monitoring._mended_name('name', p_name);
        insert into monitoring.pings (ping_name, made_at, made_by)
        values (v_name, monitoring.clock(), session_user)
        on conflict do nothing;
    end if;
    if length(v_run_id) > 100 then
        v_run_id := md5(v_run_id);
    end if;
    v_task_id := concat_ws(':', left(v_name, 254 - coalesce(length(v_run_id), -1)), v_run_id);
    if v_meaning = 'start' then
        if v_run_id is null or not monitoring._is_run_known(v_task_id) then
            perform monitoring._start_pinged(v_name, v_task_id, null, true);
        end if;
    elsif v_meaning <> 'log' then
        foreach v_ended in array monitoring._runs_ended_by_ping(
            v_name, v_task_id, v_run_id, monitoring._mended_duration(p_duration)
        ) loop
            perform monitoring.complete_task_tracking(v_ended, v_meaning);
            v_task_id := v_ended;
        end loop;
    end if;
    if v_meaning = 'failed' then
        perform monitoring._record_failed_ping(v_name, v_task_id, p_action, v_body);
    elsif v_body is not null or v_meaning = 'log' then
        perform monitoring.record_log(v_name, 'INFO', coalesce(v_body, ''), p_task_id => v_task_id);
    end if;
    return case when v_is_new then 'created' else 'recorded' end;
end
$$;

comment on function monitoring.record_ping(text, text, text, text, boolean, interval) is
'Records a ping about work of a name, or of a ping_id: success, start, fail, log or an exit '
'status, with the id of the run, what it said (8,000 characters), and how long it took if no '
'start was sent. Returns created or recorded; null where the name is new and p_is_created false.';

create or replace function monitoring.define_ping(p_name text) returns uuid
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ping_id uuid;
begin
    insert into monitoring.pings as p (ping_name, made_at, made_by)
    values (monitoring._checked_name('name', p_name), monitoring.clock(), session_user)
    on conflict (ping_name) do update set ping_name = excluded.ping_name
    returning p.ping_id into v_ping_id;
    return v_ping_id;
end
$$;

comment on function monitoring.define_ping(text) is
'Makes a name known to pings and returns the ping_id that stands for it in an address; the same '
'again for a name that is known.';

create or replace function monitoring.remove_ping(p_name text) returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from monitoring.pings p where p.ping_name = p_name;
    return found;
end
$$;

comment on function monitoring.remove_ping(text) is
'Forgets a name of pings and its ping_id; runs that were recorded stay. False when there is none.';

create or replace view monitoring.v_pings as
select
    p.ping_name,
    p.made_at,
    p.made_by
from monitoring.pings as p;

comment on view monitoring.v_pings is
'Names that pings come under; not the ids, which stand for a right to ping.';
comment on column monitoring.v_pings.ping_name is
'Name of the work that pings are about; runs have it as their type.';
comment on column monitoring.v_pings.made_at is
'When the first ping came, or somebody defined it.';
comment on column monitoring.v_pings.made_by is
'Database user who did.';
