-- What the reports of this system always selected from, under the names they know.

create view apr.apr_invalid_records as
select * from monitoring.invalid_records where dataset = 'apr';

create view apr.apr_status_history as
select * from monitoring.status_history where dataset = 'apr';

create view apr.apr_processing_log as
select * from monitoring.processing_log where dataset = 'apr';

create view apr.apr_proposal_products as
select * from monitoring.record_products where dataset = 'apr';

create view apr.apr_daily_summary as
select * from monitoring.daily_summary where dataset = 'apr';

-- Proposals that are in order, as backfill_monitoring_today.py reads them.
create view apr.apr_valid_records as
select p.*, p.received_on as target_date
from apr.proposals as p
where not exists (
    select from monitoring.invalid_records as i
    where i.dataset = 'apr' and i.record_key = p.proposal and i.status = 'open'
);
