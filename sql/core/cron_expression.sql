-- Reading cron expressions: five fields, each turned into the set of its values, a bit for each.
-- Reads and writes nothing.

-- The five fields of a cron expression in lower case, those that a word such as @daily stands
-- for included; or PV003.
create or replace function monitoring._split_cron(p_expression text) returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_cron text := coalesce(monitoring._cron_of(p_expression), p_expression);
    v_text text := btrim(lower(v_cron collate "C"), E' \t\r\n');
    v_fields text [] := regexp_split_to_array(v_text, E'[ \t\r\n]+');
    v_words constant text [] := array[
        '@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually'
    ];
begin
    if cardinality(v_fields) = 5 then
        return v_fields;
    end if;
    if v_text like '@%' and cardinality(v_fields) = 1 then
        return case array_position(v_words, v_text)
            when 1 then '{0,*,*,*,*}'::text []
            when 2 then '{0,0,*,*,*}'::text []
            when 3 then '{0,0,*,*,*}'::text []
            when 4 then '{0,0,*,*,0}'::text []
            when 5 then '{0,0,1,*,*}'::text []
            when 6 then '{0,0,1,1,*}'::text []
            when 7 then '{0,0,1,1,*}'::text []
            else array[monitoring._refuse_choice('cron expression', p_expression, v_words)]
        end;
    end if;
    raise exception using
        errcode = 'PV003',
        message = case
            when p_expression is null then 'cron expression is missing: null'
            else format('cron expression has %s fields instead of 5: "%s"',
                case when v_text = '' then 0 else cardinality(v_fields) end,
                left(p_expression, 100))
        end,
        hint = format('Give minute, hour, day of month, month and day of week, such as '
            '"30 2 * * mon-fri", or one of: %s.', array_to_string(v_words, ', '));
end
$$;

-- One number or name of a cron field as a number; or PV003 for a word, PV004 for a number that
-- the field does not have.
create or replace function monitoring._read_cron_value(
    p_name text, p_value text, p_low integer, p_high integer, p_words text[]
)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_digits text := ltrim(p_value, '0');
begin
    if p_value !~ '^[0-9]+$' then
        if array_position(p_words, p_value) is null then
            perform monitoring._refuse_cron_field(p_name, p_value, p_low, p_high, p_words);
        end if;
        return array_position(p_words, p_value) - 1 + p_low;
    end if;
    -- Three digits are too many already, and more than nine are no integer.
    if length(v_digits) > 2 or ('0' || v_digits)::integer not between p_low and p_high then
        perform monitoring._refuse_number(
            p_name, left(p_value, 20), format('a number from %s to %s', p_low, p_high)
        );
    end if;
    return ('0' || v_digits)::integer;
end
$$;

