-- Error fingerprints: which errors are occurrences of the same thing. The rules, with examples and
-- measurements: docs/error-groups.md.
--
-- Reads nothing and writes nothing. A result depends on the arguments alone: not on what was
-- recorded before, not on a setting, not on the collation of the database (hence collate "C"), so
-- a stored fingerprint stays comparable.
--
-- Evaluated once per recorded error, so cost decides the form; found by measuring:
-- several simple patterns are cheaper than one that knows everything; look-behind and word
-- boundaries in front of a pattern make it ten times dearer; a one-character mark is quicker to
-- find again than <*>; as plain SQL expressions the functions are inlined into their caller.


-- Names the rules of message_template. It must change whenever any message could get another
-- fingerprint than before.
create or replace function monitoring.fingerprint_version()
returns text
language sql
immutable
parallel safe
return 'v1';

comment on function monitoring.fingerprint_version() is
'The version of the grouping rules; every computed fingerprint starts with it.';


-- Replaces what differs between two occurrences of one message by <*>. Never raises; null gives
-- null. Looks at the first 500 characters and returns at most 300, so the cost is bounded; no
-- pattern needs more than linear time.
--
-- The calls are nested, so the rules below apply from top to bottom, each to the result of those
-- above it. chr(1) marks a variable part until the very end. Indenting eleven nested calls by depth
-- would hide that order, hence:
-- noqa: disable=LT02
create or replace function monitoring.message_template(p_message text)
returns text
language sql
immutable
parallel safe
return left(replace(
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        -- The head of a long message, without the half word at the cut. Dot leaders
        -- ("size......12") only separate a label from its value.
        replace(
            btrim(
                case
                    when length(p_message) > 500
                        then regexp_replace(left(p_message, 500) collate "C", '\s\S*$', '')
                    else p_message
                end,
                E' \t\r\n'
            ),
            '..', ' '
        ) collate "C",

        -- 1. A quoted request line keeps its verb, "GET /orders/7 HTTP/1.1", and JSON its keys.
        $re$"([A-Z]+) /[^"]*"|([{,]\s*)"([\w.-]+)"\s*:$re$, '\1\2\3 ' || chr(1), 'g'),

        -- 2. What its surroundings mark as a value: 'quoted' (but not the apostrophe of can't),
        --    /an/absolute/path, "quoted", =value that is more than a plain word, =(value),
        --    user=, host=, name= followed by anything, scheme://address.
        $re$(^|[^A-Za-z0-9])(?:['`][^'`]*['`]|/[^\s"'<>()\[\]{},;=:]+)$re$
        || $re$|"[^"]*(?:"|$)$re$
        || $re$|(= ?)(?:\w+[./\\:@-][^\s,;)\]}]*|\([^)]*\))$re$
        || $re$|((?:[Uu]ser|[Hh]ost|[Nn]ame)=)[^\s,;)\]}]*$re$
        || $re$|\w+://[^\s"'<>()\[\]{},;]+$re$,
        '\1\2\3' || chr(1), 'g'),

        -- 3. The name in "for user X", "by user X", "invalid user X", "unknown user X".
        $re$((?:for|by|nvalid|nknown) user )[\w.@-]+$re$, '\1' || chr(1), 'g'),

        -- 4. Lower-case names of three or more parts (hosts, packages, relative paths), with what
        --    follows a slash; host.domain:port.
        $re$[a-z][a-z0-9_-]*(?:(?:[./][a-z0-9_-]+){2,}(?:/[^\s,;:"'<>()\[\]{}]*)?$re$
        || $re$|(?:\.[a-z0-9_-]+)+:\d+)$re$,
        chr(1), 'g'),

        -- 5. Names of data files.
        $re$[\w-]+\.(?:csv|json|xml|txt|log|pdf|docx?|xlsx?|zip|gz|html?|png|jpe?g)\M$re$,
        chr(1), 'g'),

        -- 6. Long hexadecimal without a digit in it; hardware and IPv6 addresses, times of day.
        $re$[a-fA-F]{8,}|[0-9a-fA-F]{1,4}(?::{1,2}[0-9a-fA-F]{1,4}){2,}Z?$re$, chr(1), 'g'),

        -- 7. Every word with a digit, @ or backslash in it: numbers, ids, UUIDs, addresses, times.
        $re$[\w.@/\\$#%~&?+-]*[\d@\\][\w.@/\\$#%~&?+-]*$re$, chr(1), 'g'),

        -- 8. Who it was for, when it says where from: "for alice from 10.0.0.7".
        $re$for [\w.-]+ from \x01$re$, 'for ' || chr(1) || ' from ' || chr(1), 'g'),

        -- 9. Weekday and month in front of a number belong to the date.
        $re$(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?$re$
        || $re$(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* +\x01$re$,
        chr(1), 'g'),

        -- 10. A unit belongs to its number: 900 bytes and 1.2 KB, <1 sec and 30 min are one field.
        $re$<?\x01 ?(?:[KMGTP]?i?B|bytes?|[mun]?s|(?:milli|micro|nano)?sec(?:ond)?s?$re$
        || $re$|min(?:ute)?s?|h(?:ou)?rs?|days?|[AP]M)\M$re$,
        chr(1), 'g'),

        -- 11. A list of variable parts is one part; so is a value followed by its other rendering,
        --     or by nothing, in parentheses.
        $re$\x01(?:[\s,;:|/-]*\x01| ?\(\x01*\))+$re$, chr(1), 'g'),
    chr(1), '<*>'
), 300);
-- noqa: enable=LT02

comment on function monitoring.message_template(text) is
'The wording of a message with its variable parts replaced by <*>, at most 300 characters.
Null gives null.';


-- chr(1) separates type and template because it cannot be part of a template.
create or replace function monitoring.error_fingerprint(p_error_type text, p_message text)
returns text
language sql
immutable
parallel safe
return monitoring.fingerprint_version() || ':' || left(
    md5(
        coalesce(p_error_type, '')
        || chr(1)
        || coalesce(monitoring.message_template(p_message), '')
    ),
    16
);

comment on function monitoring.error_fingerprint(text, text) is
'The group an error belongs to: version, colon and 16 hexadecimal characters over the error type
(case counts) and the template of the message. Never null; null and empty arguments are the same.';
