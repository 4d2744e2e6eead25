-- The newest 100 entries of the record: ?1 tenant, ?2 principal, ?3 directory permissions, ?4 since when entries can be
-- read, ?5 the moment, ?6 digest of the list. 1 is ROOMS_VIEW, 64 GROUPS_VIEW, 512 RINGS_VIEW, 131072 ROLES_VIEW,
-- 262144 ROLES_MODIFY, 524288 PARTNERS_VIEW, 1048576 PARTNERS_MANAGE, 2097152 INVITATIONS_ANSWER,
-- 4194304 APPROVALS_DECIDE, 8388608 AUDIT_VIEW. What an entry is about is looked up by its kind, whichever that is. Of
-- principals only stored ones are known, also where the viewer is none.
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
    ?3 & 4194304 <> 0 OR max(at_home & permissions & 4194304) <> 0 AS decides,
    ?3 & 8388608 <> 0 OR max(at_home & permissions & 8388608) <> 0 AS sees_record,
    ?3 & 512 <> 0 OR max(at_home & permissions & 512) <> 0 AS sees_rings,
    ?3 & 64 <> 0 OR max(at_home & permissions & -all_rooms & 64) <> 0 AS sees_all_groups,
    ?3 & 1 <> 0 OR max(at_home & permissions & -all_rooms & 1) <> 0 AS sees_all_rooms,
    ?3 & 2097152 <> 0 OR max(at_home & permissions & 2097152) <> 0
      OR ?3 & 262144 <> 0 OR max(permissions & 262144) <> 0 AS names_people
  FROM (SELECT permissions, all_rooms, iif(partnership_id IS NULL, -1, 0) AS at_home FROM held)
),
partners AS MATERIALIZED ( -- partnerships that the viewer knows of
  SELECT tenant_id, id, partner_tenant_id FROM partnerships WHERE tenant_id = ?1 AND (SELECT sees_partners FROM me)
  UNION ALL
  SELECT tenant_id, id, partner_tenant_id FROM partnerships
  WHERE partner_tenant_id = ?1 AND state = 'ACTIVE'
    AND ((SELECT answers FROM me) OR (tenant_id, id) IN (SELECT tenant_id, partnership_id FROM held))
),
offers AS MATERIALIZED ( -- invitations that the viewer knows of
  SELECT tenant_id, id, partner_tenant_id, sent_by_id FROM invitations
  WHERE tenant_id = ?1 AND (SELECT sees_partners FROM me)
  UNION ALL
  SELECT tenant_id, id, partner_tenant_id, sent_by_id FROM invitations
  WHERE partner_tenant_id = ?1 AND state = 'PENDING' AND expires_at > ?5 AND (SELECT answers FROM me)
),
organizations AS MATERIALIZED (
  SELECT id, json_object('displayName', name) AS shown FROM tenants
  WHERE id IN (
    SELECT ?1 UNION ALL SELECT tenant_id FROM partners UNION ALL SELECT partner_tenant_id FROM partners
    UNION ALL SELECT tenant_id FROM offers UNION ALL SELECT partner_tenant_id FROM offers
  )
),
seen_roles AS NOT MATERIALIZED (
  SELECT tenant_id, id FROM roles r
  WHERE CASE
    WHEN partnership_id IS NOT NULL THEN EXISTS (
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
    )
    WHEN built_in = 'TENANT_MANAGER' THEN tenant_id = ?1 AND (SELECT answers FROM me)
    ELSE tenant_id = ?1 AND (SELECT sees_roles FROM me) END
),
seen_requests AS NOT MATERIALIZED ( -- held changes
  SELECT tenant_id, id, requester_tenant_id, requester_id, decider_tenant_id, decider_id FROM approval_requests q
  WHERE (tenant_id = ?1 AND (SELECT decides FROM me))
    OR (
      requester_tenant_id = ?1 AND requester_id = ?2
      AND (tenant_id, partnership_id) IN (SELECT tenant_id, id FROM partners)
    )
    OR EXISTS (
      SELECT 1 FROM held h
      WHERE h.tenant_id = q.tenant_id AND h.partnership_id = q.partnership_id AND h.id = h.delegation_id
    )
),
scopes AS NOT MATERIALIZED (
  SELECT tenant_id, assignment_id, room_id FROM assignment_rooms
  UNION ALL
  SELECT s.tenant_id, s.assignment_id, g.room_id
  FROM assignment_groups s CROSS JOIN room_group_rooms g ON g.tenant_id = s.tenant_id AND g.group_id = s.group_id
),
reach AS MATERIALIZED ( -- rooms within the viewer's scopes, of a partner's those that were delegated
  SELECT s.tenant_id, s.room_id, h.partnership_id, h.permissions
  FROM held h
  CROSS JOIN scopes s ON s.tenant_id = h.tenant_id AND s.assignment_id = h.id
  CROSS JOIN rooms r ON r.tenant_id = s.tenant_id AND r.id = s.room_id AND r.retired_at IS NULL
  WHERE h.partnership_id IS NULL
    OR EXISTS (
      SELECT 1 FROM scopes d
      WHERE d.tenant_id = h.tenant_id AND d.assignment_id = h.delegation_id AND d.room_id = s.room_id
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
        CASE
          WHEN e.kind = 'room' THEN (
            SELECT json_object('displayName', r.name)
            FROM rooms r
            WHERE r.tenant_id = e.owner AND r.id = e.key AND r.retired_at IS NULL
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
          WHEN e.kind IN ('role', 'assignment') THEN (
            SELECT '{}' FROM seen_roles
            WHERE tenant_id = e.owner
              AND id = CASE e.kind
                WHEN 'role' THEN e.key
                ELSE (SELECT role_id FROM assignments WHERE tenant_id = e.owner AND id = e.key) END
          )
          WHEN e.kind = 'partnership' THEN (SELECT '{}' FROM partners WHERE tenant_id = e.owner AND id = e.key)
          WHEN e.kind = 'invitation' THEN (SELECT '{}' FROM offers WHERE tenant_id = e.owner AND id = e.key)
          WHEN e.kind = 'tenant' THEN (SELECT '{}' FROM organizations WHERE id = e.owner)
          WHEN e.kind = 'approvalrequest' THEN (
            SELECT '{}' FROM seen_requests WHERE tenant_id = e.owner AND id = e.key
          )
          WHEN e.kind = 'auditentry' THEN ( -- whoever sees the page may see it, unless it is too old
            SELECT '{}' FROM audit_entries
            WHERE tenant_id = ?1 AND tenant_id = e.owner AND id = e.key AND creation_time >= ?4
          )
          WHEN e.kind = 'roomgroup' THEN (
            SELECT '{}' FROM room_groups g
            WHERE g.tenant_id = e.owner AND g.id = e.key
              AND (
                (g.tenant_id = ?1 AND (SELECT sees_all_groups FROM me))
                OR EXISTS ( -- named in a scope
                  SELECT 1 FROM held h
                  CROSS JOIN assignment_groups s
                    ON s.tenant_id = h.tenant_id AND s.assignment_id = h.id AND s.group_id = g.id
                  LEFT JOIN assignment_groups d
                    ON d.tenant_id = h.tenant_id AND d.assignment_id = h.delegation_id AND d.group_id = g.id
                  WHERE h.tenant_id = g.tenant_id AND h.permissions & 64 <> 0
                    AND (h.partnership_id IS NULL OR d.group_id IS NOT NULL)
                )
                OR EXISTS ( -- with a room in reach
                  SELECT 1 FROM room_group_rooms i
                  CROSS JOIN reach r ON r.tenant_id = i.tenant_id AND r.room_id = i.room_id
                  WHERE i.tenant_id = g.tenant_id AND i.group_id = g.id AND r.permissions & 64 <> 0
                )
              )
          )
          WHEN e.kind = 'updatering' THEN (
            SELECT '{}' FROM update_rings u
            WHERE u.tenant_id = e.owner AND u.id = e.key
              AND (
                (u.tenant_id = ?1 AND (SELECT sees_rings FROM me))
                OR EXISTS (
                  SELECT 1 FROM reach r
                  WHERE r.tenant_id = u.tenant_id AND r.partnership_id IS NOT NULL AND r.permissions & 512 <> 0
                )
              )
          )
          WHEN e.kind IN ('user', 'securitygroup', 'application') THEN (
            SELECT '{}' FROM principals p
            WHERE p.tenant_id = e.owner AND p.id = e.key
              AND p.kind = CASE e.kind WHEN 'user' THEN 'USER' WHEN 'application' THEN 'APPLICATION' ELSE 'GROUP' END
              AND (
                (p.tenant_id = ?1 AND (p.id = ?2 OR (p.removed_at IS NULL AND (SELECT names_people FROM me))))
                OR EXISTS ( -- acted
                  SELECT 1 FROM audit_entries a INDEXED BY ix_audit_entries_tenant_id_user_tenant_id_user_id
                  WHERE a.tenant_id = ?1 AND a.user_tenant_id = p.tenant_id AND a.user_id = p.id
                    AND a.creation_time >= ?4
                )
                OR EXISTS ( -- is a member
                  SELECT 1 FROM assignment_members m
                  CROSS JOIN assignments a ON a.tenant_id = m.tenant_id AND a.id = m.assignment_id
                  CROSS JOIN seen_roles r ON r.tenant_id = a.tenant_id AND r.id = a.role_id
                  WHERE m.member_tenant_id = p.tenant_id AND m.member_id = p.id
                )
                OR EXISTS (SELECT 1 FROM offers WHERE tenant_id = p.tenant_id AND sent_by_id = p.id)
                OR EXISTS ( -- asked for a change, or decided
                  SELECT 1 FROM seen_requests
                  WHERE tenant_id IN (SELECT ?1 UNION ALL SELECT tenant_id FROM partners)
                    AND (
                      (requester_tenant_id = p.tenant_id AND requester_id = p.id)
                      OR (decider_tenant_id = p.tenant_id AND decider_id = p.id)
                    )
                )
                OR EXISTS ( -- approved what another did
                  SELECT 1 FROM audit_entries a
                  WHERE a.tenant_id = ?1 AND a.tenant_id = p.tenant_id AND a.approved_by_id = p.id
                    AND a.creation_time >= ?4
                )
              )
          )
        END, 'null')
      || ',"userTenant":' || coalesce((SELECT shown FROM organizations WHERE id = e.user_tenant_id), 'null')
      || ',"requestId":' || json_quote(e.request_id) || '}'
    )
    FROM (
      SELECT
        *, substr(subject, 1, instr(subject, '_') - 1) AS kind, substr(subject, instr(subject, '_') + 1, 36) AS owner,
        substr(subject, instr(subject, '_') + 38) AS key
      FROM page LIMIT 100
    ) e
  ), '')
  || '],"pageInfo":{"hasNextPage":' || (SELECT iif(count(*) > 100, 'true', 'false') FROM page)
  || ',"endCursor":'
  || coalesce((
    SELECT '"' || ?6 || '_' || lower(hex(sequence)) || '_' || id || '"'
    FROM (SELECT * FROM page LIMIT 100) ORDER BY sequence LIMIT 1
  ), 'null')
  || '}}}}}'
