-- Error fingerprints: which errors are occurrences of the same thing.
-- Reads nothing, writes nothing; every function here depends on its arguments alone.


-- The wording of a message with its variable parts replaced by <*>.
create or replace function monitoring.message_template(p_message text)
returns text
language sql
immutable
parallel safe
return left(replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(btrim(left(p_message, 500)) collate "C",
 E'"([A-Z]+) /[^"]*"', E'\\1 \x01', 'g'),
 E'"[^"]*(?:"|$)', E'\x01', 'g'),
 E'(^|[^A-Za-z0-9])[''`][^''`]*[''`]', E'\\1\x01', 'g'),
 E'((?:for|by|nvalid|nknown) user )[\\w.@-]+', E'\\1\x01', 'g'),
 E'= ?\\w+[./\\\\:@-][^\\s,;)\\]}]*', E'=\x01', 'g'),
 E'\\.\\.+', E'.. ', 'g'),
 E'\\w+://[^\\s"''<>()\\[\\]{},;]+|[a-z][a-z0-9_-]*(?:(?:\\.[a-z0-9_-]+){2,}|(?:\\.[a-z0-9_-]+)+:\\d+)', E'\x01', 'g'),
 E'(^|[ (=:,\\[])/[^\\s"''<>()\\[\\]{},;=:]+', E'\\1\x01', 'g'),
 E'[a-fA-F]{8,}|[0-9a-fA-F]{1,4}(?::+[0-9a-fA-F]{1,4}){3,}', E'\x01', 'g'),
 E'[\\w.@/\\\\$#%~&?+-]*[\\d@\\\\][\\w.@/\\\\$#%~&?+-]*', E'\x01', 'g'),
 E'(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* +\\x01', E'\x01', 'g'),
 E'<?\\x01 ?(?:[KMGTP]?i?B|bytes?|[mun]?s|(?:milli|micro|nano)?sec(?:ond)?s?|min(?:ute)?s?|h(?:ou)?rs?|days?|[AP]M)\\M', E'\x01', 'g'),
 E'\\x01(?:[\\s,;:/-]*\\x01| ?\\(\\x01\\))+', E'\x01', 'g'),E'\x01','<*>'),300);

comment on function monitoring.message_template(text) is
'The wording of a message with its variable parts replaced by <*>.';


create or replace function monitoring.error_fingerprint(p_error_type text, p_message text)
returns text
language sql
immutable
parallel safe
return 'v1:' || left(
    md5(coalesce(p_error_type, '') || chr(31) || coalesce(monitoring.message_template(p_message), '')),
    16
);

comment on function monitoring.error_fingerprint(text, text) is
'The name of the group an error belongs to: a hash of its type and the template of its message.';
