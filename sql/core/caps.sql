-- Sizes are capped rather than refused, and the cut can be seen: monitoring must not break the
-- program that it watches because a message was long.

-- The text; when longer than so many characters, its beginning with a note of the full length.
create or replace function monitoring._capped_text(p_value text, p_max_length integer) returns text
language sql
stable
return case
    -- No text has more characters than bytes, and counting bytes costs nothing.
    when p_value is null or octet_length(p_value) <= p_max_length then p_value
    when length(p_value) <= p_max_length then p_value
    -- Cutting what was cut changes nothing: the note has at most 50 characters.
    else left(p_value, p_max_length - 50)
        || format(' ... [cut: %s characters in all]', length(p_value))
end;

-- A name of at most 255 characters: of a longer one its beginning and a checksum, so that two
-- that differ stay two.
create or replace function monitoring._fitted_name(p_name text) returns text
language sql
immutable
return case
    when length(p_name) <= 255 then p_name
    else left(p_name, 200) || '... ' || md5(p_name)
end;

-- The document, or {"cut": true, "bytes": ..., "start": ...} when it is larger than so many
-- bytes.
create or replace function monitoring._fitted_json(p_value jsonb, p_most_bytes integer)
returns jsonb
language sql
stable
return case
    when p_value = 'null' then null
    when pg_column_size(p_value) <= p_most_bytes then p_value
    when p_value is not null
        then jsonb_build_object(
                'cut', true, 'bytes', pg_column_size(p_value), 'start', left(p_value::text, 1000)
            )
end;

-- The document, or {"cut": true, "bytes": ..., "start": ...} when it is larger than 64 KiB.
create or replace function monitoring._capped_json(p_value jsonb) returns jsonb
language sql
stable
return monitoring._fitted_json(p_value, 65536);

-- Two objects as one, or the older when both together are larger than 64 KiB.
create or replace function monitoring._merge_objects(p_old jsonb, p_new jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_both jsonb := p_old || p_new;
begin
    return case when pg_column_size(v_both) <= 65536 then v_both else p_old end;
end
$$;

-- Two objects as one, the newer value of a key winning; either may be missing.
create or replace function monitoring._merged(p_old jsonb, p_new jsonb) returns jsonb
language sql
stable
return case
    when p_new is null then p_old
    when p_old is null then p_new
    else monitoring._merge_objects(p_old, p_new)
end;
