package component

// WorkerGroups are all requests that workers answer. The first group with a route that fits a request is its own; what
// fits none goes to the main process. Requests to an authentication service (login, logout, refresh) are not Synapse's and go before all of them.
var WorkerGroups = []WorkerGroup{
	// Streams with a writer.
	{Name: "typing", Resource: "client", Stream: "typing", Balance: NoSpread, Routes: []WorkerRoute{
		{Path: clientAll + `rooms/.*/typing`, Example: "PUT /_matrix/client/v3/rooms/!a:example.org/typing/@b:example.org"},
	}},
	{Name: "to-device", Resource: "client", Stream: "to_device", Balance: NoSpread, Routes: []WorkerRoute{
		{Path: clientNew + `sendToDevice/`, Example: "PUT /_matrix/client/v3/sendToDevice/m.room.encrypted/1"},
	}},
	{Name: "account-data", Resource: "client", Stream: "account_data", Balance: NoSpread, Routes: []WorkerRoute{
		{Path: clientNew + `.*/tags`, Reads: []string{"GET"}, Example: "PUT /_matrix/client/v3/user/@b:example.org/rooms/!a:example.org/tags/u.work"},
		{Path: clientNew + `.*/account_data`, Reads: []string{"GET"}, Example: "PUT /_matrix/client/v3/user/@b:example.org/account_data/m.direct"},
	}},
	{Name: "receipts", Resource: "client", Stream: "receipts", Routes: []WorkerRoute{
		{Path: clientNew + `rooms/.*/receipt`, Example: "POST /_matrix/client/v3/rooms/!a:example.org/receipt/m.read/$c"},
		{Path: clientNew + `rooms/.*/read_markers`, Example: "POST /_matrix/client/v3/rooms/!a:example.org/read_markers"},
	}},
	{Name: "presence", Resource: "client", Stream: "presence", Balance: NoSpread, Routes: []WorkerRoute{
		{Path: clientAll + `presence/`, Reads: []string{"GET"}, Example: "PUT /_matrix/client/v3/presence/@b:example.org/status"},
	}},
	{Name: "push-rules", Resource: "client", Stream: "push_rules", Balance: NoSpread, Routes: []WorkerRoute{
		{Path: clientAll + `pushrules/`, Reads: []string{"GET"}, Example: "PUT /_matrix/client/v3/pushrules/global/room/!a:example.org"},
	}},
	{Name: "device-lists", Resource: "client", Stream: "device_lists", Routes: []WorkerRoute{
		{Path: `^/_matrix/client/(r0|v3)/delete_devices$`, Example: "POST /_matrix/client/v3/delete_devices", Needs: NeedsNoMAS},
		{Path: clientAll + `devices(/|$)`, Example: "GET /_matrix/client/v3/devices"},
		{Path: clientNew + `keys/upload`, Example: "POST /_matrix/client/v3/keys/upload"},
		{Path: clientAll + `keys/device_signing/upload$`, Example: "POST /_matrix/client/v3/keys/device_signing/upload"},
		{Path: clientAll + `keys/signatures/upload$`, Example: "POST /_matrix/client/v3/keys/signatures/upload"},
	}},
	{Name: "thread-subscriptions", Resource: "client", Stream: "thread_subscriptions", Routes: []WorkerRoute{
		{Path: `^/_matrix/client/unstable/io\.element\.msc4306/`, Reads: []string{"GET"}, Example: "PUT /_matrix/client/unstable/io.element.msc4306/rooms/!a:example.org/thread/$c/subscription", Needs: NeedsThreads},
	}},
	{Name: "quarantine", Resource: "media", Stream: "quarantined_media_changes", Routes: []WorkerRoute{
		{Path: adminV1 + `quarantine_media/.*$`, Example: "POST /_synapse/admin/v1/quarantine_media/!a:example.org"},
		{Path: adminV1 + `room/.*/media/quarantine$`, Example: "POST /_synapse/admin/v1/room/!a:example.org/media/quarantine"},
		{Path: adminV1 + `user/.*/media/quarantine$`, Example: "POST /_synapse/admin/v1/user/@b:example.org/media/quarantine"},
		{Path: adminV1 + `media/quarantine/.*$`, Example: "POST /_synapse/admin/v1/media/quarantine/example.org/abc"},
		{Path: adminV1 + `media/unquarantine/.*$`, Example: "POST /_synapse/admin/v1/media/unquarantine/example.org/abc"},
	}},
	// Several workers for media need one disk.
	{Name: "media", Resource: "media", Routes: []WorkerRoute{
		{Path: `^/_matrix/media/`, Example: "POST /_matrix/media/v3/upload"},
		{Path: `^/_matrix/client/v1/media/`, Example: "GET /_matrix/client/v1/media/download/example.org/abc"},
		{Path: fedV1 + `media/`, Example: "GET /_matrix/federation/v1/media/download/abc"},
		{Path: adminV1 + `purge_media_cache$`, Example: "POST /_synapse/admin/v1/purge_media_cache"},
		{Path: adminV1 + `room/.*/media$`, Example: "GET /_synapse/admin/v1/room/!a:example.org/media"},
		{Path: adminV1 + `media/.*$`, Example: "POST /_synapse/admin/v1/media/delete"},
		{Path: adminV1 + `users/.*/media$`, Example: "GET /_synapse/admin/v1/users/@b:example.org/media"},
	}},
	{Name: "sso", Resource: "client", Balance: NoSpread, Routes: []WorkerRoute{
		{Path: clientAll + `login/sso/redirect`, Example: "GET /_matrix/client/v3/login/sso/redirect", Needs: NeedsOIDC},
		{Path: `^/_synapse/client/pick_idp$`, Example: "GET /_synapse/client/pick_idp"},
		{Path: `^/_synapse/client/pick_username`, Example: "GET /_synapse/client/pick_username/account_details"},
		{Path: `^/_synapse/client/new_user_consent$`, Example: "GET /_synapse/client/new_user_consent"},
		{Path: `^/_synapse/client/sso_register$`, Example: "GET /_synapse/client/sso_register"},
		{Path: `^/_synapse/client/oidc/callback$`, Example: "GET /_synapse/client/oidc/callback", Needs: NeedsOIDC},
		{Path: `^/_synapse/client/saml2/authn_response$`, Example: "POST /_synapse/client/saml2/authn_response", Needs: NeedsSAML},
		{Path: clientAll + `login/cas/ticket$`, Example: "GET /_matrix/client/v3/login/cas/ticket", Needs: NeedsCAS},
	}},
	{Name: "sync", Resource: "client", Balance: ByUser, Routes: []WorkerRoute{
		{Path: `^/_matrix/client/(r0|v3)/sync$`, Example: "GET /_matrix/client/v3/sync"},
		{Path: `^/_matrix/client/(api/v1|r0|v3)/events$`, Example: "GET /_matrix/client/v3/events"},
		{Path: `^/_matrix/client/(api/v1|r0|v3)/initialSync$`, Example: "GET /_matrix/client/v3/initialSync"},
		{Path: `^/_matrix/client/(api/v1|r0|v3)/rooms/[^/]+/initialSync$`, Example: "GET /_matrix/client/v3/rooms/!a:example.org/initialSync"},
	}},
	// Not in docs/workers.md; rest/client/sync.py registers it in every process.
	{Name: "sliding-sync", Resource: "client", Balance: ByUser, Routes: []WorkerRoute{
		{Path: `^/_matrix/client/unstable/org\.matrix\.simplified_msc3575/sync$`, Example: "POST /_matrix/client/unstable/org.matrix.simplified_msc3575/sync"},
	}},
	{Name: "federation-inbound", Resource: "federation", Balance: BySource, Routes: []WorkerRoute{
		{Path: fedV1 + `send/`, Example: "PUT /_matrix/federation/v1/send/1"},
	}},
	{Name: "federation", Resource: "federation", Routes: []WorkerRoute{
		{Path: fedV1 + `version$`, Example: "GET /_matrix/federation/v1/version"},
		{Path: fedV1 + `event/`, Example: "GET /_matrix/federation/v1/event/$c"},
		{Path: fedV1 + `state/`, Example: "GET /_matrix/federation/v1/state/!a:example.org"},
		{Path: fedV1 + `state_ids/`, Example: "GET /_matrix/federation/v1/state_ids/!a:example.org"},
		{Path: fedV1 + `backfill/`, Example: "GET /_matrix/federation/v1/backfill/!a:example.org"},
		{Path: fedV1 + `get_missing_events/`, Example: "POST /_matrix/federation/v1/get_missing_events/!a:example.org"},
		{Path: fedV1 + `publicRooms`, Example: "GET /_matrix/federation/v1/publicRooms"},
		{Path: fedV1 + `query/`, Example: "GET /_matrix/federation/v1/query/profile"},
		{Path: fedV1 + `make_join/`, Example: "GET /_matrix/federation/v1/make_join/!a:example.org/@b:example.com"},
		{Path: fedV1 + `make_leave/`, Example: "GET /_matrix/federation/v1/make_leave/!a:example.org/@b:example.com"},
		{Path: fedBoth + `send_join/`, Example: "PUT /_matrix/federation/v2/send_join/!a:example.org/$c"},
		{Path: fedBoth + `send_leave/`, Example: "PUT /_matrix/federation/v2/send_leave/!a:example.org/$c"},
		{Path: fedV1 + `make_knock/`, Example: "GET /_matrix/federation/v1/make_knock/!a:example.org/@b:example.com"},
		{Path: fedV1 + `send_knock/`, Example: "PUT /_matrix/federation/v1/send_knock/!a:example.org/$c"},
		{Path: fedBoth + `invite/`, Example: "PUT /_matrix/federation/v2/invite/!a:example.org/$c"},
		{Path: fedV1 + `event_auth/`, Example: "GET /_matrix/federation/v1/event_auth/!a:example.org/$c"},
		{Path: fedV1 + `timestamp_to_event/`, Example: "GET /_matrix/federation/v1/timestamp_to_event/!a:example.org"},
		{Path: fedV1 + `exchange_third_party_invite/`, Example: "PUT /_matrix/federation/v1/exchange_third_party_invite/!a:example.org"},
		{Path: fedV1 + `user/devices/`, Example: "GET /_matrix/federation/v1/user/devices/@b:example.org"},
		{Path: `^/_matrix/key/v2/query`, Example: "POST /_matrix/key/v2/query"},
		{Path: fedV1 + `hierarchy/`, Example: "GET /_matrix/federation/v1/hierarchy/!a:example.org"},
	}},
	{Name: "encryption", Resource: "client", Routes: []WorkerRoute{
		{Path: clientNew + `keys/query$`, Example: "POST /_matrix/client/v3/keys/query"},
		{Path: clientNew + `keys/changes$`, Example: "GET /_matrix/client/v3/keys/changes"},
		{Path: clientNew + `keys/claim$`, Example: "POST /_matrix/client/v3/keys/claim"},
		{Path: clientNew + `room_keys/`, Example: "GET /_matrix/client/v3/room_keys/version"},
	}},
	{Name: "login", Resource: "client", Routes: []WorkerRoute{
		{Path: clientAll + `login$`, Example: "POST /_matrix/client/v3/login", Needs: NeedsNoMAS},
		{Path: clientNew + `register$`, Example: "POST /_matrix/client/v3/register"},
		{Path: clientNew + `register/available$`, Example: "GET /_matrix/client/v3/register/available", Needs: NeedsNoMAS},
		{Path: `^/_matrix/client/v1/register/m\.login\.registration_token/validity$`, Example: "GET /_matrix/client/v1/register/m.login.registration_token/validity", Needs: NeedsNoMAS},
		{Path: clientNew + `password_policy$`, Example: "GET /_matrix/client/v3/password_policy"},
	}},
	{Name: "messages", Resource: "client", Balance: ByRoom, Routes: []WorkerRoute{
		{Path: clientAll + `rooms/.*/messages$`, Methods: []string{"GET"}, Example: "GET /_matrix/client/v3/rooms/!a:example.org/messages"},
	}},
	{Name: "event-sending", Resource: "client", Balance: Anyhow, Routes: []WorkerRoute{
		{Path: clientAll + `rooms/.*/redact`, Example: "PUT /_matrix/client/v3/rooms/!a:example.org/redact/$c/1"},
		{Path: clientAll + `rooms/.*/send`, Example: "PUT /_matrix/client/v3/rooms/!a:example.org/send/m.room.message/1"},
		{Path: clientAll + `rooms/.*/state/`, Example: "PUT /_matrix/client/v3/rooms/!a:example.org/state/m.room.name/"},
		{Path: clientAll + `rooms/.*/(join|invite|leave|ban|unban|kick)$`, Example: "POST /_matrix/client/v3/rooms/!a:example.org/invite"},
		{Path: clientAll + `join/`, Example: "POST /_matrix/client/v3/join/!a:example.org"},
		{Path: clientAll + `knock/`, Example: "POST /_matrix/client/v3/knock/!a:example.org"},
		{Path: clientAll + `profile/`, Example: "PUT /_matrix/client/v3/profile/@b:example.org/displayname"},
		// docs/workers.md has all methods of all its paths; workers answer these.
		{Path: `^/_matrix/client/unstable/org\.matrix\.msc4140/delayed_events/[^/]+/restart$`, Since: Version{1, 144, 0}, Example: "POST /_matrix/client/unstable/org.matrix.msc4140/delayed_events/1/restart"},
		{Path: `^/_matrix/client/unstable/org\.matrix\.msc4140/delayed_events/[^/]+$`, Methods: []string{"GET"}, Since: Version{1, 163, 0}, Example: "GET /_matrix/client/unstable/org.matrix.msc4140/delayed_events/1"},
		{Path: `^/_matrix/client/unstable/org\.matrix\.msc4140/delayed_events$`, Methods: []string{"GET"}, Example: "GET /_matrix/client/unstable/org.matrix.msc4140/delayed_events"},
	}},
	{Name: "client", Resource: "client", Routes: []WorkerRoute{
		{Path: clientAll + `createRoom$`, Example: "POST /_matrix/client/v3/createRoom"},
		{Path: clientAll + `publicRooms$`, Example: "GET /_matrix/client/v3/publicRooms"},
		{Path: clientAll + `rooms/.*/joined_members$`, Example: "GET /_matrix/client/v3/rooms/!a:example.org/joined_members"},
		{Path: clientAll + `rooms/.*/context/.*$`, Example: "GET /_matrix/client/v3/rooms/!a:example.org/context/$c"},
		{Path: clientAll + `rooms/.*/members$`, Example: "GET /_matrix/client/v3/rooms/!a:example.org/members"},
		{Path: clientAll + `rooms/.*/state$`, Example: "GET /_matrix/client/v3/rooms/!a:example.org/state"},
		{Path: `^/_matrix/client/v1/rooms/.*/hierarchy$`, Example: "GET /_matrix/client/v1/rooms/!a:example.org/hierarchy"},
		{Path: `^/_matrix/client/(v1|unstable)/rooms/.*/relations/`, Example: "GET /_matrix/client/v1/rooms/!a:example.org/relations/$c"},
		{Path: `^/_matrix/client/v1/rooms/.*/threads$`, Example: "GET /_matrix/client/v1/rooms/!a:example.org/threads"},
		{Path: `^/_matrix/client/unstable/im\.nheko\.summary/summary/.*$`, Since: Version{1, 153, 0}, Example: "GET /_matrix/client/unstable/im.nheko.summary/summary/!a:example.org"},
		{Path: `^/_matrix/client/v1/room_summary/.*$`, Since: Version{1, 153, 0}, Example: "GET /_matrix/client/v1/room_summary/!a:example.org"},
		{Path: clientNew + `account/3pid$`, Example: "GET /_matrix/client/v3/account/3pid"},
		{Path: clientNew + `account/whoami$`, Example: "GET /_matrix/client/v3/account/whoami"},
		{Path: clientNew + `account/deactivate$`, Example: "POST /_matrix/client/v3/account/deactivate", Needs: NeedsNoMAS},
		{Path: `^/_matrix/client/versions$`, Example: "GET /_matrix/client/versions"},
		{Path: clientAll + `voip/turnServer$`, Example: "GET /_matrix/client/v3/voip/turnServer"},
		{Path: clientAll + `rooms/.*/event/`, Example: "GET /_matrix/client/v3/rooms/!a:example.org/event/$c"},
		{Path: clientAll + `joined_rooms$`, Example: "GET /_matrix/client/v3/joined_rooms"},
		{Path: `^/_matrix/client/v1/rooms/.*/timestamp_to_event$`, Example: "GET /_matrix/client/v1/rooms/!a:example.org/timestamp_to_event"},
		{Path: `^/_matrix/client/(api/v1|r0|v3|unstable/.*)/rooms/.*/aliases`, Example: "GET /_matrix/client/v3/rooms/!a:example.org/aliases"},
		{Path: clientAll + `search$`, Example: "POST /_matrix/client/v3/search"},
		{Path: clientNew + `user/.*/filter(/|$)`, Example: "POST /_matrix/client/v3/user/@b:example.org/filter"},
		{Path: clientAll + `directory/room/.*$`, Example: "GET /_matrix/client/v3/directory/room/%23a:example.org"},
		{Path: clientNew + `capabilities$`, Example: "GET /_matrix/client/v3/capabilities"},
		{Path: clientNew + `notifications$`, Example: "GET /_matrix/client/v3/notifications"},
		{Path: clientNew + `user_directory/search$`, Example: "POST /_matrix/client/v3/user_directory/search"},
		// Not in docs/workers.md; clients refresh their tokens by it, and rest/client/auth_metadata.py registers it in every process.
		{Path: `^/_matrix/client/(v1|unstable)/auth_metadata$`, Since: Version{1, 138, 0}, Example: "GET /_matrix/client/v1/auth_metadata", Needs: NeedsMAS},
		{Path: `^/_matrix/client/unstable/org\.matrix\.msc2965/auth_(issuer|metadata)$`, Example: "GET /_matrix/client/unstable/org.matrix.msc2965/auth_metadata", Needs: NeedsMAS},
		{Path: adminV1 + `rooms/[^/]+$`, Example: "GET /_synapse/admin/v1/rooms/!a:example.org"},
		{Path: `^/_synapse/admin/v2/users/[^/]+$`, Methods: []string{"GET"}, Since: Version{1, 145, 0}, Example: "GET /_synapse/admin/v2/users/@b:example.org"},
	}},
	// What an authentication service asks Synapse; no way in leads there.
	{Name: "mas", Resource: "client", Routes: []WorkerRoute{
		{Path: `^/_synapse/mas/`, Example: "GET /_synapse/mas/query_user", Needs: NeedsMAS},
	}},
}
