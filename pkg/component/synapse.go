package component

// Synapse is the homeserver.
const Synapse Program = "synapse"

var synapse = Component{
	Program: Synapse, Title: "Synapse",
	Images:   []string{"synapse"},
	Tag:      TagForm{"v", `[0-9]+\.[0-9]+\.[0-9]+(rc[0-9]+)?`},
	Versions: Minors,
	Tested:   Ref{"ghcr.io/element-hq/synapse", "v1.163.2", ""},
	Oldest:   Version{1, 136, 0}, OldestWhy: "matrix_authentication_service exists since Synapse 1.136",
	User: "991:991", // docker/start.py's default for UID and GID
	Port: 8008,
	// Uploads go through its own directory instead of /tmp: TMPDIR.
	Services: []Service{{Name: "synapse", Sandbox: Sandbox{Tmpfs: []string{"/tmp"}}}},
	Affects:  "all users",
	Secrets: []Secret{
		{
			Name: "synapse.signing_key", Kind: SigningKey, Kept: true, Remembers: "synapse.old_signing_keys",
			Breaks: "other servers know this homeserver by its signing key: they refuse its events until the new key has spread, and rooms may stay broken",
		},
		{Name: "synapse.old_signing_keys", Kind: OldKeys},
		{Name: "synapse.macaroon_secret_key"},
		{Name: "synapse.form_secret"},
		{
			Name: "email.password", Kind: External,
			Where: "the password of {user} on the SMTP server {host}", Example: "placeholder-email-password",
		},
		{
			Name: "synapse.turn_shared_secret", Kind: External,
			Where: "static-auth-secret in the TURN server's configuration", Example: "placeholder-turn-shared-secret",
		},
	},
}

// BotDevices is the first Synapse that lets the bot of an appservice act as a device of its own without
// experimental_features.msc3202_device_masquerading.
var BotDevices = Version{1, 141, 0}

// RoomVersions are the releases of Synapse that made another room version the default, with what is new in it;
// Synapse's upgrade notes, config/server.py default_room_version.
var RoomVersions = []struct {
	Since        Version
	Version, New string
}{
	{Version{1, 158, 0}, "11", "redactions and the creator stand elsewhere in events"},
	{Version{1, 162, 0}, "12", "the ids of rooms name no server, and their creators outrank everybody"},
}
