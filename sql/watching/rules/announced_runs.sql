-- When runs are expected as the program says that does them. Programs may not decide for people, so
-- that this is a door of its own: it changes what programs have said before, and no decision.
-- Writes expected_runs; waits for nobody who changes the same row.

-- Who is noted to have said when runs are expected where the program itself did.
create or replace function monitoring._announcer() returns text
language sql
immutable
return 'its program';

-- Whether a program may have runs of another type expected: it could make up names without end.
create or replace function monitoring._has_room_for_expected_runs() returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_most constant integer := 1000;
begin
    if (
        select count(*) from monitoring.expected_runs e
        where e.changed_by = monitoring._announcer()
    ) < v_most then
        return true;
    end if;
    perform monitoring._tell_repair(
        'expected_runs',
        array[
            'PV004',
            format('programs have said of %s task types when runs are expected', v_most),
            'Take back what is no longer true with remove_expected_runs().'
        ],
        'left out'
    );
    return false;
end
$$;

-- Whether what a program says is news that may be noted: nobody has decided about the type, and it
-- has not said the same before.
create or replace function monitoring._is_announcement(
    p_task_type text, p_schedule text, p_time_zone text, p_grace interval, p_counts text
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_said boolean;
begin
    select
        e.changed_by <> monitoring._announcer()
        or (e.schedule, e.time_zone, e.grace_seconds, e.counts)
        = (p_schedule, p_time_zone, date_part('epoch', p_grace), p_counts)
    into v_is_said
    from monitoring.expected_runs e
    where e.task_type = p_task_type;
    if not found then
        return monitoring._has_room_for_expected_runs();
    end if;
    if v_is_said then
        return false;
    end if;
    -- Where somebody is changing it, the program says so again with its next run.
    perform from monitoring.expected_runs e
    where e.task_type = p_task_type and e.changed_by = monitoring._announcer()
    for update skip locked;
    return found;
end
$$;

-- Notes when runs are expected; what define_expected_runs() would refuse is left out and told.
create or replace function monitoring._note_expected_runs(
    p_task_type text, p_schedule text, p_time_zone text, p_grace interval, p_counts text
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_hint text;
begin
    perform monitoring._set_expected_runs(
        p_task_type, p_schedule, p_time_zone, p_grace, interval '1 minute', true,
        monitoring._announcer(), p_counts
    );
    return true;
exception
    when others then
        if sqlstate !~ '^(PV|22)' then
            raise;
        end if;
        get stacked diagnostics v_hint = pg_exception_hint;
        perform monitoring._tell_repair(
            'expected_runs',
            array[sqlstate, sqlerrm, v_hint],
            format('when runs of "%s" are expected is left as it was', p_task_type)
        );
        return false;
end
$$;

create or replace function monitoring.record_expected_runs(
    p_task_type text,
    p_schedule text,
    p_time_zone text default 'UTC',
    p_grace interval default '5 minutes',
    p_counts text default 'successes'
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task_type constant text := monitoring._mended_name('task_type', p_task_type);
    v_time_zone constant text := coalesce(nullif(p_time_zone, ''), 'UTC');
    v_grace constant interval := coalesce(p_grace, interval '5 minutes');
    v_counts constant text := coalesce(p_counts, 'successes');
begin
    if not monitoring._is_announcement(v_task_type, p_schedule, v_time_zone, v_grace, v_counts) then
        return false;
    end if;
    return monitoring._note_expected_runs(v_task_type, p_schedule, v_time_zone, v_grace, v_counts);
end
$$;

comment on function monitoring.record_expected_runs(text, text, text, interval, text) is
'Notes when runs of a task type are expected, as the program says that does them; what people have '
'decided about the type stays. Returns whether that was news and could be noted.';
