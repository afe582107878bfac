-- Lengths of time and numbers of things, as people read them, wherever a sentence has one. Reads
-- and writes nothing.

-- A value as people read it: without decimals from 100 up, one from 1 up, three below.
create or replace function monitoring._figure(p_value double precision) returns text
language sql
immutable
return trim_scale(
    round(
        p_value::numeric,
        case when abs(p_value) >= 100 then 0 when abs(p_value) >= 1 then 1 else 3 end
    )
)::text;

-- A length of time in at most two units, such as 1 h 31 min. python/pgvigil/database/words.py and
-- the page spell it alike.
create or replace function monitoring._spell_seconds(p_seconds double precision) returns text
language sql
immutable
return case
    when p_seconds is null then null
    when p_seconds >= 3e11 then '10000 years or more'
    when p_seconds <= 0 then '0 s'
    when p_seconds < 0.9995 then monitoring._figure(1000 * p_seconds) || ' ms'
    when p_seconds < 10 then monitoring._figure(p_seconds) || ' s'
    when p_seconds < 60 then floor(p_seconds) || ' s'
    when p_seconds < 3600
        then concat_ws(
                ' ',
                floor(p_seconds / 60) || ' min',
                -- Of half an hour nobody wants the seconds.
                case
                    when p_seconds < 600
                        then nullif(floor(p_seconds)::bigint % 60, 0) || ' s'
                end
            )
    when p_seconds < 86400
        then concat_ws(
                ' ',
                floor(p_seconds / 3600) || ' h',
                nullif(floor(p_seconds / 60)::bigint % 60, 0) || ' min'
            )
    else concat_ws(
            ' ',
            floor(p_seconds / 86400) || ' d',
            nullif(floor(p_seconds / 3600)::bigint % 24, 0) || ' h'
        )
end;

-- So many of a thing, in the singular or plural: 1 task, 2 tasks.
create or replace function monitoring._count_of(p_count double precision, p_thing text)
returns text
language sql
immutable
return monitoring._figure(p_count) || ' ' || p_thing || case when p_count = 1 then '' else 's' end;

-- A number with as many places as tell something, and its unit; a length of time in words.
create or replace function monitoring._spell_value(p_value double precision, p_unit text)
returns text
language sql
immutable
return case
    when p_unit = 'seconds' and abs(p_value) < 1e10 then monitoring._spell_seconds(p_value)
    when p_unit = 'minutes' and abs(p_value) < 1e9 then monitoring._spell_seconds(60 * p_value)
    else case
            when abs(p_value) between 1e-3 and 1e15 or p_value = 0
                then trim_scale(
                        round(p_value::numeric, case when abs(p_value) < 1 then 6 else 3 end)
                    )::text
            else p_value::text
        end
        || coalesce(
            ' ' || case
                -- Units are named in the plural.
                when p_value = 1 and p_unit ~ '[a-z]s$' and p_unit !~ '[/ ]'
                    then regexp_replace(p_unit, 's$', '')
                else p_unit
            end, ''
        )
end;
