-- Checks of times and days that operators and readers give, once, before anything is reckoned with
-- them: what has no end, or lies beyond the years that programs can write, is refused with PV006.
-- For moments of evaluation and of what was checked there is _checked_time(), for events that
-- recording functions are told of _event_time().

-- Stands alone, for readers call it through functions that are inlined.

-- A time that something is asked about, null when missing, or PV006 unless from 1970 up to ten
-- years from now.
create or replace function monitoring._checked_moment(p_what text, p_at timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_at is null
        or p_at >= '1970-01-01 00:00+00' and p_at <= monitoring.clock() + interval '10 years'
    then
        return p_at;
    end if;
    raise exception using
        errcode = 'PV006',
        message = format('%s is impossible: %s', p_what, p_at),
        hint = 'Give a time from 1970-01-01 up to ten years from now.';
end
$$;

-- PV006: a day lies before 1970 or more than a thousand days ahead.
create or replace function monitoring._fault_of_date(p_what text, p_date date) returns text[]
language sql
stable
return array[
    'PV006',
    format('%s is impossible: %s', p_what, coalesce(p_date::text, 'null')),
    'Give a day from 1970-01-01 up to a thousand days from now, such as 2026-01-15.'
];

-- Whether records can be of a day: from 1970 up to a thousand days ahead.
create or replace function monitoring._is_possible_date(p_date date) returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_date between '1970-01-01' and (monitoring.clock() at time zone 'UTC')::date + 1000;
end
$$;

-- The day that records are of, null when missing, or PV006 unless from 1970 up to a thousand
-- days ahead.
create or replace function monitoring._checked_date(p_what text, p_date date) returns date
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_date is not null and not monitoring._is_possible_date(p_date) then
        perform monitoring._raise(monitoring._fault_of_date(p_what, p_date));
    end if;
    return p_date;
end
$$;

-- The business day that something is asked about, null when missing, or PV004 unless from 1970
-- to 2999.
create or replace function monitoring._checked_business_date(p_what text, p_date date) returns date
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_date not between '1970-01-01' and '2999-12-31' then
        perform monitoring._refuse_number(
            p_what, p_date::text, 'a date from 1970-01-01 to 2999-12-31'
        );
    end if;
    return p_date;
end
$$;

-- A length of time as documents have it, the same in every session and to be read back exactly;
-- forever when there is none. Sentences take _spell_seconds().
create or replace function monitoring._written_length(p_length interval) returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_words text;
begin
    select string_agg(format('%s %s%s', u.amount, u.unit, case u.amount when 1 then '' else 's' end), ' ')
    into v_words
    from unnest(
        array[
            date_part('year', p_length), date_part('month', p_length), date_part('day', p_length),
            date_part('hour', p_length), date_part('minute', p_length),
            ceil(date_part('second', p_length))
        ],
        array['year', 'month', 'day', 'hour', 'minute', 'second']
    ) u (amount, unit)
    where u.amount > 0;
    return coalesce(v_words, 'forever');
end
$$;
