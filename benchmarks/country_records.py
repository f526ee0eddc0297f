"""Fill the network of benchmarks/country.py with meetings, documents and recommendations, with SQL.

One times England has 18,000 meetings with four people each, 12,000 documents of partnerships and 24,000 of plans, and
800 recommendations with 16,000 answers of organisations and 6,000 proposals to partnerships.
"""

RECORDS = """
INSERT INTO conversations_meeting (partnership_id, organisation_id, title, status, starts_at, minutes, format, place,
    link, note, reason, attendance_at, quorum_present, quorum_needed, created_at)
SELECT p.id, y.organisation_id, 'Board meeting ' || k, CASE WHEN k = 3 THEN 'planned' ELSE 'held' END, m.at, 90,
       (ARRAY['in_person', 'video'])[1 + p.id %% 2], '', '', '', '', CASE WHEN k < 3 THEN m.at END,
       CASE WHEN k < 3 THEN 3 END, CASE WHEN k < 3 THEN 2 END, %(then)s
  FROM agreements_partnership p, generate_series(1, 3) k,
       LATERAL (SELECT current_date + time '10:00' + ((k - 3) * 180 + p.id %% 90) * interval '1 day') m(at),
       LATERAL (SELECT organisation_id FROM agreements_party y WHERE y.partnership_id = p.id ORDER BY y.id LIMIT 1) y
 WHERE p.id > %(partnership)s;
INSERT INTO conversations_meetingseat (meeting_id, organisation_id, person_id, name, job_title, invited_at, answer,
    answered_at, attendance)
SELECT m.id, y.organisation_id, s.person_id, '', '', %(then)s, 'coming', %(then)s,
       CASE WHEN m.status = 'held' THEN 'present' ELSE '' END
  FROM conversations_meeting m
  JOIN agreements_party y ON y.partnership_id = m.partnership_id AND y.status = 'accepted',
       LATERAL (SELECT person_id FROM organisations_membership s
                 WHERE s.organisation_id = y.organisation_id ORDER BY s.id LIMIT 1) s
ON CONFLICT DO NOTHING;

INSERT INTO agreements_document (partnership_id, title, file, file_name, content_type, size, sha256, added_for_id,
    added_at)
SELECT p.id, (ARRAY['Terms of reference', 'Minutes'])[k] || ' ' || p.id, 'none.pdf', 'paper.pdf', 'application/pdf',
       40000, '', y.organisation_id, %(then)s::timestamptz + (p.id::bigint * 7907 %% 60000000) * interval '1 second'
  FROM agreements_partnership p, generate_series(1, 2) k,
       LATERAL (SELECT organisation_id FROM agreements_party y WHERE y.partnership_id = p.id ORDER BY y.id LIMIT 1) y
 WHERE p.id > %(partnership)s;
INSERT INTO plans_document (plan_id, key, file, file_name, content_type, size, sha256, added_at, title, restricted,
    in_newest)
SELECT m.id, 'document-' || k, 'none.pdf', 'paper.pdf', 'application/pdf', 90000, '', m.at,
       (ARRAY['Viability study', 'Drainage report'])[k] || ' ' || m.id, k = 2 AND m.id %% 3 = 0, true
  FROM made m, generate_series(1, 2) k;

INSERT INTO recommendations_source (title, publisher, year, note, recorded_at)
SELECT 'Review ' || n, 'Commission ' || n %% 7, 1990 + n %% 36, '', %(then)s FROM generate_series(1, %(sources)s) n;
INSERT INTO recommendations_recommendation (source_id, position, reference, text, confidence, themes)
SELECT s.id, k, 'R' || k, 'Publish early what each body plans, and say what it can offer. ' || s.id || '-' || k,
       (ARRAY['seen', 'part', 'memory'])[1 + k %% 3], ARRAY[(ARRAY['land', 'planning', 'funding', 'data'])[1 + k %% 4]]
  FROM recommendations_source s, generate_series(1, 20) k WHERE s.title LIKE 'Review %%';
INSERT INTO recommendations_addressee (recommendation_id, kind)
SELECT id, kind FROM recommendations_recommendation, unnest(ARRAY['registered_provider', 'council']) kind
ON CONFLICT DO NOTHING;
INSERT INTO recommendations_response (recommendation_id, organisation_id, status, status_since, reason, review_on, note)
SELECT first + ((o.id * 7 + k * 101)::bigint %% number), o.id,
       (ARRAY['not_started', 'under_way', 'done', 'under_way'])[1 + k %% 4], %(then)s,
       CASE WHEN k %% 4 = 2 THEN 'Done with partners.' ELSE '' END, current_date + k * 30, ''
  FROM organisations_organisation o, generate_series(1, 8) k,
       (SELECT min(r.id), count(*) FROM recommendations_recommendation r
          JOIN recommendations_source s ON s.id = r.source_id WHERE s.title LIKE 'Review %%') r(first, number)
 WHERE o.id > %(organisation)s ON CONFLICT DO NOTHING;
INSERT INTO recommendations_adoption (recommendation_id, partnership_id, status, why, proposed_for_id, proposed_at,
    reason, changed_at)
SELECT first + (p.id::bigint * 31 %% number), p.id, 'proposed', 'It is what we lack.', y.organisation_id, %(then)s, '',
       %(then)s
  FROM agreements_partnership p,
       LATERAL (SELECT organisation_id FROM agreements_party y WHERE y.partnership_id = p.id ORDER BY y.id LIMIT 1) y,
       (SELECT min(r.id), count(*) FROM recommendations_recommendation r
          JOIN recommendations_source s ON s.id = r.source_id WHERE s.title LIKE 'Review %%') r(first, number)
 WHERE p.id > %(partnership)s ON CONFLICT DO NOTHING;
"""

RECORD_TABLES = (
    "agreements_document", "conversations_meeting", "conversations_meetingseat", "plans_document",
    "recommendations_addressee", "recommendations_adoption", "recommendations_recommendation",
    "recommendations_response", "recommendations_source",
)  # fmt: skip
