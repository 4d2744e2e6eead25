-- The newest 100 entries of the record: ?1 tenant, ?2 principal, ?3 directory permissions, ?4 since when entries can be
-- read, ?5 the moment, ?6 digest of the list. 1 is ROOMS_VIEW, 131072 ROLES_VIEW, 524288 PARTNERS_VIEW,
-- 1048576 PARTNERS_MANAGE, 2097152 INVITATIONS_ANSWER, 8388608 AUDIT_VIEW. Of what entries are about, rooms, assignments
-- and partnerships are known here.
WITH held AS MATERIALIZED ( -- the viewer's assignments, in person or through a group
  SELECT a.tenant_id, a.id, a.partnership_id, a.all_rooms, p.delegation_id, r.permissions
  FROM (
    SELECT tenant_id, assignment_id FROM assignment_members WHERE member_tenant_id = ?1 AND member_id = ?2
    UNION ALL
    SELECT m.tenant_id, m.assignment_id
    FROM group_members g INDEXED BY ix_group_members_tenant_id_member_id
    CROSS JOIN assignment_members m INDEXED BY ix_assignment_members_member_tenant_id_member_id
      ON m.member_tenant_id = ?1 AND m.member_id = g.group_id
    WHERE g.tenant_id = ?1 AND g.member_id = ?2
  ) m
  CROSS JOIN assignments a ON a.tenant_id = m.tenant_id AND a.id = m.assignment_id
  CROSS JOIN roles r ON r.tenant_id = a.tenant_id AND r.id = a.role_id
  LEFT JOIN partnerships p
    ON p.tenant_id = a.tenant_id AND p.id = a.partnership_id AND p.partner_tenant_id = ?1 AND p.state = 'ACTIVE'
  WHERE CASE WHEN a.partnership_id IS NULL THEN a.tenant_id = ?1 ELSE p.id IS NOT NULL END
),
me AS MATERIALIZED (
  SELECT
    ?3 & 131072 <> 0 OR max(at_home & permissions & 131072) <> 0 AS sees_roles,
    ?3 & 524288 <> 0 OR max(at_home & permissions & 524288) <> 0 AS sees_partners,
    ?3 & 1048576 <> 0 OR max(at_home & permissions & 1048576) <> 0 AS manages_partners,
    ?3 & 2097152 <> 0 OR max(at_home & permissions & 2097152) <> 0 AS answers,
    ?3 & 8388608 <> 0 OR max(at_home & permissions & 8388608) <> 0 AS sees_record,
    ?3 & 1 <> 0 OR max(at_home & permissions & -all_rooms & 1) <> 0 AS sees_all_rooms
  FROM (SELECT permissions, all_rooms, iif(partnership_id IS NULL, -1, 0) AS at_home FROM held)
),
partners AS MATERIALIZED ( -- partnerships that the viewer knows of
  SELECT tenant_id, id, partner_tenant_id FROM partnerships WHERE tenant_id = ?1 AND (SELECT sees_partners FROM me)
  UNION ALL
  SELECT tenant_id, id, partner_tenant_id FROM partnerships
  WHERE partner_tenant_id = ?1 AND state = 'ACTIVE'
    AND ((SELECT answers FROM me) OR (tenant_id, id) IN (SELECT tenant_id, partnership_id FROM held))
),
invitation_sides AS MATERIALIZED (
  SELECT tenant_id, partner_tenant_id FROM invitations WHERE tenant_id = ?1 AND (SELECT sees_partners FROM me)
  UNION ALL
  SELECT tenant_id, partner_tenant_id FROM invitations
  WHERE partner_tenant_id = ?1 AND state = 'PENDING' AND expires_at > ?5 AND (SELECT answers FROM me)
),
organizations AS MATERIALIZED (
  SELECT id, json_object('displayName', name) AS shown FROM tenants
  WHERE id IN (
    SELECT ?1 UNION ALL SELECT tenant_id FROM partners UNION ALL SELECT partner_tenant_id FROM partners
    UNION ALL SELECT tenant_id FROM invitation_sides UNION ALL SELECT partner_tenant_id FROM invitation_sides
  )
),
page AS MATERIALIZED (
  SELECT
    tenant_id, id, sequence, creation_time, category, operation, action, result_status, object_name, subject,
    user_tenant_id, request_id
  FROM audit_entries INDEXED BY uq_audit_entries_sequence
  WHERE tenant_id = ?1 AND creation_time >= ?4 AND (SELECT sees_record FROM me)
  ORDER BY sequence DESC LIMIT 101
)
SELECT '{"data":{"viewer":{"auditEntries":{"nodes":['
  || coalesce((
    SELECT group_concat(
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
      || '","action":' || json_quote(e.action)
      || ',"resultStatus":"' || upper(e.result_status)
      || '","objectName":' || json_quote(e.object_name)
      || ',"subject":'
      || coalesce(
        CASE substr(e.subject, 1, instr(e.subject, '_') - 1)
          WHEN 'room' THEN (
            SELECT json_object('displayName', r.name)
            FROM rooms r
            WHERE r.tenant_id = substr(e.subject, 6, 36) AND r.id = substr(e.subject, 43) AND r.retired_at IS NULL
              AND (
                (r.tenant_id = ?1 AND (SELECT sees_all_rooms FROM me))
                OR EXISTS (
                  SELECT 1 FROM held h
                  WHERE h.tenant_id = r.tenant_id AND h.permissions & 1 <> 0
                    AND (
                      EXISTS (
                        SELECT 1 FROM assignment_rooms s
                        WHERE s.tenant_id = r.tenant_id AND s.assignment_id = h.id AND s.room_id = r.id
                      )
                      OR EXISTS (
                        SELECT 1 FROM room_group_rooms g INDEXED BY ix_room_group_rooms_tenant_id_room_id
                        CROSS JOIN assignment_groups s
                          ON s.tenant_id = g.tenant_id AND s.assignment_id = h.id AND s.group_id = g.group_id
                        WHERE g.tenant_id = r.tenant_id AND g.room_id = r.id
                      )
                    )
                    AND (
                      h.partnership_id IS NULL
                      OR EXISTS (
                        SELECT 1 FROM assignment_rooms s
                        WHERE s.tenant_id = r.tenant_id AND s.assignment_id = h.delegation_id AND s.room_id = r.id
                      )
                      OR EXISTS (
                        SELECT 1 FROM room_group_rooms g INDEXED BY ix_room_group_rooms_tenant_id_room_id
                        CROSS JOIN assignment_groups s
                          ON s.tenant_id = g.tenant_id AND s.assignment_id = h.delegation_id AND s.group_id = g.group_id
                        WHERE g.tenant_id = r.tenant_id AND g.room_id = r.id
                      )
                    )
                )
              )
          )
          WHEN 'assignment' THEN (
            SELECT '{}'
            FROM assignments a CROSS JOIN roles r ON r.tenant_id = a.tenant_id AND r.id = a.role_id
            WHERE a.tenant_id = substr(e.subject, 12, 36) AND a.id = substr(e.subject, 49)
              AND CASE
                WHEN r.partnership_id IS NULL AND r.built_in = 'TENANT_MANAGER' THEN
                  r.tenant_id = ?1 AND (SELECT answers FROM me)
                WHEN r.partnership_id IS NULL THEN r.tenant_id = ?1 AND (SELECT sees_roles FROM me)
                ELSE EXISTS (
                  SELECT 1 FROM partnerships p
                  WHERE p.tenant_id = r.tenant_id AND p.id = r.partnership_id AND p.state = 'ACTIVE'
                    AND (
                      (p.tenant_id = ?1 AND (SELECT manages_partners FROM me))
                      OR EXISTS (
                        SELECT 1 FROM held h
                        WHERE h.tenant_id = p.tenant_id AND h.partnership_id = p.id AND h.permissions & 131072 <> 0
                      )
                      OR (p.partner_tenant_id = ?1 AND r.built_in = 'PRIMARY_ADMIN' AND (SELECT answers FROM me))
                    )
                ) END
          )
          WHEN 'partnership' THEN (
            SELECT '{}' FROM partners WHERE tenant_id = substr(e.subject, 13, 36) AND id = substr(e.subject, 50)
          )
        END, 'null')
      || ',"userTenant":' || coalesce((SELECT shown FROM organizations WHERE id = e.user_tenant_id), 'null')
      || ',"requestId":' || json_quote(e.request_id) || '}'
    )
    FROM (SELECT * FROM page LIMIT 100) e
  ), '')
  || '],"pageInfo":{"hasNextPage":' || (SELECT iif(count(*) > 100, 'true', 'false') FROM page)
  || ',"endCursor":'
  || coalesce((
    SELECT '"' || ?6 || '_' || lower(hex(sequence)) || '_' || id || '"'
    FROM (SELECT * FROM page LIMIT 100) ORDER BY sequence LIMIT 1
  ), 'null')
  || '}}}}}'
