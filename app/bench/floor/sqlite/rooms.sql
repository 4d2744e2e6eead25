-- A page of 50 rooms, with a count up to 1000: ?1 tenant, ?2 principal, ?3 directory permissions, ?4 digest of the list.
-- 1 is ROOMS_VIEW. Only key and sort key of the rooms in reach are read, and the rest of those that are shown.
WITH held AS MATERIALIZED ( -- the viewer's assignments that give it, in person or through a group
  SELECT a.tenant_id, a.id, a.all_rooms, p.delegation_id
  FROM (
    SELECT tenant_id, assignment_id FROM assignment_members WHERE member_tenant_id = ?1 AND member_id = ?2
    UNION
    SELECT m.tenant_id, m.assignment_id
    FROM group_members g INDEXED BY ix_group_members_tenant_id_member_id
    CROSS JOIN assignment_members m INDEXED BY ix_assignment_members_member_tenant_id_member_id
      ON m.member_tenant_id = ?1 AND m.member_id = g.group_id
    WHERE g.tenant_id = ?1 AND g.member_id = ?2
  ) m
  CROSS JOIN assignments a ON a.tenant_id = m.tenant_id AND a.id = m.assignment_id
  CROSS JOIN roles r ON r.tenant_id = a.tenant_id AND r.id = a.role_id AND r.permissions & 1 <> 0
  LEFT JOIN partnerships p
    ON p.tenant_id = a.tenant_id AND p.id = a.partnership_id AND p.partner_tenant_id = ?1 AND p.state = 'ACTIVE'
  WHERE CASE WHEN a.partnership_id IS NULL THEN a.tenant_id = ?1 ELSE p.id IS NOT NULL END
),
me AS MATERIALIZED (
  SELECT ?3 & 1 <> 0 OR EXISTS (SELECT 1 FROM held WHERE all_rooms AND delegation_id IS NULL) AS everywhere
),
mine AS MATERIALIZED ( -- whose scopes count; who holds all that a partner has needs no part of it
  SELECT tenant_id, id, CASE WHEN delegation_id <> id THEN delegation_id END AS within
  FROM held h
  WHERE CASE WHEN delegation_id IS NULL THEN NOT (SELECT everywhere FROM me)
    ELSE delegation_id = id
      OR NOT EXISTS (SELECT 1 FROM held w WHERE w.tenant_id = h.tenant_id AND w.id = h.delegation_id) END
),
scope AS (
  SELECT m.tenant_id, m.within, s.room_id
  FROM mine m CROSS JOIN assignment_rooms s ON s.tenant_id = m.tenant_id AND s.assignment_id = m.id
  UNION ALL
  SELECT m.tenant_id, m.within, g.room_id
  FROM mine m CROSS JOIN assignment_groups a ON a.tenant_id = m.tenant_id AND a.assignment_id = m.id
  CROSS JOIN room_group_rooms g ON g.tenant_id = a.tenant_id AND g.group_id = a.group_id
),
reach AS ( -- their own scope within what was delegated
  SELECT DISTINCT tenant_id, room_id
  FROM scope s
  WHERE within IS NULL
    OR EXISTS (
      SELECT 1 FROM assignment_rooms d
      WHERE d.tenant_id = s.tenant_id AND d.assignment_id = s.within AND d.room_id = s.room_id
    )
    OR EXISTS (
      SELECT 1 FROM room_group_rooms g INDEXED BY ix_room_group_rooms_tenant_id_room_id
      CROSS JOIN assignment_groups d
        ON d.tenant_id = g.tenant_id AND d.assignment_id = s.within AND d.group_id = g.group_id
      WHERE g.tenant_id = s.tenant_id AND g.room_id = s.room_id
    )
),
seen AS MATERIALIZED (
  SELECT r.rowid AS place, r.name_key, r.id
  FROM reach s CROSS JOIN rooms r ON r.tenant_id = s.tenant_id AND r.id = s.room_id AND r.retired_at IS NULL
  UNION ALL
  SELECT * FROM (
    SELECT rowid, name_key, id FROM rooms
    WHERE tenant_id = ?1 AND retired_at IS NULL AND (SELECT everywhere FROM me)
    ORDER BY name_key, id LIMIT 1001
  )
),
page AS MATERIALIZED (SELECT * FROM seen ORDER BY name_key, id LIMIT 51)
SELECT '{"data":{"viewer":{"rooms":{"totalCount":'
  || (
    SELECT json_object('value', min(count(*), 1000), 'exact', json(iif(count(*) <= 1000, 'true', 'false')))
    FROM (SELECT 1 FROM seen LIMIT 1001)
  )
  || ',"nodes":['
  || coalesce((
    SELECT group_concat(json_object(
      'id', 'room_' || r.tenant_id || '_' || r.id,
      'displayName', r.name,
      'account', r.account,
      'capacity', r.capacity,
      'enrollment', r.enrollment,
      'updatedAt', r.updated_at,
      'location', json_object('building', r.building, 'city', r.city)
    ))
    FROM (SELECT * FROM page LIMIT 50) p CROSS JOIN rooms r ON r.rowid = p.place
  ), '')
  || '],"pageInfo":{"hasNextPage":' || (SELECT iif(count(*) > 50, 'true', 'false') FROM page)
  || ',"endCursor":'
  || coalesce((
    SELECT '"' || ?4 || '_' || lower(hex(name_key)) || '_' || id || '"'
    FROM (SELECT * FROM page LIMIT 50) ORDER BY name_key DESC, id DESC LIMIT 1
  ), 'null')
  || '}}}}}'
