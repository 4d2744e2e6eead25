-- One room by its id: $1 tenant, $2 principal, $3 directory permissions, $4 tenant and $5 key of the room.
-- 1 is ROOMS_VIEW. Who asks holds few assignments, and each is looked at for this one room.
WITH held AS MATERIALIZED ( -- the viewer's assignments that give it, in person or through a group
  SELECT a.tenant_id, a.id, a.all_rooms, p.delegation_id
  FROM (
    SELECT tenant_id, assignment_id FROM assignment_members WHERE member_tenant_id = $1 AND member_id = $2
    UNION ALL
    SELECT m.tenant_id, m.assignment_id
    FROM group_members g JOIN assignment_members m ON m.member_tenant_id = $1 AND m.member_id = g.group_id
    WHERE g.tenant_id = $1 AND g.member_id = $2
  ) m
  JOIN assignments a ON a.tenant_id = m.tenant_id AND a.id = m.assignment_id
  JOIN roles r ON r.tenant_id = a.tenant_id AND r.id = a.role_id AND r.permissions & 1 <> 0
  LEFT JOIN partnerships p
    ON p.tenant_id = a.tenant_id AND p.id = a.partnership_id AND p.partner_tenant_id = $1 AND p.state = 'ACTIVE'
  WHERE m.tenant_id = $4 AND CASE WHEN a.partnership_id IS NULL THEN a.tenant_id = $1 ELSE p.id IS NOT NULL END
)
SELECT '{"data":{"node":'
  || coalesce((
    SELECT '{"id":"room_' || r.tenant_id || '_' || r.id
      || '","displayName":' || to_json(r.name)
      || ',"capacity":' || coalesce(r.capacity::text, 'null') || '}'
    FROM rooms r
    WHERE r.tenant_id = $4 AND r.id = $5 AND r.retired_at IS NULL
      AND (
        ($4 = $1 AND $3::int & 1 <> 0)
        OR EXISTS (
          SELECT FROM held h
          WHERE (h.all_rooms AND h.delegation_id IS NULL)
            OR (
              (
                EXISTS (
                  SELECT FROM assignment_rooms s
                  WHERE s.tenant_id = $4 AND s.assignment_id = h.id AND s.room_id = $5 OFFSET 0
                )
                OR EXISTS (
                  SELECT FROM room_group_rooms g JOIN assignment_groups s ON s.tenant_id = $4 AND s.group_id = g.group_id
                  WHERE g.tenant_id = $4 AND g.room_id = $5 AND s.assignment_id = h.id OFFSET 0
                )
              )
              AND (
                h.delegation_id IS NULL OR h.delegation_id = h.id
                OR EXISTS (
                  SELECT FROM assignment_rooms s
                  WHERE s.tenant_id = $4 AND s.assignment_id = h.delegation_id AND s.room_id = $5 OFFSET 0
                )
                OR EXISTS (
                  SELECT FROM room_group_rooms g JOIN assignment_groups s ON s.tenant_id = $4 AND s.group_id = g.group_id
                  WHERE g.tenant_id = $4 AND g.room_id = $5 AND s.assignment_id = h.delegation_id OFFSET 0
                )
              )
            )
        )
      )
  ), 'null')
  || '}}'
