package component

// MainOnly are the requests that no worker answers, but for what a group has of them; Synapse 1.163.2 rest/__init__.py, rest/client/account.py,
// register.py, directory.py, delayed_events.py, rest/admin/__init__.py.
var MainOnly = []MainRoute{
	{Path: clientAll + `logout(/all)?$`, Example: "POST /_matrix/client/v3/logout", Lost: "nobody can log out", Needs: NeedsNoMAS},
	{Path: clientNew + `(refresh|tokenrefresh)$`, Example: "POST /_matrix/client/v3/refresh", Lost: "sessions end when their token expires", Needs: NeedsNoMAS},
	{Path: clientAll + `pushers(/set|/remove)?$`, Example: "POST /_matrix/client/v3/pushers/set", Lost: "phones get no notifications"},
	{Path: clientNew + `auth/.*/fallback/web$`, Example: "GET /_matrix/client/v3/auth/m.login.recaptcha/fallback/web", Lost: "steps of a login that need a page fail"},
	{Path: clientNew + `register/(email|msisdn)/requestToken$`, Example: "POST /_matrix/client/v3/register/email/requestToken", Lost: "nobody can register with an e-mail address", Needs: NeedsNoMAS},
	{Path: clientNew + `account/password(/|$)`, Example: "POST /_matrix/client/v3/account/password", Lost: "nobody can change a password", Needs: NeedsNoMAS},
	{Path: clientNew + `account/3pid/`, Example: "POST /_matrix/client/v3/account/3pid/delete", Lost: "nobody can change an e-mail address"},
	{Path: clientNew + `account_validity/`, Example: "GET /_matrix/client/v3/account_validity/renew", Lost: "accounts that expire cannot be renewed", Needs: NeedsNoMAS},
	{Path: clientNew + `rooms/[^/]+/report(/|$)`, Example: "POST /_matrix/client/v3/rooms/!a:example.org/report/$c", Lost: "nothing can be reported"},
	{Path: `^/_matrix/client/v3/users/[^/]+/report$`, Lost: "nobody can be reported"},
	{Path: clientNew + `rooms/[^/]+/upgrade$`, Example: "POST /_matrix/client/v3/rooms/!a:example.org/upgrade", Lost: "no room can be upgraded"},
	{Path: clientAll + `rooms/[^/]+/forget(/|$)`, Example: "POST /_matrix/client/v3/rooms/!a:example.org/forget", Lost: "nobody can forget a room"},
	{Path: clientNew + `user/[^/]+/openid/request_token$`, Example: "POST /_matrix/client/v3/user/@b:example.org/openid/request_token", Lost: "calls and widgets cannot tell who somebody is"},
	{Path: clientNew + `thirdparty/`, Example: "GET /_matrix/client/v3/thirdparty/protocols", Lost: "clients see no bridges"},
	{Path: clientAll + `directory/list/`, Example: "GET /_matrix/client/v3/directory/list/room/!a:example.org", Lost: "no room can be put into the directory"},
	{Path: clientAll + `admin/`, Example: "GET /_matrix/client/v3/admin/whois/@b:example.org", Lost: "administrators see no sessions"},
	{Path: `^/_matrix/client/unstable/org\.matrix\.msc4140/delayed_events/[^/]+(/cancel|/send)?$`, Methods: []string{"POST"}, Example: "POST /_matrix/client/unstable/org.matrix.msc4140/delayed_events/1", Lost: "who left a call stays in it"},
	{Path: `^/_matrix/client/(v1|unstable)/mutual_rooms$`, Lost: "clients do not see which rooms two people share"},
	{Path: `^/_matrix/client/unstable/uk\.half-shot\.msc2666/user/mutual_rooms$`, Lost: "clients do not see which rooms two people share"},
	{Path: `^/_matrix/client/unstable/(add_threepid|registration)/.*/submit_token$`, Example: "GET /_matrix/client/unstable/add_threepid/email/submit_token", Lost: "no e-mail address can be confirmed"},
	{Path: `^/_synapse/admin/`, Example: "GET /_synapse/admin/v2/users", Lost: "administrators get status 404"},
}
