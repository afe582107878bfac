-- Error fingerprints: which errors are occurrences of the same thing. The rules, with examples and
-- measurements: docs/error-groups.md.
--
-- Reads nothing and writes nothing. A result depends on the arguments alone: not on what was
-- recorded before, not on a setting, not on the collation of the database (hence collate "C"), so
-- a stored fingerprint stays comparable.
--
-- Evaluated once per recorded error, so cost decides the form. Found by measuring: a pass costs by
-- its matches and by how many kinds of characters its pattern tells apart. So there are few passes,
-- made of wide character classes; captures, look-around and literal words are dear. As plain SQL
-- expressions the functions are inlined into their caller.

-- Names the rules of message_template; every computed fingerprint starts with it. It must change
-- whenever any message could get another fingerprint than before.
create or replace function monitoring._fingerprint_version()
returns text
language sql
immutable
parallel safe
return 'v2';

-- A pattern where a message has the word without which it cannot match, else one that fails at
-- once. Looking for the word is several times cheaper than the pattern.
create or replace function monitoring._pattern_for(p_message text, p_word text, p_pattern text)
returns text
language sql
immutable
parallel safe
return case
    when strpos(p_message collate "C", p_word) > 0 then p_pattern else '^' || chr(1)
end;

-- The name of the constraint that a message of a database is about, in brackets: by it one failure
-- differs from another, although names in quotes are variable. Of two and more digits, as in names
-- of partitions, nothing is left.
create or replace function monitoring._constraint_in(p_message text)
returns text
language sql
immutable
parallel safe
return case
    when strpos(p_message collate "C", 'onstraint') > 0
        or strpos(p_message collate "C", 'uplicate') > 0
        then coalesce(
                ' (' || replace(
                    regexp_replace(
                        substring(
                            left(p_message, 500) collate "C"
                            from
                            $re$(?:onstraint|null value in column|for key) $re$
                            || $re$["'`]([^"'`]+(?:" of relation "[^"]+)?)$re$
                        ),
                        '\d\d+', '<*>', 'g'
                    ),
                    '"', ''
                ) || ')',
                ''
            )
    else ''
end;

-- Finds the names of users, hosts and domains that are plain words, by what stands before them,
-- which is \1 or \2. What is said of a host is no name (connection to host closed, lost, down), so
-- one may not end like that.
create or replace function monitoring._name_pattern(p_message text)
returns text
language sql
immutable
parallel safe
return case
    when strpos(p_message collate "C", 'user') > 0
        or strpos(p_message collate "C", 'host') > 0
        or strpos(p_message collate "C", 'omain') > 0
        or strpos(p_message collate "C", 'ame=') > 0
        then $re$((?:user|host|domain|name)=|nvalid user )[\w.@-]+$re$
            || $re$|([mfnory] (?:user|host|domain) )[\w.@-]*$re$
            || $re$(?:[^\s:,;.)dgtn]|[^\s:,;.)e]d|[^\s:,;.)n]g|[^\s:,;.)w]n$re$
            || $re$|[^\s:,;.)s]t|[^\s:,;.)o]st)\M$re$
    else '^' || chr(1)
end;

-- Replaces what differs between two occurrences of one message by <*>. Never raises; null gives
-- null. Looks at the first 500 characters and returns at most 300, so the cost is bounded.
--
-- The calls are nested, so the rules below apply from top to bottom, each to the result of those
-- above it. chr(1) marks a variable part until the very end: one character is quicker to find again
-- than <*>. Indenting the nested calls by depth would hide the order of the rules, hence:
-- noqa: disable=LT02
create or replace function monitoring.message_template(p_message text)
returns text
language sql
immutable
parallel safe
return left(replace(
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        -- Most messages have nothing that the first rules are about, and need no pass for it.
        case
            when strpos(p_message collate "C", chr(10)) > 0
                or strpos(p_message collate "C", chr(39)) > 0
                or strpos(p_message collate "C", 'user') > 0
                or strpos(p_message collate "C", 'host') > 0
                or strpos(p_message collate "C", 'omain') > 0
                or strpos(p_message collate "C", 'ame=') > 0
                or strpos(p_message collate "C", 'from ') > 0
                or strpos(p_message collate "C", 'uplicate') > 0
                then
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        left(p_message, 500) collate "C",

        -- 0. What databases and their drivers add on lines of their own, and the value that they
        --    have already, which may have white space and quotes in it.
        monitoring._pattern_for(
            p_message, chr(10),
            $re$\s*\n\s*(?:(?:DETAIL|HINT|CONTEXT|WHERE|POSITION|QUERY|LINE \d+):|\[SQL: ).*$re$
        ),
        '', 'i'),
        monitoring._pattern_for(
            p_message, 'uplicate',
            $re$(uplicate entry )'.*'( for key)|(uplicate key value is )\(.*\)$re$
        ),
        '\1\3' || chr(1) || '\2'),

        -- 1. 'Quoted' with white space, unless either quote may be an apostrophe.
        monitoring._pattern_for(p_message, chr(39), $re$(?<!\w)'[^']*'(?!\w)$re$),
        chr(1), 'g'),

        -- 2. Names that are plain words: in "for user X", "to host X", user=X; in "from X" with an
        --    address behind it or a dot in it, in "for X from" an address.
        monitoring._name_pattern(p_message), '\1\2' || chr(1), 'g'),
        monitoring._pattern_for(
            p_message, 'from ',
            $re$(for )[\w.@-]+(?= from \d)|(from )[\w-]+(?:\.[\w-]+| ?[(\[][\d.:a-f]+[)\]])$re$
        ),
        '\1\2' || chr(1), 'g')
            else left(p_message, 500) collate "C"
        end,

        -- 3. "Quoted" without a slash, so that the verb of "GET /orders/7 HTTP/1.1" stays; 'quoted'
        --    without white space, so that the apostrophe of can't opens nothing; every word with a
        --    digit, slash, backslash or @ in it: numbers, ids, dates, paths, URLs, addresses. What
        --    stands before = or : stays; behind the first such character they belong to the word.
        $re$"[^"/]*"|'[^'\s]*'$re$
        || $re$|<?[\w.+~$#%*-]*[\d@/\\][\w.@/\\$#%~&?+=:*-]*["']?$re$,
        chr(1), 'g'),

        -- 4. Lower-case names of three or more parts, or of two and a port: hosts, packages (not
        --    java.io.IOException); hexadecimal that happens to have no digit.
        $re$[a-z][a-z0-9_-]*\.[a-z0-9_-]+(?:(?:\.[a-z0-9_-]+)+|:\x01)|\m[a-f]{8,}\M$re$,
        chr(1), 'g'),

        -- 5. The words of a date before its numbers. Telling few characters apart, it takes Son
        --    for Sun.
        $re$(?:[JFMASONDTW](?:[ao]n|u[gnl]|eb|ri|a[ryt]|pr|e[pdc]|ct|ov|ue|hu),?\s+)+\x01$re$,
        chr(1), 'g'),

        -- 6. A size or a time takes its unit along.
        $re$\x01 (?:[kKMGT]i?|[mun])?[bBs](?:(?:yt|ec)[a-z]*)?\M$re$, chr(1), 'g'),

        -- 7. A list of variable parts is one part, of whatever length, and so is one with a second
        --    in brackets.
        $re$\x01(?:[\s,;:|-]*\x01|\s?[(\[](?:\x01(?:[\s,;:|-]*\x01)*)?[)\]])+$re$, chr(1), 'g'),
    chr(1), '<*>'
) || monitoring._constraint_in(p_message), 300);
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
return monitoring._fingerprint_version() || ':' || left(
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
