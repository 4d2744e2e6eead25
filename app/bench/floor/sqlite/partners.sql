-- Partners with roles, assignments, members and ten rooms each: ?1 tenant, ?2 principal, ?3 directory permissions, ?4 how
-- many partners. 1 is ROOMS_VIEW, 524288 PARTNERS_VIEW, 1048576 PARTNERS_MANAGE. A tenant is no partner of its own, so
-- that only the customer's side of the rules is asked.
WITH held AS MATERIALIZED ( -- the viewer's assignments, in person or through a group
  SELECT a.id, a.all_rooms, r.permissions
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
  WHERE a.tenant_id = ?1 AND a.partnership_id IS NULL
),
me AS MATERIALIZED (
  SELECT
    ?3 & 524288 <> 0 OR EXISTS (SELECT 1 FROM held WHERE permissions & 524288 <> 0) AS sees_partners,
    ?3 & 1048576 <> 0 OR EXISTS (SELECT 1 FROM held WHERE permissions & 1048576 <> 0) AS manages_partners,
    ?3 & 1 <> 0 OR EXISTS (SELECT 1 FROM held WHERE permissions & 1 <> 0 AND all_rooms) AS sees_all_rooms
),
reach AS MATERIALIZED ( -- of the own tenant, for who does not see all of it
  SELECT s.room_id
  FROM held h CROSS JOIN assignment_rooms s ON s.tenant_id = ?1 AND s.assignment_id = h.id
  WHERE h.permissions & 1 <> 0 AND NOT (SELECT sees_all_rooms FROM me)
  UNION ALL
  SELECT g.room_id
  FROM held h CROSS JOIN assignment_groups a ON a.tenant_id = ?1 AND a.assignment_id = h.id
  CROSS JOIN room_group_rooms g ON g.tenant_id = ?1 AND g.group_id = a.group_id
  WHERE h.permissions & 1 <> 0 AND NOT (SELECT sees_all_rooms FROM me)
),
page AS MATERIALIZED (
  SELECT p.*, t.name AS partner_name
  FROM partnerships p CROSS JOIN tenants t ON t.id = p.partner_tenant_id
  WHERE p.tenant_id = ?1 AND p.state = 'ACTIVE' AND (SELECT sees_partners FROM me)
  ORDER BY t.name_key, p.id LIMIT ?4
)
SELECT '{"data":{"viewer":{"partners":{"nodes":['
  || coalesce(group_concat(
    '{"id":"partnership_' || p.tenant_id || '_' || p.id
    || '","version":' || p.version
    || ',"state":"' || p.state
    || '","establishedAt":"' || p.established_at
    || '","removedAt":' || json_quote(p.removed_at)
    || ',"partner":{"id":"tenant_' || p.partner_tenant_id || '","displayName":' || json_quote(p.partner_name)
    || '},"roles":{"nodes":['
    || coalesce((
      SELECT group_concat(
        '{"id":"role_' || r.tenant_id || '_' || r.id
        || '","version":' || r.version
        || ',"name":' || json_quote(r.name)
        || ',"description":' || json_quote(r.description)
        || iif(r.built_in IS NULL, ',"type":"CUSTOM"', ',"type":"BUILT_IN"')
        || ',"side":"PARTNER","assignments":{"nodes":['
        || coalesce((
          SELECT group_concat(
            '{"id":"assignment_' || a.tenant_id || '_' || a.id
            || '","version":' || a.version
            || ',"name":' || json_quote(a.name)
            || ',"description":' || json_quote(a.description)
            || iif(a.all_rooms, ',"allRooms":true', ',"allRooms":false')
            || iif(a.notify_by_email, ',"notifyByEmail":true', ',"notifyByEmail":false')
            || ',"members":{"nodes":['
            || coalesce((
              SELECT group_concat(
                CASE m.kind
                  WHEN 'USER' THEN '{"__typename":"User","id":"user_'
                  WHEN 'GROUP' THEN '{"__typename":"SecurityGroup","id":"securitygroup_'
                  ELSE '{"__typename":"Application","id":"application_' END
                || m.tenant_id || '_' || m.id || '","displayName":' || json_quote(m.name) || '}'
              )
              FROM (
                SELECT q.tenant_id, q.id, q.kind, q.name
                FROM assignment_members n
                CROSS JOIN principals q ON q.tenant_id = n.member_tenant_id AND q.id = n.member_id
                WHERE n.tenant_id = a.tenant_id AND n.assignment_id = a.id
                ORDER BY q.name_key, q.id LIMIT 10
              ) m
            ), '')
            || ']}}'
          )
          FROM (
            SELECT * FROM assignments WHERE tenant_id = r.tenant_id AND role_id = r.id ORDER BY name_key, id LIMIT 10
          ) a
        ), '')
        || ']}}'
      )
      FROM (
        SELECT * FROM roles
        WHERE tenant_id = p.tenant_id AND partnership_id = p.id AND (SELECT manages_partners FROM me)
        ORDER BY name_key, id LIMIT 10
      ) r
    ), '')
    || ']},"rooms":{"nodes":['
    || coalesce((
      SELECT group_concat(json_object(
        'id', 'room_' || r.tenant_id || '_' || r.id,
        'version', r.version,
        'updatedAt', r.updated_at,
        'displayName', r.name,
        'account', r.account,
        'capacity', r.capacity,
        'platform', r.platform,
        'deviceManufacturer', r.device_manufacturer,
        'license', r.license,
        'enrollment', r.enrollment,
        'label', r.label,
        'nickname', r.nickname,
        'wheelchairAccessible', json(iif(r.wheelchair_accessible, 'true', iif(r.wheelchair_accessible IS NULL, 'null', 'false'))),
        'bookingType', r.booking_type,
        'location', json_object(
          'countryOrRegion', r.country_or_region,
          'city', r.city,
          'postalCode', r.postal_code,
          'street', r.street,
          'campus', r.campus,
          'building', r.building,
          'floor', r.floor,
          'floorLabel', r.floor_label,
          'timeZone', r.time_zone
        )
      ))
      FROM (
        SELECT f.rowid AS place
        FROM (
          SELECT s.room_id FROM assignment_rooms s
          WHERE s.tenant_id = p.tenant_id AND s.assignment_id = p.delegation_id
          UNION
          SELECT g.room_id
          FROM assignment_groups a CROSS JOIN room_group_rooms g ON g.tenant_id = a.tenant_id AND g.group_id = a.group_id
          WHERE a.tenant_id = p.tenant_id AND a.assignment_id = p.delegation_id
        ) s CROSS JOIN rooms f ON f.tenant_id = p.tenant_id AND f.id = s.room_id AND f.retired_at IS NULL
        WHERE (SELECT sees_all_rooms FROM me) OR f.id IN reach
        ORDER BY f.name_key, f.id LIMIT 10
      ) k CROSS JOIN rooms r ON r.rowid = k.place
    ), '')
    || ']}}'
  ), '')
  || ']}}}}'
FROM page p
