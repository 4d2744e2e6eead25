-- The newest 100 entries of the record: $1 tenant, $2 principal, $3 directory permissions, $4 since when entries can be
-- read, $5 the moment, $6 digest of the list. 1 is ROOMS_VIEW, 131072 ROLES_VIEW, 524288 PARTNERS_VIEW,
-- 1048576 PARTNERS_MANAGE, 2097152 INVITATIONS_ANSWER, 8388608 AUDIT_VIEW. Of what entries are about, rooms, assignments
-- and partnerships are known here.
WITH held AS MATERIALIZED ( -- the viewer's assignments, in person or through a group
  SELECT a.tenant_id, a.id, a.partnership_id, a.all_rooms, p.delegation_id, r.permissions
  FROM (
    SELECT tenant_id, assignment_id FROM assignment_members WHERE member_tenant_id = $1 AND member_id = $2
    UNION ALL
    SELECT m.tenant_id, m.assignment_id
    FROM group_members g JOIN assignment_members m ON m.member_tenant_id = $1 AND m.member_id = g.group_id
    WHERE g.tenant_id = $1 AND g.member_id = $2
  ) m
  JOIN assignments a ON a.tenant_id = m.tenant_id AND a.id = m.assignment_id
  JOIN roles r ON r.tenant_id = a.tenant_id AND r.id = a.role_id
  LEFT JOIN partnerships p
    ON p.tenant_id = a.tenant_id AND p.id = a.partnership_id AND p.partner_tenant_id = $1 AND p.state = 'ACTIVE'
  WHERE CASE WHEN a.partnership_id IS NULL THEN a.tenant_id = $1 ELSE p.id IS NOT NULL END
),
me AS MATERIALIZED (
  SELECT
    $3::int | coalesce(bit_or(permissions) FILTER (WHERE partnership_id IS NULL), 0) AS anywhere,
    $3::int | coalesce(bit_or(permissions) FILTER (WHERE partnership_id IS NULL AND all_rooms), 0) AS everywhere
  FROM held
),
partners AS ( -- partnerships that the viewer knows of
  SELECT tenant_id, id, partner_tenant_id FROM partnerships
  WHERE tenant_id = $1 AND (SELECT anywhere & 524288 <> 0 FROM me)
  UNION ALL
  SELECT tenant_id, id, partner_tenant_id FROM partnerships
  WHERE partner_tenant_id = $1 AND state = 'ACTIVE'
    AND ((SELECT anywhere & 2097152 <> 0 FROM me) OR (tenant_id, id) IN (SELECT tenant_id, partnership_id FROM held))
),
invitation_sides AS (
  SELECT tenant_id, partner_tenant_id FROM invitations
  WHERE tenant_id = $1 AND (SELECT anywhere & 524288 <> 0 FROM me)
  UNION ALL
  SELECT tenant_id, partner_tenant_id FROM invitations
  WHERE partner_tenant_id = $1 AND state = 'PENDING' AND expires_at > $5 AND (SELECT anywhere & 2097152 <> 0 FROM me)
),
organizations AS MATERIALIZED (
  SELECT id, ',"userTenant":{"displayName":' || to_json(name) || '}' AS shown FROM tenants
  WHERE id IN (
    SELECT $1 UNION SELECT tenant_id FROM partners UNION SELECT partner_tenant_id FROM partners
    UNION SELECT tenant_id FROM invitation_sides UNION SELECT partner_tenant_id FROM invitation_sides
  )
),
page AS MATERIALIZED (
  SELECT
    tenant_id, id, sequence, creation_time, category, operation, action, result_status, object_name, subject,
    user_tenant_id, request_id
  FROM audit_entries
  WHERE tenant_id = $1 AND creation_time >= $4 AND (SELECT anywhere & 8388608 <> 0 FROM me)
  ORDER BY sequence DESC LIMIT 101
),
shown AS MATERIALIZED (
  SELECT
    e.*, split_part(subject, '_', 1) AS kind, split_part(subject, '_', 2) AS owner, split_part(subject, '_', 3) AS key
  FROM (SELECT * FROM page LIMIT 100) e
)
SELECT '{"data":{"viewer":{"auditEntries":{"nodes":['
  || coalesce((
    SELECT string_agg(
      '{"id":"auditentry_' || e.tenant_id || '_' || e.id
      || '","sequence":' || e.sequence
      || ',"creationTime":"' || e.creation_time
      || '","category":"'
      || CASE e.category
        WHEN 'PartnerInvitation' THEN 'PARTNER_INVITATION'
        WHEN 'RoomGroup' THEN 'ROOM_GROUP'
        WHEN 'UpdateRing' THEN 'UPDATE_RING'
        WHEN 'ApprovalRequest' THEN 'APPROVAL_REQUEST'
        ELSE upper(e.category) END
      || '","operation":"' || upper(e.operation)
      || '","action":' || to_json(e.action)
      || ',"resultStatus":"' || upper(e.result_status)
      || '","objectName":' || to_json(e.object_name)
      || ',"subject":'
      || coalesce(
        CASE e.kind
          WHEN 'room' THEN (
            SELECT '{"displayName":' || to_json(r.name) || '}'
            FROM rooms r
            WHERE r.tenant_id = e.owner AND r.id = e.key AND r.retired_at IS NULL
              AND (
                (r.tenant_id = $1 AND (SELECT everywhere & 1 <> 0 FROM me))
                OR EXISTS (
                  SELECT FROM held h
                  WHERE h.tenant_id = e.owner AND h.permissions & 1 <> 0
                    AND (
                      EXISTS (
                        SELECT FROM assignment_rooms s
                        WHERE s.tenant_id = e.owner AND s.assignment_id = h.id AND s.room_id = e.key OFFSET 0
                      )
                      OR EXISTS (
                        SELECT FROM room_group_rooms g
                        JOIN assignment_groups s ON s.tenant_id = g.tenant_id AND s.group_id = g.group_id
                        WHERE g.tenant_id = e.owner AND g.room_id = e.key AND s.assignment_id = h.id OFFSET 0
                      )
                    )
                    AND (
                      h.partnership_id IS NULL
                      OR EXISTS (
                        SELECT FROM assignment_rooms s
                        WHERE s.tenant_id = e.owner AND s.assignment_id = h.delegation_id AND s.room_id = e.key OFFSET 0
                      )
                      OR EXISTS (
                        SELECT FROM room_group_rooms g
                        JOIN assignment_groups s ON s.tenant_id = g.tenant_id AND s.group_id = g.group_id
                        WHERE g.tenant_id = e.owner AND g.room_id = e.key AND s.assignment_id = h.delegation_id OFFSET 0
                      )
                    )
                )
              )
          )
          WHEN 'assignment' THEN (
            SELECT '{}'
            FROM assignments a JOIN roles r ON r.tenant_id = a.tenant_id AND r.id = a.role_id
            WHERE a.tenant_id = e.owner AND a.id = e.key
              AND CASE
                WHEN r.partnership_id IS NULL AND r.built_in = 'TENANT_MANAGER' THEN
                  r.tenant_id = $1 AND (SELECT anywhere & 2097152 <> 0 FROM me)
                WHEN r.partnership_id IS NULL THEN r.tenant_id = $1 AND (SELECT anywhere & 131072 <> 0 FROM me)
                ELSE EXISTS (
                  SELECT FROM partnerships p
                  WHERE p.tenant_id = r.tenant_id AND p.id = r.partnership_id AND p.state = 'ACTIVE'
                    AND (
                      (p.tenant_id = $1 AND (SELECT anywhere & 1048576 <> 0 FROM me))
                      OR EXISTS (
                        SELECT FROM held h
                        WHERE h.tenant_id = p.tenant_id AND h.partnership_id = p.id AND h.permissions & 131072 <> 0
                      )
                      OR (
                        p.partner_tenant_id = $1 AND r.built_in = 'PRIMARY_ADMIN'
                        AND (SELECT anywhere & 2097152 <> 0 FROM me)
                      )
                    )
                ) END
          )
          WHEN 'partnership' THEN (SELECT '{}' FROM partners WHERE tenant_id = e.owner AND id = e.key)
        END, 'null')
      || coalesce(o.shown, ',"userTenant":null')
      || ',"requestId":' || to_json(e.request_id) || '}', ',' ORDER BY e.sequence DESC
    )
    FROM shown e LEFT JOIN organizations o ON o.id = e.user_tenant_id
  ), '')
  || '],"pageInfo":{"hasNextPage":' || (SELECT count(*) > 100 FROM page)
  || ',"endCursor":'
  || coalesce((
    SELECT '"' || $6::text || '_' || encode(convert_to(sequence::text, 'UTF8'), 'hex') || '_' || id || '"'
    FROM shown ORDER BY sequence LIMIT 1
  ), 'null')
  || '}}}}}'
