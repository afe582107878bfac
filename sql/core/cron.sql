-- When a cron expression is due, as Debian's cron has it. Reads and writes nothing.
--
-- A day matches when month, day of month and day of week do; when neither of the two days begins
-- with a star, one of them is enough. What happens when clocks change depends on the job:
-- - Minute or hour begins with a star: the job goes by elapsed time. It runs whenever the clock
--   shows a time that matches, twice in an hour that comes twice, not at all in one that is left
--   out.
-- - Otherwise it is meant for certain times of the day. One that is left out is made up for right
--   after the change; one that comes twice is run at the first.
--
-- Everything is reckoned in local time, then placed on the time line. "at time zone" takes a local
-- time that exists twice for the later one, and one that does not exist as if the clocks had not
-- been changed yet.

-- First day from a given one on that matches a cron expression; null when none of the next 50
-- years does.
create or replace function monitoring._next_cron_day(
    p_fields text[], p_sets bit varying[], p_from date
)
returns date
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_either boolean := p_fields[3] !~ '^[*]' and p_fields[5] !~ '^[*]';
    v_month date := date_trunc('month', p_from::timestamp)::date;
    v_day integer := date_part('day', p_from)::integer;
    v_skip integer;
    v_days integer;
    v_dates bit varying;
    v_weekdays bit varying;
begin
    while v_month <= p_from + interval '50 years' loop
        v_skip := position(
            B'1' in substring(p_sets[4] || p_sets[4] from date_part('month', v_month)::integer)
        ) - 1;
        if v_skip > 0 then
            v_month := (v_month + make_interval(months => v_skip))::date;
            v_day := 1;
        end if;
        v_days := (v_month + interval '1 month')::date - v_month;
        v_dates := substring(p_sets[3] for v_days);
        v_weekdays := substring(
            p_sets[5] || p_sets[5] || p_sets[5] || p_sets[5] || p_sets[5] || p_sets[5]
            from date_part('dow', v_month)::integer + 1 for v_days
        );
        v_dates := case when v_is_either then v_dates | v_weekdays else v_dates & v_weekdays end;
        v_skip := position(B'1' in substring(v_dates from v_day));
        if v_skip > 0 then
            return v_month + (v_day + v_skip - 2);
        end if;
        v_month := (v_month + interval '1 month')::date;
        v_day := 1;
    end loop;
    return null;
end
$$;

-- The first number from a given one on whose bit is set, counting from 0; null when there is
-- none.
create or replace function monitoring._next_in_set(p_set bit varying, p_from integer)
returns integer
language sql
immutable
return nullif(position(B'1' in substring(p_set from p_from + 1)), 0) - 1 + p_from;

-- First local time after a given one that matches a cron expression, as if no clock were ever
-- changed; null when there is none within 50 years.
create or replace function monitoring._next_cron_local_time(
    p_fields text[], p_sets bit varying[], p_after timestamp
)
returns timestamp
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_from timestamp := date_trunc('minute', p_after) + interval '1 minute';
    v_day date := monitoring._next_cron_day(p_fields, p_sets, v_from::date);
    v_hour integer;
    v_minute integer;
begin
    while v_day is not null loop
        v_from := greatest(v_from, v_day::timestamp);
        v_hour := monitoring._next_in_set(p_sets[2], date_part('hour', v_from)::integer);
        v_minute := monitoring._next_in_set(
            p_sets[1],
            case when v_hour > date_part('hour', v_from) then 0
                else date_part('minute', v_from)::integer end
        );
        if v_hour is null then
            v_from := v_day + interval '1 day';
        elsif v_minute is null then
            v_from := v_day + make_interval(hours => v_hour + 1);
        else
            return v_day + make_interval(hours => v_hour, mins => v_minute);
        end if;
        v_day := monitoring._next_cron_day(p_fields, p_sets, v_from::date);
    end loop;
    return null;
end
$$;

-- How far a time zone is ahead of UTC at a given time.
create or replace function monitoring._utc_offset(p_at timestamptz, p_time_zone text)
returns interval
language sql
stable
return (p_at at time zone p_time_zone) - (p_at at time zone 'UTC');

