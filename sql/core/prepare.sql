-- Room for the first week, so that no recording call has to make it.
select monitoring.ensure_partitions();
