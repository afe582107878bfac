-- depends: 0020_accepted_records

-- Since when a source is read again, and what earlier code left behind.

set local lock_timeout = '5s';

alter table monitoring.record_sources add column enabled_at timestamptz;
alter table monitoring.source_queries add column enabled_at timestamptz;

comment on column monitoring.record_sources.enabled_at is
'When it was last enabled again; null when it was never disabled.';
comment on column monitoring.source_queries.enabled_at is
'When it was last enabled again; null when it was never disabled.';

-- Together with those that have p_is_dry_run they would make every call ambiguous.
do $$
begin
    if to_regprocedure(
        'monitoring.log_program_execution('
        'text,date,jsonb,interval,text,text,timestamptz,text,text)'
    ) is not null then
        drop function monitoring.log_program_execution (
            text, date, jsonb, interval, text, text, timestamptz, text, text
        );
    end if;
    if to_regprocedure(
        'monitoring.log_program_execution('
        'text,date,jsonb,double precision,text,text,timestamptz,text,text)'
    ) is not null then
        drop function monitoring.log_program_execution (
            text, date, jsonb, double precision, text, text, timestamptz, text, text
        );
    end if;
    if to_regprocedure(
        'monitoring.log_program_execution(text,date,jsonb,text,text,text,timestamptz,text,text)'
    ) is not null then
        drop function monitoring.log_program_execution (
            text, date, jsonb, text, text, text, timestamptz, text, text
        );
    end if;
end
$$;

insert into monitoring.installed_migrations (migration_id) values ('0021_enabled_sources');
