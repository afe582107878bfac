-- The values of recording functions as they can be recorded: names, words, numbers and times.
-- What is changed or left out is told (repairs.sql).

-- Names

-- A name with one blank for each run of control characters and of blanks other than the plain
-- one, and without marks that have no width.
create or replace function monitoring._printable_name(p_value text) returns text
language sql
stable
return btrim(regexp_replace(
    -- Marks without a width, which make two names look like one.
    regexp_replace(
        p_value collate "C",
        '[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]', '', 'g'
    ),
    '[\u0001-\u001f\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+', ' ', 'g'
));

-- A name that can be kept, and told of when it is another than the given one; (unnamed), or null
-- where none is needed, when nothing is left of it.
create or replace function monitoring._mend_name(p_what text, p_value text, p_is_needed boolean)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_name text := monitoring._fitted_name(monitoring._printable_name(p_value));
begin
    if coalesce(v_name, '') = '' then
        if not p_is_needed then
            return null;
        end if;
        v_name := '(unnamed)';
    end if;
    perform monitoring._tell_repair(
        p_what, monitoring._fault_of_name(p_what, p_value), format('recorded as "%s"', v_name)
    );
    return v_name;
end
$$;

-- Whether a name is there, printable and at most 255 characters long.
create or replace function monitoring._is_plain_name(p_value text) returns boolean
language sql
stable
return length(p_value) <= 255
and btrim(p_value) collate "C" <> ''
and monitoring._is_printable(p_value);

-- The name, as it can be recorded; (unnamed) when it is missing or blank.
create or replace function monitoring._mended_name(p_what text, p_value text) returns text
language sql
volatile
return case
    -- Blanks around a name are the caller's.
    when monitoring._is_plain_name(p_value) then p_value
    else monitoring._mend_name(p_what, p_value, true)
end;

-- The name of a dataset or validation, whatever characters it has, for others know it by that;
-- (unnamed) when it is missing or blank, its beginning and a checksum when it is too long.
create or replace function monitoring._mended_key(p_what text, p_value text) returns text
language sql
volatile
return case
    when btrim(p_value, E' \t\r\n') collate "C" <> '' and length(p_value) <= 255 then p_value
    else monitoring._mend_name(p_what, p_value, true)
end;

-- The name, as it can be recorded; null when it is missing or blank.
create or replace function monitoring._mended_optional_name(p_what text, p_value text)
returns text
language sql
volatile
return case
    when p_value is null or p_value = '' then null
    when monitoring._is_plain_name(p_value) then p_value
    else monitoring._mend_name(p_what, p_value, false)
end;

-- Words

-- The meaning of a word; the one for unclear words, and told of, when nobody knows it.
create or replace function monitoring._mend_word(
    p_what text, p_kind text, p_value text, p_allowed text[], p_unclear text
) returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_word text := monitoring._meaning(p_kind, p_value);
begin
    if v_word is not null and not monitoring._is_strict() then
        return v_word;
    end if;
    perform monitoring._tell_repair(
        p_what, monitoring._fault_of_choice(p_what, p_value, p_allowed), 'recorded as ' || p_unclear
    );
    return p_unclear;
end
$$;

-- The severity that a word means; medium when it is not clear.
create or replace function monitoring._mended_severity(p_value text) returns text
language sql
volatile
return case
    when p_value in ('low', 'medium', 'high', 'critical') then p_value
    else monitoring._mend_word(
            'severity', 'severity', p_value, array['low', 'medium', 'high', 'critical'], 'medium'
        )
end;

-- The status of an end that a word means; failed when it is not clear.
create or replace function monitoring._mended_end_status(p_value text) returns text
language sql
volatile
return case
    when p_value in ('completed', 'failed', 'cancelled', 'timeout', 'lost') then p_value
    -- What cannot be known is never shown as fine.
    else monitoring._mend_word(
            'status', 'status', p_value,
            array['completed', 'failed', 'cancelled', 'timeout', 'lost'], 'failed'
        )
end;

-- The state of health that a word means; unknown when it is not clear.
create or replace function monitoring._mended_health(p_value text) returns text
language sql
volatile
return case
    when p_value in ('healthy', 'degraded', 'unhealthy', 'unknown') then p_value
    else monitoring._mend_word(
            'health status', 'health', p_value,
            array['healthy', 'degraded', 'unhealthy', 'unknown'], 'unknown'
        )
end;

-- The log level that a word means; WARNING when it is not clear.
create or replace function monitoring._mended_level(p_value text) returns text
language sql
volatile
return case
    when p_value in ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL') then p_value
    -- The letters of the database's language may have an upper case of their own.
    when upper(p_value collate "C") in ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')
        then upper(p_value collate "C")
    when upper(p_value collate "C") = 'WARN' then 'WARNING'
    when upper(p_value collate "C") = 'FATAL' then 'CRITICAL'
    else monitoring._mend_word(
            'level', 'level', p_value, array['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'],
            'WARNING'
        )
end;

-- Numbers

