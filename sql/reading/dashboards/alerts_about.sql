-- What alerts are about, for lists that show those in trouble first.

-- Alerts that fire, counted by the values of some labels, and the worst of them by name and rank.
create or replace function monitoring._alerts_about(p_labels text[])
returns table (about text[], alerts bigint, worst_severity text, trouble integer)
language sql
stable
begin atomic
    select
        t.about,
        count(*) as alerts,
        (array_agg(t.severity order by monitoring._severity_rank(t.severity) desc))[1]
            as worst_severity,
        max(monitoring._severity_rank(t.severity))::integer as trouble
    from (
        select
            a.severity,
            array(
                select a.labels ->> l.label
                from unnest(p_labels) with ordinality as l (label, place)
                order by l.place
            ) as about
        from monitoring.raised_alerts as a
        where a.resolved_at = 'infinity' and a.status = 'firing' and a.labels ?& p_labels
    ) as t
    group by t.about;
end;
