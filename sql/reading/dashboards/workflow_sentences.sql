-- What is said of a business day of a workflow, in sentences: times of day by the clocks of one
-- time zone, names of steps, reasons. Reads finished tasks for the reason of one.

-- A time as a sentence has it: of the 24 hours from one on by the clock alone, of others with
-- their day.
create or replace function monitoring._spell_moment(
    p_at timestamptz, p_time_zone text, p_from timestamptz
)
returns text
language sql
stable
return case
    when p_at >= p_from and p_at < p_from + '24 hours'::interval
        then to_char(monitoring._local_time(p_at, p_time_zone), 'HH24:MI')
    else to_char(monitoring._local_time(p_at, p_time_zone), 'FMDD Mon HH24:MI')
end;

-- Some names in a sentence: all of them, or the first three and how many there are besides.
create or replace function monitoring._spell_names(p_names text[]) returns text
language sql
stable
return array_to_string(p_names[1:3], ', ')
|| case
    when cardinality(p_names) > 3 then ' and ' || cardinality(p_names) - 3 || ' more' else ''
end;

-- A span of time as a sentence has it: 06:05 to 06:20; null where it is not known.
create or replace function monitoring._spell_span(
    p_from timestamptz, p_to timestamptz, p_time_zone text, p_day_start timestamptz
)
returns text
language sql
stable
return (
    select m.from_words || coalesce(' to ' || nullif(m.to_words, m.from_words), '')
    from (
        select
            monitoring._spell_moment(p_from, p_time_zone, p_day_start) as from_words,
            monitoring._spell_moment(p_to, p_time_zone, p_day_start) as to_words
    ) as m
);

-- Why the newest run of a step did not complete, in one line; null where nobody said.
create or replace function monitoring._reason_of_step(p_step monitoring.batch_step)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return (
        select monitoring._shortened(
            monitoring._one_line(monitoring._reason_of_end(
                t.task_id, t.metadata, t.started_at, t.finished_at
            )),
            200
        )
        from monitoring._all_finished_tasks t
        where t.finished_at = p_step.finished_at
            and t.task_id = p_step.task_id
            and t.task_type = p_step.step_name
        order by t.attempt desc
        limit 1
    );
end
$$;

-- The sentence about what went wrong: the first step of those in trouble, why, and what waits.
create or replace function monitoring._spell_trouble(
    p_troubled monitoring.batch_step[],
    p_waiting text[],
    p_time_zone text,
    p_day_start timestamptz,
    p_is_over boolean
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_step monitoring.batch_step := p_troubled[1];
    v_names text := monitoring._spell_names(
        array(select t.step_name from unnest(p_troubled) t)
    );
    v_ended text;
begin
    v_ended := case v_step.status
        when 'failed' then ' failed' || coalesce(
            ' at ' || monitoring._spell_moment(v_step.finished_at, p_time_zone, p_day_start), ''
        )
        when 'running' then ' still running since '
            || monitoring._spell_moment(v_step.started_at, p_time_zone, p_day_start)
        when 'late' then
            case when p_is_over then ' did not run' else ' has not begun' end
            || coalesce(
                ', due at ' || monitoring._spell_moment(v_step.due_at, p_time_zone, p_day_start), ''
            )
    end;
    return concat_ws(
        '; ',
        v_names || v_ended || coalesce(': ' || monitoring._reason_of_step(v_step), ''),
        case cardinality(p_waiting)
            when 0 then null
            when 1 then p_waiting[1] || case when p_is_over then ' did not run' else ' waits for it' end
            else format(
                case when p_is_over then '%s steps after it did not run: %s'
                    else '%s steps wait for it: %s' end,
                cardinality(p_waiting), monitoring._spell_names(p_waiting)
            )
        end
    );
end
$$;

-- Steps whose records are well outside of what is usual, as a sentence goes on; null for none.
create or replace function monitoring._spell_unusual_records(p_records jsonb) returns text
language sql
stable
return (
    select
        string_agg(
            format(
                '%s processed %s records, usually %s to %s',
                r.step_name,
                to_char(coalesce(r.records, 0), 'FM999,999,999,999,999,990'),
                to_char(r.usual_from, 'FM999,999,999,999,999,990'),
                to_char(r.usual_to, 'FM999,999,999,999,999,990')
            ),
            '; '
        )
    from jsonb_to_recordset(p_records)
            as r (
                step_name text,
                records bigint,
                usual_from double precision,
                usual_to double precision,
                is_unusual boolean
            )
    where r.is_unusual
);

-- What is said of a day that is not in trouble.
create or replace function monitoring._spell_progress(
    p_verdict text,
    p_steps monitoring.batch_step[],
    p_finished text,
    p_usual text,
    p_is_later boolean,
    p_time_zone text,
    p_day_start timestamptz
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_next monitoring.batch_step;
    v_done text;
begin
    if p_verdict = 'done' then
        return concat(
            'done', ' at ' || p_finished,
            case when p_is_later then format(', later than usual (%s)', p_usual)
                else ', usually ' || p_usual end
        );
    elsif p_verdict = 'off' then
        return 'nothing was due';
    elsif p_verdict = 'unknown' then
        return 'not known: it was not watched on that day';
    end if;
    select s.* into v_next
    from unnest(p_steps) s
    where s.status in ('running', 'pending') and not s.is_optional
    order by s.status = 'running' desc, s.position
    limit 1;
    select format('%s of %s steps done', count(*) filter (where s.status = 'complete'), count(*))
    into v_done
    from unnest(p_steps) s;
    return concat(
        v_done,
        case v_next.status
            when 'running' then format(
                ', %s running since %s', v_next.step_name,
                monitoring._spell_moment(v_next.started_at, p_time_zone, p_day_start)
            )
            else format(', next %s', v_next.step_name) || coalesce(
                ' at ' || monitoring._spell_moment(v_next.due_at, p_time_zone, p_day_start), ''
            )
        end,
        ', expected done at ' || monitoring._spell_moment(
            (
                select case when count(*) = count(s.clear_at) then max(s.clear_at) end
                from unnest(p_steps) s
            ),
            p_time_zone, p_day_start
        ),
        ', usually ' || p_usual
    );
end
$$;