-- When the clocks of a time zone were changed between two times at most days apart; null when
-- they were not.
create or replace function monitoring._find_clock_change(
    p_after timestamptz, p_until timestamptz, p_time_zone text
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_offset interval := monitoring._utc_offset(p_after, p_time_zone);
    v_before double precision := floor(date_part('epoch', p_after));
    v_from double precision := floor(date_part('epoch', p_until));
    v_middle double precision;
begin
    if monitoring._utc_offset(p_until, p_time_zone) = v_offset then
        return null;
    end if;
    while v_from - v_before > 1 loop
        v_middle := floor((v_before + v_from) / 2);
        if monitoring._utc_offset(to_timestamp(v_middle), p_time_zone) = v_offset then
            v_before := v_middle;
        else
            v_from := v_middle;
        end if;
    end loop;
    return to_timestamp(v_from);
end
$$;

-- First time after a given one at which the clocks of a time zone show what matches a cron
-- expression; null when there is none within 50 years.
create or replace function monitoring._next_elapsed_cron_time(
    p_fields text[], p_sets bit varying[], p_after timestamptz, p_time_zone text
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_at timestamptz := p_after;
    v_local timestamp := p_after at time zone p_time_zone;
    v_next timestamp := monitoring._next_cron_local_time(p_fields, p_sets, v_local);
    v_result timestamptz;
    v_change timestamptz;
begin
    -- From v_at, when the clock showed v_local, the clock goes on evenly until the next change.
    while v_next is not null loop
        v_result := (v_next - monitoring._utc_offset(v_at, p_time_zone)) at time zone 'UTC';
        v_change := monitoring._find_clock_change(v_at, v_at + interval '48 hours', p_time_zone);
        if v_result < v_change or (v_change is null and v_result <= v_at + interval '48 hours') then
            return v_result;
        end if;
        if v_change is not null then
            v_at := v_change;
            -- The time that the clock is set to may match as well.
            v_local := (v_change at time zone p_time_zone) - interval '1 microsecond';
        else
            -- Far away: there is nothing until shortly before it. No change is as large as two days.
            v_at := (v_next - interval '48 hours') at time zone p_time_zone;
            v_local := v_at at time zone p_time_zone;
        end if;
        v_next := monitoring._next_cron_local_time(p_fields, p_sets, v_local);
    end loop;
    return null;
end
$$;

-- The latest local time that the clocks of a time zone have shown by a given time: it stands
-- still while an hour comes a second time.
create or replace function monitoring._cron_clock(p_at timestamptz, p_time_zone text)
returns timestamp
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_local timestamp := p_at at time zone p_time_zone;
    v_change timestamptz := monitoring._find_clock_change(
        p_at - interval '24 hours', p_at, p_time_zone
    );
begin
    if v_change is null then
        return v_local;
    end if;
    return greatest(
        v_local,
        -- What the clock showed when it was set back, and never quite reached.
        (v_change at time zone 'UTC')
            + monitoring._utc_offset(p_at - interval '24 hours', p_time_zone)
            - interval '1 microsecond'
    );
end
$$;

-- When the clocks of a time zone first show a local time; when they leave it out, the moment
-- they are changed.
create or replace function monitoring._first_time_shown(p_local timestamp, p_time_zone text)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_result timestamptz := p_local at time zone p_time_zone;
    v_day_before timestamptz := v_result - interval '24 hours';
    v_change timestamptz := monitoring._find_clock_change(v_day_before, v_result, p_time_zone);
    v_earlier timestamptz;
begin
    if v_change is null then
        return v_result;
    end if;
    if v_result at time zone p_time_zone <> p_local then
        return v_change;
    end if;
    v_earlier := (p_local - monitoring._utc_offset(v_day_before, p_time_zone)) at time zone 'UTC';
    return case when v_earlier < v_change then v_earlier else v_result end;
end
$$;

-- Does the work of next_cron_time for an expression that has been read.
create or replace function monitoring._next_cron_time(
    p_fields text[], p_sets bit varying[], p_after timestamptz, p_time_zone text
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_fields[1] like '*%' or p_fields[2] like '*%' then
        return monitoring._next_elapsed_cron_time(p_fields, p_sets, p_after, p_time_zone);
    end if;
    return monitoring._first_time_shown(
        monitoring._next_cron_local_time(
            p_fields, p_sets, monitoring._cron_clock(p_after, p_time_zone)
        ),
        p_time_zone
    );
end
$$;

create or replace function monitoring.next_cron_time(
    p_expression text, p_after timestamptz, p_time_zone text default 'UTC'
)
returns timestamptz
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_fields text [] := monitoring._split_cron(p_expression);
    v_sets bit varying [] := monitoring._read_cron(v_fields);
begin
    perform monitoring._check_time_zone(p_time_zone);
    -- Beyond the years that have four digits there is no calendar to speak of.
    if (p_after between '0001-01-01 00:00+00' and '9900-01-01 00:00+00') is not true then
        return null;
    end if;
    return monitoring._next_cron_time(v_fields, v_sets, p_after, p_time_zone);
end
$$;

comment on function monitoring.next_cron_time(text, timestamptz, text) is
'First time after a given one at which a cron expression is due by the clocks of a time zone, as '
'Debian''s cron has it (docs/scheduler.md says what happens when clocks change). Null when there '
'is none within 50 years.';

-- How often a cron expression is due after one time and until another, the latter included;
-- counts no further than p_limit.
create or replace function monitoring._count_cron_times(
    p_expression text,
    p_after timestamptz,
    p_until timestamptz,
    p_time_zone text default 'UTC',
    p_limit integer default 1000
)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_fields text [] := monitoring._split_cron(p_expression);
    v_sets bit varying [] := monitoring._read_cron(v_fields);
    v_at timestamptz := p_after;
    v_count integer := 0;
begin
    perform monitoring._check_time_zone(p_time_zone);
    while v_count < p_limit loop
        v_at := monitoring._next_cron_time(v_fields, v_sets, v_at, p_time_zone);
        exit when (v_at <= p_until) is not true;
        v_count := v_count + 1;
    end loop;
    return v_count;
end
$$;
