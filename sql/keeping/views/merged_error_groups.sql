-- Error groups that are one. Reads error_group_merges. Only readers go by it: rows and totals keep
-- the fingerprints that they have, so that nothing has to be moved and each merge can be undone.

-- The group that errors with that fingerprint belong to.
create or replace function monitoring._error_group_of(p_fingerprint text) returns text
language sql
stable
begin atomic
    select coalesce(
        (
            select m.merged_into
            from monitoring.error_group_merges as m
            where m.fingerprint = p_fingerprint
        ),
        p_fingerprint
    );
end;

-- The fingerprints that errors of a group have: its own, and those merged into it.
create or replace function monitoring._fingerprints_of_group(p_group text) returns text[]
language sql
stable
begin atomic
    select array(
        select p_group
        union
        select m.fingerprint
        from monitoring.error_group_merges as m
        where m.merged_into = p_group
    );
end;
