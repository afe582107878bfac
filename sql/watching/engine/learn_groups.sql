-- What the database learns about error groups: that several are one. Reads error_group_totals,
-- writes error_group_merges, as changed_by pgvigil; never about a fingerprint that people have
-- decided about.

-- Whether a word says what happened, so that messages which differ in it tell of different
-- things.
create or replace function monitoring._tells_what_happened(p_word text) returns boolean
language sql
immutable
return lower(p_word collate "C") ~ (
    $re$(?:ed|ing|able|ible|ful|less|ly|n't|not|down|up|on|off|in|out)\W*$$re$
    || $re$|^\W*(?:start|stop|open|close|read|write|get|put|post|head|patch|delete|insert$re$
    || $re$|update|create|drop|add|remove|send|sent|receive|begin|begun|end|enter|exit|lost$re$
    || $re$|found|sought|kept|held|left|gone|done|run|ran|shut|set|bound|built|broken|stuck$re$
    || $re$|hung|dead|alive|true|false|yes|no|null|none|ok|okay|success|failure|fail|fails$re$
    || $re$|error|errors|warning|fatal|critical|high|low|medium|full|empty|old|new|first|last$re$
    || $re$|before|after|active|inactive|online|offline|ready|busy|idle|valid|invalid|unknown$re$
    || $re$|client|server|input|output|request|response|local|remote|source|target|<\*>)\W*$$re$
);

-- Families: fingerprints of one type whose templates agree but for one word, when at least so many
-- words stand there that do not say what happened. Only the newest groups are looked at.
create or replace function monitoring._families_of_error_groups(p_least bigint, p_most bigint)
returns table (fingerprints text[])
language sql
stable
begin atomic
    with groups as (
        select
            t.fingerprint,
            t.error_type,
            max(t.last_seen_at) as last_seen_at,
            (array_agg(t.example order by t.last_seen_at desc, t.last_error_id desc))[1] as example
        from monitoring.error_group_totals as t
        left join monitoring.error_group_merges as m on t.fingerprint = m.fingerprint
        where
            starts_with(t.fingerprint, monitoring._fingerprint_version() || ':')
            and coalesce(m.changed_by, 'pgvigil') = 'pgvigil'
        group by t.fingerprint, t.error_type
        order by max(t.last_seen_at) desc, t.fingerprint asc
        limit p_most
    ),

    templates as materialized (
        select
            g.fingerprint,
            g.error_type,
            string_to_array(monitoring.message_template(g.example), ' ') as words
        from groups as g
    ),

    slots as (
        select
            t.fingerprint,
            t.error_type,
            t.words[p.place] as word,
            p.place,
            md5(array_to_string(t.words[:p.place - 1], ' ')) as before,
            md5(array_to_string(t.words[p.place + 1:], ' ')) as behind
        from templates as t
        cross join lateral generate_subscripts(t.words, 1) as p (place)
        where cardinality(t.words) between 3 and 60
    )

    select array_agg(s.fingerprint order by s.fingerprint) as fingerprints
    from slots as s
    where not monitoring._tells_what_happened(s.word)
    group by s.error_type, s.place, s.before, s.behind
    having count(distinct s.word) >= p_least
    order by min(s.fingerprint);
end;

-- The group that a family becomes: the one that some of it are in already, else one that people
-- have decided about, else the oldest.
create or replace function monitoring._head_of_family(p_fingerprints text[]) returns text
language sql
stable
begin atomic
    select monitoring._error_group_of(f.fingerprint)
    from unnest(p_fingerprints) as f (fingerprint)
    left join monitoring.error_group_states as s on f.fingerprint = s.fingerprint
    left join
        lateral (
            select min(t.first_seen_at) as at
            from monitoring.error_group_totals as t
            where t.fingerprint = f.fingerprint
        ) as seen
        on true
    order by
        monitoring._error_group_of(f.fingerprint) = f.fingerprint asc,
        s.changed_at asc nulls last,
        seen.at asc,
        f.fingerprint asc
    limit 1;
end;

create or replace function monitoring.learn_error_groups() returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_family text[];
    v_head text;
    v_fingerprint text;
    v_moved bigint := 0::bigint;
begin
    for v_family in
        select f.fingerprints from monitoring._families_of_error_groups(12, 5000) f
    loop
        v_head := monitoring._head_of_family(v_family);
        foreach v_fingerprint in array v_family loop
            continue when v_fingerprint = v_head or exists (
                select from monitoring.error_group_merges m
                where v_fingerprint in (m.fingerprint, m.merged_into)
            );
            v_moved := v_moved + monitoring._merge_error_group(
                v_fingerprint, v_head, 'their messages differ in one word', 'pgvigil', v_now
            );
        end loop;
    end loop;
    if v_moved > 0 then
        perform monitoring._plan_notifications(v_now);
    end if;
    return v_moved;
end
$$;

comment on function monitoring.learn_error_groups() is
'Merges error groups of one type whose messages differ in one word only, once a dozen of words '
'stand there that are names. Returns how many fingerprints moved.';

call monitoring._ship_job(
    'learn_error_groups', 'Merges error groups whose messages differ in a name only.',
    '10 minutes', 'monitoring.learn_error_groups',
    p_timeout => '5 minutes'
);