-- Null for a count or size that is negative or no number, which is told.
create or replace function monitoring._mend_size(p_what text, p_value text) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    -- What a float was that is no whole number
    v_text text := coalesce(nullif(p_value, '-9223372036854775808'), 'no such number');
begin
    perform monitoring._tell_repair(
        p_what, monitoring._fault_of_number(p_what, v_text, 'a number from 0 up'), 'left out'
    );
    return null;
end
$$;

-- The count or size as a whole number, null when it is missing or cannot be one.
create or replace function monitoring._mended_size(p_what text, p_value bigint) returns bigint
language sql
volatile
return case
    when p_value is null or p_value >= 0 then p_value
    else monitoring._mend_size(p_what, p_value::text)
end;

-- The whole number nearest to a count that a single call tells; the least of all for what is
-- none, which is refused or left out as a negative one is.
create or replace function monitoring._whole(p_value double precision) returns bigint
language sql
stable
return case
    when p_value >= -9e18 and p_value < 9223372036854775807 then p_value::bigint
    -- As near as a float comes to the largest whole number
    when p_value = 9223372036854775807 then 9223372036854775807
    when p_value is not null then -9223372036854775808
end;

-- Null for a length of time that is negative or no number, which is told.
create or replace function monitoring._mend_length(p_what text, p_value text)
returns double precision
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._tell_repair(
        p_what, monitoring._fault_of_number(p_what, p_value, 'a number from 0 to 1e100'), 'left out'
    );
    return null;
end
$$;

-- The length of time, null when it is missing or not from 0 to 1e100.
create or replace function monitoring._mended_length(p_what text, p_value double precision)
returns double precision
language sql
volatile
return case
    when p_value is null or p_value between 0 and '1e100' then p_value
    else monitoring._mend_length(p_what, p_value::text)
end;

-- The nearest value that can be kept, or null when it is no number, which is told.
create or replace function monitoring._mend_value(p_value double precision)
returns double precision
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_fault text[] := monitoring._fault_of_number(
        'value', p_value::text, 'a number from -1e100 to 1e100'
    );
begin
    if abs(p_value) < 'Infinity' then
        p_value := sign(p_value) * '1e100'::double precision;
        perform monitoring._tell_repair('value', v_fault, format('recorded as %s', p_value));
        return p_value;
    end if;
    perform monitoring._tell_repair('value', v_fault, 'left out');
    return null;
end
$$;

-- The measured value, at most 1e100 in size; null when there is none, for what was not measured
-- has no sample.
create or replace function monitoring._mended_value(p_value double precision)
returns double precision
language sql
volatile
return case
    -- Larger ones have no square, and would break every mean and deviation.
    when abs(p_value) <= '1e100' then p_value
    else monitoring._mend_value(p_value)
end;

-- Null for the number that a caller chose for a row and that could be one of ours, which is
-- told.
create or replace function monitoring._mend_own_id(p_what text, p_value bigint) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._tell_repair(
        p_what,
        monitoring._fault_of_number(
            p_what, p_value::text, 'a number below 0; ours count up from 1'
        ),
        'numbered by us'
    );
    return null;
end
$$;

-- The number that a caller chose for a row; null when there is none or it could be one of ours.
create or replace function monitoring._mended_own_id(p_what text, p_value bigint) returns bigint
language sql
volatile
return case
    when p_value is null or p_value < 0 then p_value
    else monitoring._mend_own_id(p_what, p_value)
end;

-- Null for the number of an attempt that does not count from 1, which is told.
create or replace function monitoring._mend_attempt(p_value bigint) returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._tell_repair(
        'attempt', monitoring._fault_of_number('attempt', p_value::text, 'a number from 1 up'),
        'left out'
    );
    return null;
end
$$;

-- The number of an attempt; null when it is missing or does not count from 1.
create or replace function monitoring._mended_attempt(p_value bigint) returns integer
language sql
volatile
return case
    when p_value is null then null
    when p_value between 1 and 2147483647 then p_value::integer
    else monitoring._mend_attempt(p_value)
end;

-- Times

-- Now, for a time that cannot be, which is told.
create or replace function monitoring._mended_time(p_at timestamptz) returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._tell_repair('time', monitoring._fault_of_time(p_at), 'recorded as now');
    return monitoring.clock();
end
$$;

-- Null for the start of a task that lies after its end or cannot be, which is told.
create or replace function monitoring._mend_start(p_start timestamptz, p_end timestamptz)
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._tell_repair(
        'start_time',
        case
            when p_start > p_end then monitoring._fault_of_span(p_start, p_end)
            else monitoring._fault_of_time(p_start)
        end,
        'the start is left out'
    );
    return null;
end
$$;

-- The start of a task; null when it is missing or lies after the end.
create or replace function monitoring._mended_start(p_start timestamptz, p_end timestamptz)
returns timestamptz
language sql
volatile
return case
    when p_start is null
        or (p_start <= p_end and p_start >= '1970-01-01 00:00:00+00'::timestamptz) then p_start
    else monitoring._mend_start(p_start, p_end)
end;