-- Raises PV003 for a cron field that cannot be read.
create or replace function monitoring._refuse_cron_field(
    p_name text, p_value text, p_low integer, p_high integer, p_words text[]
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'PV003',
        message = format('%s of a cron expression is not understood: "%s"',
            p_name, left(p_value, 100)),
        hint = format('Give %s as *, a number from %s to %s%s, a range such as %s-%s, a step such as '
            '*/2, or several of these with commas between them.',
            p_name, p_low, p_high,
            ', a name from ' || p_words[1] || ' to ' || p_words[cardinality(p_words)],
            p_low + 1, p_high - 1);
end
$$;

-- One part of a list in a cron field (*, a value, a range, each with a step or without) as a bit
-- for each value from the lowest; or PV003, PV004.
create or replace function monitoring._read_cron_term(
    p_name text, p_term text, p_low integer, p_high integer, p_words text[]
)
returns bit varying
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_part text [] := regexp_match(
        p_term, '^(?:[*]|([0-9]+|[a-z]+)(?:-([0-9]+|[a-z]+))?)(?:/0*([0-9]*))?$'
    );
    v_from integer := p_low;
    v_to integer := p_high;
    v_step integer := 1;
begin
    if v_part is null or p_term like '%/' then
        perform monitoring._refuse_cron_field(p_name, p_term, p_low, p_high, p_words);
    end if;
    if v_part[1] is not null then
        v_from := monitoring._read_cron_value(p_name, v_part[1], p_low, p_high, p_words);
    end if;
    if v_part[2] is not null then
        v_to := monitoring._read_cron_value(p_name, v_part[2], p_low, p_high, p_words);
    elsif v_part[1] is not null and v_part[3] is null then
        v_to := v_from;
    end if;
    if v_from > v_to then
        raise exception using
            errcode = 'PV004',
            message = format('%s of a cron expression runs backwards: "%s"', p_name, left(p_term, 100)),
            hint = format('Give the lesser one first, or two ranges: %s-%s,%s-%s.',
                v_from, p_high, p_low, v_to);
    end if;
    if v_part[3] = '' then
        perform monitoring._refuse_number('step of ' || p_name, '0', 'a number from 1 up');
    elsif v_part[3] is not null then
        v_step := left(v_part[3], 9)::integer;
    end if;
    return (
        select string_agg(
            case when n.value between v_from and v_to and (n.value - v_from) % v_step = 0
                then '1' else '0' end,
            '' order by n.value
        )::bit varying
        from generate_series(p_low, p_high) n (value)
    );
end
$$;

-- One field of a cron expression as a bit for each of its values, from the lowest; or PV003,
-- PV004.
create or replace function monitoring._read_cron_field(
    p_name text, p_field text, p_low integer, p_high integer, p_words text[]
)
returns bit varying
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_set bit varying := repeat('0', p_high - p_low + 1)::bit varying;
    v_term text;
begin
    foreach v_term in array string_to_array(p_field, ',') loop
        v_set := (
            v_set | monitoring._read_cron_term(p_name, v_term, p_low, p_high, p_words)
        )::bit varying;
    end loop;
    return v_set;
end
$$;

-- Minutes, hours, days, months and weekdays of a cron expression's fields, each as a bit for
-- every value from the lowest (minute 0, day 1, Sunday); or PV003, PV004.
create or replace function monitoring._read_cron(p_fields text[]) returns bit varying[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_months constant text [] := array[
        'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'
    ];
    v_weekdays constant text [] := array['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
    v_week bit varying := monitoring._read_cron_field('day of week', p_fields[5], 0, 7, v_weekdays);
begin
    return array[
        monitoring._read_cron_field('minute', p_fields[1], 0, 59, null),
        monitoring._read_cron_field('hour', p_fields[2], 0, 23, null),
        monitoring._read_cron_field('day of month', p_fields[3], 1, 31, null),
        monitoring._read_cron_field('month', p_fields[4], 1, 12, v_months),
        -- Sunday is 0 as well as 7.
        (substring(v_week for 7) | (substring(v_week from 8) || B'000000'))::bit varying
    ];
end
$$;

-- Raises PV003 or PV004, naming field and value, unless a cron expression can be read.
create or replace function monitoring._check_cron(p_expression text) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._read_cron(monitoring._split_cron(p_expression));
end
$$;

-- Raises PV001 or PV007 unless it is the name of a time zone; abbreviations such as CEST are
-- none.
create or replace function monitoring._check_time_zone(p_time_zone text) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_known boolean;
begin
    perform monitoring._checked_name('time_zone', p_time_zone);
    -- What PostgreSQL takes for a time zone includes "Berlin+1", which it makes a zone of its own
    -- west of Greenwich, and "CEST", which knows no winter. A name with a slash can be none of
    -- these; for others the list of zones is read, which takes longer.
    if p_time_zone ~ '^[A-Za-z_]+(/[A-Za-z0-9_+-]+)+$' or p_time_zone = 'UTC' then
        begin
            v_is_known := '2000-01-01'::timestamp at time zone p_time_zone is not null;
        exception
            when invalid_parameter_value then
                v_is_known := false;
        end;
    else
        v_is_known := exists (
            select from pg_timezone_names z
            where lower(z.name collate "C") = lower(p_time_zone collate "C")
        );
    end if;
    if not v_is_known then
        perform monitoring._refuse_unknown(
            'time zone', p_time_zone,
            'Use UTC or a name of pg_timezone_names, such as Europe/Berlin.'
        );
    end if;
end
$$;
