-- A page of 50 rooms, with a count up to 1000: $1 tenant, $2 principal, $3 directory permissions, $4 digest of the list.
-- 1 is ROOMS_VIEW. Only key and sort key of the rooms in reach are read, and the rest of those that are shown.
WITH held AS MATERIALIZED ( -- the viewer's assignments that give it, in person or through a group
  SELECT a.tenant_id, a.id, a.all_rooms, p.delegation_id
  FROM (
    SELECT tenant_id, assignment_id FROM assignment_members WHERE member_tenant_id = $1 AND member_id = $2
    UNION
    SELECT m.tenant_id, m.assignment_id
    FROM group_members g JOIN assignment_members m ON m.member_tenant_id = $1 AND m.member_id = g.group_id
    WHERE g.tenant_id = $1 AND g.member_id = $2
  ) m
  JOIN assignments a ON a.tenant_id = m.tenant_id AND a.id = m.assignment_id
  JOIN roles r ON r.tenant_id = a.tenant_id AND r.id = a.role_id AND r.permissions & 1 <> 0
  LEFT JOIN partnerships p
    ON p.tenant_id = a.tenant_id AND p.id = a.partnership_id AND p.partner_tenant_id = $1 AND p.state = 'ACTIVE'
  WHERE CASE WHEN a.partnership_id IS NULL THEN a.tenant_id = $1 ELSE p.id IS NOT NULL END
),
me AS MATERIALIZED (
  SELECT $3::int & 1 <> 0 OR EXISTS (SELECT FROM held WHERE all_rooms AND delegation_id IS NULL) AS everywhere
),
mine AS MATERIALIZED ( -- whose scopes count; who holds all that a partner has needs no part of it
  SELECT tenant_id, id, CASE WHEN delegation_id <> id THEN delegation_id END AS within
  FROM held h
  WHERE CASE WHEN delegation_id IS NULL THEN NOT (SELECT everywhere FROM me)
    ELSE delegation_id = id
      OR NOT EXISTS (SELECT FROM held w WHERE w.tenant_id = h.tenant_id AND w.id = h.delegation_id) END
),
scope AS (
  SELECT m.tenant_id, m.within, s.room_id
  FROM mine m, LATERAL (
    SELECT room_id FROM assignment_rooms WHERE tenant_id = m.tenant_id AND assignment_id = m.id OFFSET 0
  ) s
  UNION ALL
  SELECT m.tenant_id, m.within, s.room_id
  FROM mine m, LATERAL (
    SELECT g.room_id
    FROM assignment_groups a JOIN room_group_rooms g ON g.tenant_id = a.tenant_id AND g.group_id = a.group_id
    WHERE a.tenant_id = m.tenant_id AND a.assignment_id = m.id OFFSET 0
  ) s
),
reach AS ( -- their own scope within what was delegated
  SELECT tenant_id, array_agg(room_id) AS rooms
  FROM scope s
  WHERE within IS NULL
    OR EXISTS (
      SELECT FROM assignment_rooms d
      WHERE d.tenant_id = s.tenant_id AND d.assignment_id = s.within AND d.room_id = s.room_id OFFSET 0
    )
    OR EXISTS (
      SELECT FROM room_group_rooms g JOIN assignment_groups d ON d.tenant_id = g.tenant_id AND d.group_id = g.group_id
      WHERE g.tenant_id = s.tenant_id AND g.room_id = s.room_id AND d.assignment_id = s.within OFFSET 0
    )
  GROUP BY tenant_id
),
seen AS MATERIALIZED (
  SELECT r.*
  FROM reach s, LATERAL (
    SELECT tenant_id, id, name_key FROM rooms
    WHERE tenant_id = s.tenant_id AND id = ANY (s.rooms) AND retired_at IS NULL OFFSET 0
  ) r
  UNION ALL
  (
    SELECT tenant_id, id, name_key FROM rooms
    WHERE tenant_id = $1 AND retired_at IS NULL AND (SELECT everywhere FROM me)
    ORDER BY name_key, id LIMIT 1001
  )
),
page AS MATERIALIZED (SELECT * FROM seen ORDER BY name_key, id LIMIT 51)
SELECT '{"data":{"viewer":{"rooms":{"totalCount":'
  || (
    SELECT '{"value":' || least(count(*), 1000) || ',"exact":' || (count(*) <= 1000) || '}'
    FROM (SELECT FROM seen LIMIT 1001) c
  )
  || ',"nodes":['
  || coalesce((
    SELECT string_agg(
      '{"id":"room_' || r.tenant_id || '_' || r.id
      || '","displayName":' || to_json(r.name)
      || ',"account":' || to_json(r.account)
      || ',"capacity":' || coalesce(r.capacity::text, 'null')
      || ',"enrollment":"' || r.enrollment
      || '","updatedAt":"' || r.updated_at
      || '","location":{"building":' || coalesce(to_json(r.building)::text, 'null')
      || ',"city":' || coalesce(to_json(r.city)::text, 'null')
      || '}}', ','
    )
    FROM (SELECT * FROM page LIMIT 50) p,
      LATERAL (SELECT * FROM rooms WHERE tenant_id = p.tenant_id AND id = p.id OFFSET 0) r
  ), '')
  || '],"pageInfo":{"hasNextPage":' || (SELECT count(*) > 50 FROM page)
  || ',"endCursor":'
  || coalesce((
    SELECT '"' || $4::text || '_' || encode(convert_to(name_key, 'UTF8'), 'hex') || '_' || id || '"'
    FROM (SELECT * FROM page LIMIT 50) p ORDER BY name_key DESC, id DESC LIMIT 1
  ), 'null')
  || '}}}}}'
