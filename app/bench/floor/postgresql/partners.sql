-- Partners with roles, assignments, members and ten rooms each: $1 tenant, $2 principal, $3 directory permissions, $4 how
-- many partners. 1 is ROOMS_VIEW, 524288 PARTNERS_VIEW, 1048576 PARTNERS_MANAGE. A tenant is no partner of its own, so
-- that only the customer's side of the rules is asked.
WITH held AS MATERIALIZED ( -- the viewer's assignments, in person or through a group
  SELECT a.tenant_id, a.id, a.all_rooms, r.permissions
  FROM (
    SELECT tenant_id, assignment_id FROM assignment_members WHERE member_tenant_id = $1 AND member_id = $2
    UNION ALL
    SELECT m.tenant_id, m.assignment_id
    FROM group_members g JOIN assignment_members m ON m.member_tenant_id = $1 AND m.member_id = g.group_id
    WHERE g.tenant_id = $1 AND g.member_id = $2
  ) m
  JOIN assignments a ON a.tenant_id = m.tenant_id AND a.id = m.assignment_id
  JOIN roles r ON r.tenant_id = a.tenant_id AND r.id = a.role_id
  WHERE a.tenant_id = $1 AND a.partnership_id IS NULL
),
me AS MATERIALIZED (
  SELECT
    ($3::int | coalesce(bit_or(permissions), 0)) & 524288 <> 0 AS sees_partners,
    ($3::int | coalesce(bit_or(permissions), 0)) & 1048576 <> 0 AS manages_partners,
    ($3::int | coalesce(bit_or(permissions) FILTER (WHERE all_rooms), 0)) & 1 <> 0 AS sees_all_rooms
  FROM held
),
reach AS MATERIALIZED ( -- of the own tenant, for who does not see all of it
  SELECT s.room_id
  FROM held h, LATERAL (
    SELECT room_id FROM assignment_rooms WHERE tenant_id = $1 AND assignment_id = h.id
    UNION ALL
    SELECT g.room_id
    FROM assignment_groups a JOIN room_group_rooms g ON g.tenant_id = $1 AND g.group_id = a.group_id
    WHERE a.tenant_id = $1 AND a.assignment_id = h.id
  ) s
  WHERE h.permissions & 1 <> 0 AND NOT (SELECT sees_all_rooms FROM me)
)
SELECT '{"data":{"viewer":{"partners":{"nodes":['
  || coalesce(string_agg(
    '{"id":"partnership_' || p.tenant_id || '_' || p.id
    || '","version":' || p.version
    || ',"state":"' || p.state
    || '","establishedAt":"' || p.established_at
    || '","removedAt":' || coalesce('"' || p.removed_at || '"', 'null')
    || ',"partner":{"id":"tenant_' || p.partner_tenant_id || '","displayName":' || to_json(p.partner_name)
    || '},"roles":{"nodes":['
    || coalesce((
      SELECT string_agg(
        '{"id":"role_' || r.tenant_id || '_' || r.id
        || '","version":' || r.version
        || ',"name":' || to_json(r.name)
        || ',"description":' || coalesce(to_json(r.description)::text, 'null')
        || CASE WHEN r.built_in IS NULL THEN ',"type":"CUSTOM"' ELSE ',"type":"BUILT_IN"' END
        || ',"side":"PARTNER","assignments":{"nodes":['
        || coalesce((
          SELECT string_agg(
            '{"id":"assignment_' || a.tenant_id || '_' || a.id
            || '","version":' || a.version
            || ',"name":' || to_json(a.name)
            || ',"description":' || coalesce(to_json(a.description)::text, 'null')
            || ',"allRooms":' || a.all_rooms
            || ',"notifyByEmail":' || a.notify_by_email
            || ',"members":{"nodes":['
            || coalesce((
              SELECT string_agg(
                CASE m.kind
                  WHEN 'USER' THEN '{"__typename":"User","id":"user_'
                  WHEN 'GROUP' THEN '{"__typename":"SecurityGroup","id":"securitygroup_'
                  ELSE '{"__typename":"Application","id":"application_' END
                || m.tenant_id || '_' || m.id || '","displayName":' || to_json(m.name) || '}', ','
              )
              FROM (
                SELECT q.tenant_id, q.id, q.kind, q.name
                FROM assignment_members n JOIN principals q ON q.tenant_id = n.member_tenant_id AND q.id = n.member_id
                WHERE n.tenant_id = a.tenant_id AND n.assignment_id = a.id
                ORDER BY q.name_key, q.id LIMIT 10
              ) m
            ), '')
            || ']}}', ','
          )
          FROM (
            SELECT * FROM assignments WHERE tenant_id = r.tenant_id AND role_id = r.id ORDER BY name_key, id LIMIT 10
          ) a
        ), '')
        || ']}}', ','
      )
      FROM (
        SELECT * FROM roles
        WHERE tenant_id = p.tenant_id AND partnership_id = p.id AND p.state = 'ACTIVE'
          AND (SELECT manages_partners FROM me)
        ORDER BY name_key, id LIMIT 10
      ) r
    ), '')
    || ']},"rooms":{"nodes":['
    || coalesce((
      SELECT string_agg(
        '{"id":"room_' || r.tenant_id || '_' || r.id
        || '","version":' || r.version
        || ',"updatedAt":"' || r.updated_at
        || '","displayName":' || to_json(r.name)
        || ',"account":' || to_json(r.account)
        || ',"capacity":' || coalesce(r.capacity::text, 'null')
        || ',"platform":"' || r.platform
        || '","deviceManufacturer":' || coalesce(to_json(r.device_manufacturer)::text, 'null')
        || ',"license":"' || r.license
        || '","enrollment":"' || r.enrollment
        || '","label":' || coalesce(to_json(r.label)::text, 'null')
        || ',"nickname":' || coalesce(to_json(r.nickname)::text, 'null')
        || ',"wheelchairAccessible":' || coalesce(r.wheelchair_accessible::text, 'null')
        || ',"bookingType":"' || r.booking_type
        || '","location":{"countryOrRegion":' || coalesce(to_json(r.country_or_region)::text, 'null')
        || ',"city":' || coalesce(to_json(r.city)::text, 'null')
        || ',"postalCode":' || coalesce(to_json(r.postal_code)::text, 'null')
        || ',"street":' || coalesce(to_json(r.street)::text, 'null')
        || ',"campus":' || coalesce(to_json(r.campus)::text, 'null')
        || ',"building":' || coalesce(to_json(r.building)::text, 'null')
        || ',"floor":' || coalesce(to_json(r.floor)::text, 'null')
        || ',"floorLabel":' || coalesce(to_json(r.floor_label)::text, 'null')
        || ',"timeZone":' || coalesce(to_json(r.time_zone)::text, 'null')
        || '}}', ','
      )
      FROM (
        SELECT f.*
        FROM (
          SELECT tenant_id, id FROM rooms
          WHERE tenant_id = p.tenant_id
            AND id = ANY (ARRAY (
              SELECT room_id FROM assignment_rooms WHERE tenant_id = p.tenant_id AND assignment_id = p.delegation_id
              UNION ALL
              SELECT g.room_id
              FROM assignment_groups a JOIN room_group_rooms g ON g.tenant_id = a.tenant_id AND g.group_id = a.group_id
              WHERE a.tenant_id = p.tenant_id AND a.assignment_id = p.delegation_id
            ))
            AND retired_at IS NULL
            AND ((SELECT sees_all_rooms FROM me) OR id IN (SELECT room_id FROM reach))
            AND p.state = 'ACTIVE'
          ORDER BY name_key, id LIMIT 10
        ) k, LATERAL (SELECT * FROM rooms WHERE tenant_id = k.tenant_id AND id = k.id OFFSET 0) f
      ) r
    ), '')
    || ']}}', ','
  ), '')
  || ']}}}}'
FROM (
  SELECT p.*, t.name AS partner_name
  FROM partnerships p JOIN tenants t ON t.id = p.partner_tenant_id
  WHERE p.tenant_id = $1 AND p.state = 'ACTIVE' AND (SELECT sees_partners FROM me)
  ORDER BY t.name_key, p.id LIMIT $4
) p
