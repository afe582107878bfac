-- How the parts of a key become the name of a record. Reads and writes nothing.

create or replace function monitoring.key_of_record(variadic p_parts text[]) returns text
language sql
immutable
return (
    select
        string_agg(
            -- Were a bar in a part not marked, 'a|b' and 'c' would be named like 'a' and 'b|c'.
            case
                when cardinality(p_parts) = 1 then p.part
                else replace(replace(coalesce(p.part, ''), '\', '\\'), '|', '\|')
            end,
            '|' order by p.position
        )
    from unnest(p_parts) with ordinality as p (part, position)
);

comment on function monitoring.key_of_record(text[]) is
'The record key of a record that several columns name: their values with bars between them.';
