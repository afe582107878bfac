-- Room for the first week, so that no recording call has to make it.
do $$
begin
    perform monitoring.ensure_partitions();
end
$$;
